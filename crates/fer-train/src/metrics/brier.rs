//! The Brier score.

use serde::{Deserialize, Serialize};

/// The mean over pictures of Σ (probability − truth)² over the classes, the truth being 1 for the label
/// and 0 for the others. In [0, 2]; lower is better.
///
/// Glenn W. Brier: Verification of forecasts expressed in terms of probability, Monthly Weather Review
/// 78, 1950, in its own form for several classes; scikit-learn's
/// `brier_score_loss(labels, probabilities, scale_by_half=False)`. Summed in f64, picture by picture.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BrierScore {
    sum: f64,
    pictures: u64,
}

impl BrierScore {
    /// Adds one picture: its label and its natural log-probabilities, one a class.
    ///
    /// # Panics
    /// Where the label is no class.
    pub fn add(&mut self, label: usize, log_probabilities: &[f32]) {
        assert!(label < log_probabilities.len(), "class {label}");
        for (class, &log) in log_probabilities.iter().enumerate() {
            let truth = f64::from(u8::from(class == label));
            self.sum += (f64::from(log).exp() - truth).powi(2);
        }
        self.pictures += 1;
    }

    /// The mean over the pictures added; 0 where there are none.
    pub fn mean(&self) -> f64 {
        self.sum / self.pictures.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(pictures: &[(usize, [f32; 3])]) -> f64 {
        let mut score = BrierScore::default();
        for (label, probabilities) in pictures {
            score.add(*label, &probabilities.map(f32::ln));
        }
        score.mean()
    }

    #[test]
    fn every_class_counts_and_the_worst_is_two() {
        let halves = score(&[(0, [0.5, 0.25, 0.25])]);
        assert!((halves - (0.25 + 0.0625 + 0.0625)).abs() < 1e-7, "{halves}");
        assert_eq!(score(&[(1, [1.0, 0.0, 0.0])]), 2.0);
        assert_eq!(score(&[(0, [1.0, 0.0, 0.0]), (1, [1.0, 0.0, 0.0])]), 1.0);
        assert_eq!(score(&[]), 0.0);
    }
}
