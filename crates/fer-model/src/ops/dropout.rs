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
    /// As [`Train`](Self::Train), for pictures that are part of a batch whose other parts are trained on
    /// elsewhere: each picture's dropout is what it is in the whole batch.
    TrainPart {
        /// The run's seed.
        seed: u64,
        /// The step's number.
        step: u64,
        /// The place of the first of these pictures in the batch, from 0.
        first: usize,
    },
    /// Dropout is off.
    Predict,
}

impl Mode {
    /// Whether it is one of training.
    pub fn trains(self) -> bool {
        self != Mode::Predict
    }
}

/// Inverted dropout (Srivastava et al. 2014): when training, each value is zero with probability
/// `rate`, the others are divided by `1 - rate`; when predicting nothing changes.
///
/// `name` tells the masks of a network's dropout layers apart. Any shape whose first dimension counts
/// the pictures; the same comes out.
///
/// # Errors
/// A device that cannot take the mask.
pub fn dropout(values: &Tensor, rate: f32, name: &str, mode: Mode) -> Result<Tensor> {
    let pictures = values.dims().first().copied().unwrap_or(1);
    let each = values.elem_count() / pictures.max(1);
    match dropout_mask([pictures, each], rate, name, mode) {
        Some(mask) => values * Tensor::from_vec(mask, values.shape(), values.device())?,
        None => Ok(values.clone()),
    }
}

/// What [`dropout`] multiplies the values of so many pictures by, so many of each; `None` where it
/// changes nothing.
pub(crate) fn dropout_mask(
    [pictures, each]: [usize; 2],
    rate: f32,
    name: &str,
    mode: Mode,
) -> Option<Vec<f32>> {
    let (seed, step, first) = match mode {
        Mode::Train { seed, step } => (seed, step, 0),
        Mode::TrainPart { seed, step, first } => (seed, step, first),
        Mode::Predict => return None,
    };
    if rate == 0.0 {
        return None;
    }
    let mut random = stream(seed, &format!("dropout {name}"), step);
    // A number takes one step of the generator.
    random.advance((first * each) as u128);
    let kept = 1.0 / (1.0 - rate);
    let factor = |uniform: f32| if uniform < rate { 0.0 } else { kept };
    let values = 0..pictures * each;
    Some(values.map(|_| factor(random.random())).collect())
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

    #[test]
    fn a_part_of_a_batch_drops_what_the_batch_drops_there() {
        let (seed, step) = (4, 7);
        let whole = dropout_mask([9, 5], 0.4, "a", Mode::Train { seed, step }).unwrap();
        let part = |first, pictures| {
            let mode = Mode::TrainPart { seed, step, first };
            dropout_mask([pictures, 5], 0.4, "a", mode).unwrap()
        };
        assert_eq!([part(0, 4), part(4, 0), part(4, 5)].concat(), whole);
    }
}
