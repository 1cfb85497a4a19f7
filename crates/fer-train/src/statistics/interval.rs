//! Where a figure may lie.

use serde::{Deserialize, Serialize};

/// The share of intervals that are to hold the true value.
pub const LEVEL: f64 = 0.95;

/// The quantile 0.975 of the standard normal distribution, half of what lies outside [`LEVEL`] on
/// either side.
pub(crate) const NORMAL_QUANTILE: f64 = 1.959_963_984_540_054;

/// A 95 % confidence interval: were the pictures drawn again and again, 95 % of such intervals would
/// hold the figure's true value. In JSON an object of its two ends.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// Whether `value` lies in it, ends included.
    pub fn contains(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// An interval of shares as people read it, `86.3–88.6 %`.
    pub fn percent(&self) -> String {
        format!("{:.1}–{:.1} %", 100.0 * self.low, 100.0 * self.high)
    }

    /// An interval of scores as people read it, `0.690–0.755`.
    pub fn decimals(&self) -> String {
        format!("{:.3}–{:.3}", self.low, self.high)
    }

    /// An interval of a difference of shares as people read it, `-0.2 to +1.7`, in points: hundredths
    /// of all.
    pub fn points(&self) -> String {
        format!("{:+.1} to {:+.1}", 100.0 * self.low, 100.0 * self.high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_percent_points_and_decimals() {
        let interval = Interval {
            low: -0.0021,
            high: 0.8856,
        };
        assert_eq!(interval.percent(), "-0.2–88.6 %");
        assert_eq!(interval.points(), "-0.2 to +88.6");
        assert_eq!(interval.decimals(), "-0.002–0.886");
        assert!(interval.contains(0.0) && interval.contains(0.8856));
        assert!(!interval.contains(-0.0022) && !interval.contains(0.9));
    }
}
