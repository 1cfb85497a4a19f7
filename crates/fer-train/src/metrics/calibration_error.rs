//! How far what a network claims is from what it achieves.

use serde::{Deserialize, Serialize};

/// Bins of the top probability, as in the paper.
const BINS: usize = 15;

/// The expected calibration error: the mean over pictures of |share right − mean top probability| of
/// the bin that the picture's top probability falls into. In [0, 1]; lower is better.
///
/// Fifteen bins of equal width, of which the m-th holds probabilities above (m − 1) / 15 and up to
/// m / 15; a picture is right where the most probable class is its label. Chuan Guo, Geoff Pleiss, Yu
/// Sun, Kilian Q. Weinberger: On Calibration of Modern Neural Networks, ICML 2017.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CalibrationError {
    bins: [Bin; BINS],
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Bin {
    pictures: u64,
    right: u64,
    /// Sum of the top probabilities.
    claimed: f64,
}

impl CalibrationError {
    /// Adds one picture: its top probability, and whether that class is its label.
    pub fn add(&mut self, probability: f64, is_right: bool) {
        // A probability of 0 belongs to the first bin, and rounding may leave one just above 1.
        let place = (probability * BINS as f64).ceil() as usize;
        let bin = &mut self.bins[place.clamp(1, BINS) - 1];
        bin.pictures += 1;
        bin.right += u64::from(is_right);
        bin.claimed += probability;
    }

    /// The error over the pictures added; 0 where there are none.
    pub fn value(&self) -> f64 {
        let pictures: u64 = self.bins.iter().map(|bin| bin.pictures).sum();
        let gaps = self.bins.iter().map(|bin| bin.right as f64 - bin.claimed);
        gaps.map(f64::abs).sum::<f64>() / pictures.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(pictures: &[(f64, bool)]) -> f64 {
        let mut error = CalibrationError::default();
        for &(probability, is_right) in pictures {
            error.add(probability, is_right);
        }
        error.value()
    }

    #[test]
    fn claims_that_hold_within_a_bin_cost_nothing() {
        let fair = [(0.75, true), (0.75, true), (0.75, true), (0.75, false)];
        assert_eq!(error(&fair), 0.0);
        assert_eq!(error(&fair[..3]), 0.25);
        assert_eq!(error(&[(1.0, false)]), 1.0);
        assert_eq!(error(&[]), 0.0);
    }

    #[test]
    fn an_edge_belongs_to_the_bin_below_it() {
        // 0.4 = 6 / 15 closes the sixth bin; 0.41 lies in the seventh, 0.35 in the sixth.
        let apart = error(&[(0.4, true), (0.41, false)]);
        assert!((apart - (0.6 + 0.41) / 2.0).abs() < 1e-12, "{apart}");
        let together = error(&[(0.4, true), (0.35, false)]);
        assert!((together - 0.25 / 2.0).abs() < 1e-12, "{together}");
    }

    #[test]
    fn what_rounding_leaves_outside_0_to_1_is_counted_at_the_ends() {
        assert!((error(&[(1.0 + 1e-7, true), (0.99, true)]) - 0.005).abs() < 1e-6);
        assert_eq!(error(&[(0.0, false)]), 0.0);
    }
}
