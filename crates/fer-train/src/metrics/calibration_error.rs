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

    /// The maximum calibration error of the same paper: the largest |share right − mean top
    /// probability| of a bin that holds pictures, in [0, 1]; 0 where none does.
    pub fn maximum(&self) -> f64 {
        let gaps = self.bins().into_iter().filter_map(|bin| bin.gap());
        gaps.fold(0.0, |largest, gap| f64::max(largest, gap.abs()))
    }

    /// The fifteen bins, from the least sure to the surest.
    pub fn bins(&self) -> Vec<ReliabilityBin> {
        let edge = |place: usize| place as f64 / BINS as f64;
        let bins = self.bins.iter().enumerate();
        bins.map(|(place, bin)| {
            let mean = |sum: f64| (bin.pictures > 0).then(|| sum / bin.pictures as f64);
            ReliabilityBin {
                from: edge(place),
                to: edge(place + 1),
                n: bin.pictures,
                accuracy: mean(bin.right as f64),
                confidence: mean(bin.claimed),
            }
        })
        .collect()
    }
}

/// The pictures whose top probability lies above `from` and up to `to`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// The lower edge, which belongs to the bin below.
    pub from: f64,
    /// The upper edge, which belongs to this bin.
    pub to: f64,
    /// How many pictures these are.
    pub n: u64,
    /// The share of them that is right, in [0, 1]; null where there are none.
    pub accuracy: Option<f64>,
    /// The mean of their top probabilities, in [0, 1]; null where there are none.
    pub confidence: Option<f64>,
}

impl ReliabilityBin {
    /// How much more is right than was claimed, −1 to 1; `None` for a bin without pictures.
    pub fn gap(&self) -> Option<f64> {
        Some(self.accuracy? - self.confidence?)
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
    fn bins_tell_what_they_hold_and_the_largest_gap_is_the_maximum() {
        let mut error = CalibrationError::default();
        for (probability, is_right) in [(0.95, true), (1.0, true), (0.98, false), (0.5, true)] {
            error.add(probability, is_right);
        }
        let bins = error.bins();
        assert_eq!((bins.len(), bins[0].from, bins[14].to), (15, 0.0, 1.0));
        assert_eq!((bins[14].n, bins[14].accuracy), (3, Some(2.0 / 3.0)));
        assert_eq!((bins[7].n, bins[7].confidence), (1, Some(0.5)));
        assert_eq!(
            (bins[3].n, bins[3].accuracy, bins[3].gap()),
            (0, None, None)
        );
        assert_eq!(error.maximum(), 0.5);
        assert_eq!(CalibrationError::default().maximum(), 0.0);
    }

    #[test]
    fn what_rounding_leaves_outside_0_to_1_is_counted_at_the_ends() {
        assert!((error(&[(1.0 + 1e-7, true), (0.99, true)]) - 0.005).abs() < 1e-6);
        assert_eq!(error(&[(0.0, false)]), 0.0);
    }
}
