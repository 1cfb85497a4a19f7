use candle_core::{Result, Tensor, bail};
use fer_data::DataError;
use serde::{Deserialize, Serialize};

use crate::ops::{Engine, cross_entropy};

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;

/// What training makes small. With everything off it is the mean cross-entropy.
///
/// For logits z and targets t of N pictures and K classes, with n_c of the n training pictures in
/// class c, the loss in nats is
///
/// ```text
/// −1/N · Σ_i Σ_c  w_c · t′_ic · ln p_ic
///   p  = softmax(z + τ · ln(n_c / n))     τ = logit_adjustment, in training only
///   t′ = (1 − ε) · t + ε / K              ε = label_smoothing
///   w_c = n / (K · n_c), or 1             class_weights
/// ```
///
/// Targets are shares, so this is PyTorch's `cross_entropy` with class probabilities as the target:
/// smoothing comes before the weights, and the sum is divided by the number of pictures, not by the
/// sum of their weights (as PyTorch does for class indices).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LossSettings {
    /// The share of each target that is spread over all classes evenly, at least 0 and below 1
    /// (Szegedy et al. 2016). Default 0.
    pub label_smoothing: f64,
    /// What a class counts for. Default `none`: all the same.
    pub class_weights: ClassWeights,
    /// How many times the logarithm of its share of the training pictures is added to the logit of
    /// each class while training, at least 0; the network then makes up for it (Menon et al. 2021,
    /// whose τ is 1). Default 0.
    pub logit_adjustment: f64,
}

/// What a class counts for in the loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClassWeights {
    /// All the same.
    #[default]
    None,
    /// The inverse of how many training pictures it has, so that every class counts the same in sum:
    /// n / (K · n_c), as scikit-learn's `balanced`. The mean over the training pictures is 1.
    Balanced,
}

impl LossSettings {
    /// Checks every range.
    ///
    /// # Errors
    /// [`DataError::Setting`], naming the first setting out of range as `training.loss.…`.
    pub fn check(&self) -> std::result::Result<(), DataError> {
        let ranges = [
            (
                "training.loss.label_smoothing",
                self.label_smoothing,
                (0.0..1.0).contains(&self.label_smoothing),
                "at least 0 and below 1",
            ),
            (
                "training.loss.logit_adjustment",
                self.logit_adjustment,
                self.logit_adjustment >= 0.0 && self.logit_adjustment.is_finite(),
                "at least 0",
            ),
        ];
        for (name, value, allowed, expected) in ranges {
            if !allowed {
                return Err(DataError::Setting {
                    name,
                    value: value.to_string(),
                    expected,
                });
            }
        }
        Ok(())
    }
}

/// The loss of [`LossSettings`] for the classes of one data set.
///
/// ```
/// use fer_model::Device;
/// use fer_model::ops::{Engine, Loss, LossSettings, cross_entropy};
/// use candle_core::Tensor;
///
/// let logits = Tensor::new(&[[1f32, -1.0], [0.0, 2.0]], &Device::Cpu)?;
/// let targets = Tensor::new(&[[1f32, 0.0], [0.3, 0.7]], &Device::Cpu)?;
/// let (settings, engine) = (LossSettings::default(), Engine::detect());
/// let loss = Loss::new(&settings, &[90, 10])?.compute(&logits, &targets, engine)?;
/// let plain = cross_entropy(&logits, &targets, engine)?;
/// assert_eq!(loss.to_scalar::<f32>()?, plain.to_scalar::<f32>()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Loss {
    smoothing: f64,
    /// One a class.
    weights: Option<Vec<f32>>,
    /// What is added to the logits, one a class.
    shift: Option<Vec<f32>>,
}

impl Loss {
    /// The loss for classes of which the training split has so many pictures each, in class order;
    /// a picture with shares of several classes counts for its label.
    ///
    /// # Errors
    /// A setting out of range; weights or a logit adjustment where a class has no training picture:
    /// there is no such weight and no such logarithm.
    pub fn new(
        settings: &LossSettings,
        class_counts: &[usize],
    ) -> std::result::Result<Self, DataError> {
        settings.check()?;
        let balanced = settings.class_weights == ClassWeights::Balanced;
        let adjusted = settings.logit_adjustment > 0.0;
        if (balanced || adjusted) && class_counts.contains(&0) {
            let (name, value) = match balanced {
                true => ("training.loss.class_weights", "balanced".into()),
                false => (
                    "training.loss.logit_adjustment",
                    settings.logit_adjustment.to_string(),
                ),
            };
            return Err(DataError::Setting {
                name,
                value,
                expected: "every class needs a picture to train on, and one has none",
            });
        }
        let sum = class_counts.iter().sum::<usize>() as f64;
        let of_each = |value: &dyn Fn(f64) -> f64| -> Vec<f32> {
            let share = |&count: &usize| count as f64 / sum;
            let values = class_counts.iter().map(|count| value(share(count)) as f32);
            values.collect()
        };
        let classes = class_counts.len() as f64;
        Ok(Loss {
            smoothing: settings.label_smoothing,
            weights: balanced.then(|| of_each(&|share| 1.0 / (classes * share))),
            shift: adjusted.then(|| of_each(&|share| settings.logit_adjustment * share.ln())),
        })
    }

    /// The loss in nats, a scalar, of `logits` and `targets`, both (pictures, classes); each row of
    /// `targets` is a distribution. The targets get no gradient.
    ///
    /// # Errors
    /// Shapes that differ, or another number of classes than the loss was made for.
    pub fn compute(&self, logits: &Tensor, targets: &Tensor, engine: Engine) -> Result<Tensor> {
        let (_, classes) = logits.dims2()?;
        let of_each = |values: &[f32]| -> Result<Tensor> {
            if values.len() != classes {
                bail!(
                    "the loss is made for {} classes, the logits have {classes}",
                    values.len()
                );
            }
            Tensor::from_slice(values, (1, classes), logits.device())
        };
        let logits = match &self.shift {
            Some(shift) => logits.broadcast_add(&of_each(shift)?)?,
            None => logits.clone(),
        };
        let mut targets = targets.clone();
        if self.smoothing > 0.0 {
            targets = targets.affine(1.0 - self.smoothing, self.smoothing / classes as f64)?;
        }
        if let Some(weights) = &self.weights {
            targets = targets.broadcast_mul(&of_each(weights)?)?;
        }
        cross_entropy(&logits, &targets, engine)
    }
}
