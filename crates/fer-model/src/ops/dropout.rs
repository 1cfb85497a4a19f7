use candle_core::{Result, Tensor};
use fer_data::random::stream;
use rand::RngExt;

/// Whether a forward pass trains or predicts: it decides about dropout and about the statistics that
/// normalise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Dropout is on; its masks are drawn for this seed and this step, counted over the whole run.
    Train {
        /// The run's seed.
        seed: u64,
        /// The step's number.
        step: u64,
    },
    /// Dropout is off.
    Predict,
}

impl Mode {
    /// Whether it is one of training.
    pub fn trains(self) -> bool {
        matches!(self, Mode::Train { .. })
    }
}

/// Inverted dropout (Srivastava et al. 2014): when training, each value is zero with probability
/// `rate`, the others are divided by `1 - rate`; when predicting nothing changes.
///
/// `name` tells the masks of a network's dropout layers apart. Any shape; the same comes out.
///
/// # Errors
/// A device that cannot take the mask.
pub fn dropout(values: &Tensor, rate: f32, name: &str, mode: Mode) -> Result<Tensor> {
    match dropout_mask(values.elem_count(), rate, name, mode) {
        Some(mask) => values * Tensor::from_vec(mask, values.shape(), values.device())?,
        None => Ok(values.clone()),
    }
}

/// What [`dropout`] multiplies `count` values by; `None` where it changes nothing.
pub(crate) fn dropout_mask(count: usize, rate: f32, name: &str, mode: Mode) -> Option<Vec<f32>> {
    let Mode::Train { seed, step } = mode else {
        return None;
    };
    if rate == 0.0 {
        return None;
    }
    let mut random = stream(seed, &format!("dropout {name}"), step);
    let kept = 1.0 / (1.0 - rate);
    let factor = |uniform: f32| if uniform < rate { 0.0 } else { kept };
    Some((0..count).map(|_| factor(random.random())).collect())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use candle_core::Device;

    use super::*;

    fn dropped(rate: f32, name: &str, mode: Mode) -> Vec<f32> {
        let ones = Tensor::ones(10_000, candle_core::DType::F32, &Device::Cpu).unwrap();
        dropout(&ones, rate, name, mode).unwrap().to_vec1().unwrap()
    }

    #[test]
    fn the_share_and_the_mean_are_as_promised() {
        let values = dropped(0.3, "a", Mode::Train { seed: 1, step: 0 });
        let zeros = values.iter().filter(|&&value| value == 0.0).count();
        assert!((2800..3200).contains(&zeros), "{zeros}");
        let mean = values.iter().sum::<f32>() / 10_000.0;
        assert!((mean - 1.0).abs() < 0.03, "{mean}");
        assert!(
            values
                .iter()
                .all(|&value| value == 0.0 || (value - 1.0 / 0.7).abs() < 1e-6)
        );
    }

    #[test]
    fn masks_follow_seed_step_and_name_and_predicting_has_none() {
        let train = |seed, step| Mode::Train { seed, step };
        let first = dropped(0.5, "a", train(1, 2));
        assert_eq!(first, dropped(0.5, "a", train(1, 2)));
        assert_ne!(first, dropped(0.5, "b", train(1, 2)));
        assert_ne!(first, dropped(0.5, "a", train(2, 2)));
        assert_ne!(first, dropped(0.5, "a", train(1, 3)));
        assert_eq!(dropped(0.5, "a", Mode::Predict), vec![1.0; 10_000]);
    }
}
