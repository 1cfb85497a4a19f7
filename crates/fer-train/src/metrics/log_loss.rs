//! Categorical cross-entropy of a data set.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A log-probability that is NaN or infinite: the network has diverged.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[error("expected finite log-probabilities, got {value} for class {class} of picture {picture}")]
pub struct NotFinite {
    /// Position among all the pictures given so far, from 0.
    pub picture: u64,
    /// Index of the class.
    pub class: usize,
    /// What was given.
    pub value: f32,
}

/// The mean over pictures of `-Σ target · log-probability`, in nats, at least 0; lower is better.
///
/// With one-hot targets this is scikit-learn's `log_loss`. The sum is kept in f64 and taken picture
/// by picture, so that it does not depend on how pictures are cut into batches.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LogLoss {
    sum: f64,
    pictures: u64,
}

impl LogLoss {
    /// Adds one picture: its targets and its log-probabilities (natural), one of each per class.
    ///
    /// # Errors
    /// A log-probability that is not finite; the picture is then not added.
    ///
    /// # Panics
    /// Where the two are not of one length.
    pub fn add(&mut self, targets: &[f32], log_probabilities: &[f32]) -> Result<(), NotFinite> {
        assert_eq!(targets.len(), log_probabilities.len(), "number of classes");
        let infinite = log_probabilities
            .iter()
            .position(|value| !value.is_finite());
        if let Some(class) = infinite {
            return Err(NotFinite {
                picture: self.pictures,
                class,
                value: log_probabilities[class],
            });
        }
        let pairs = targets.iter().zip(log_probabilities);
        self.sum -= pairs
            .map(|(&target, &log)| f64::from(target) * f64::from(log))
            .sum::<f64>();
        self.pictures += 1;
        Ok(())
    }

    /// The mean over the pictures added; 0 where there are none.
    pub fn mean(&self) -> f64 {
        self.sum / self.pictures.max(1) as f64
    }
}

/// The mean loss of the pictures of one batch, in nats; NaN where a log-probability is not finite.
///
/// `targets` and `log_probabilities`: (n, classes) row-major, as [`LogLoss::add`] takes them.
pub fn mean_loss(targets: &[f32], log_probabilities: &[f32], classes: usize) -> f64 {
    let mut loss = LogLoss::default();
    let rows = targets
        .chunks_exact(classes)
        .zip(log_probabilities.chunks_exact(classes));
    for (targets, log_probabilities) in rows {
        if loss.add(targets, log_probabilities).is_err() {
            return f64::NAN;
        }
    }
    loss.mean()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_over_pictures_and_every_target_counts() {
        let mut loss = LogLoss::default();
        loss.add(&[0.25, 0.75], &[-2.0, -0.5]).unwrap();
        assert_eq!(loss.mean(), 0.875);
        loss.add(&[1.0, 0.0], &[-0.125, -4.0]).unwrap();
        assert_eq!(loss.mean(), 0.5);
    }

    #[test]
    fn a_value_that_is_not_finite_is_named_and_not_added() {
        let mut loss = LogLoss::default();
        loss.add(&[0.0, 1.0], &[-3.0, -1.0]).unwrap();
        for value in [f32::NAN, f32::NEG_INFINITY] {
            let error = loss.add(&[1.0, 0.0], &[-1.0, value]).unwrap_err();
            assert_eq!((error.picture, error.class), (1, 1));
        }
        assert_eq!(loss.mean(), 1.0);
    }

    #[test]
    fn the_mean_of_a_batch_is_that_of_its_pictures_and_nan_where_one_is_not_finite() {
        let targets = [0.25, 0.75, 1.0, 0.0];
        assert_eq!(mean_loss(&targets, &[-2.0, -0.5, -0.125, -4.0], 2), 0.5);
        assert!(mean_loss(&targets, &[-2.0, -0.5, f32::INFINITY, -4.0], 2).is_nan());
    }

    #[test]
    fn nothing_added_has_loss_zero() {
        assert_eq!(LogLoss::default().mean(), 0.0);
    }
}
