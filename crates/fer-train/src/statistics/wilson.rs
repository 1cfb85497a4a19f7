//! The interval of a share.

use super::interval::{Interval, NORMAL_QUANTILE};

/// Wilson's score interval of the share of `part` in `whole`, within [0, 1]; `None` of nothing.
///
/// With p = part / whole, n = whole and z the normal quantile: (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) /
/// (1 + z²/n). Unlike p ± z √(p(1−p)/n) it holds its level for few pictures and for shares near 0 or
/// near 1.
///
/// Edwin B. Wilson: Probable Inference, the Law of Succession, and Statistical Inference, JASA 22
/// (1927); recommended by Lawrence D. Brown, T. Tony Cai and Anirban DasGupta: Interval Estimation
/// for a Binomial Proportion, Statistical Science 16 (2001). `proportion_confint(method="wilson")` of
/// statsmodels.
///
/// ```
/// use fer_train::statistics::wilson;
///
/// let interval = wilson(11, 13).unwrap();
/// assert_eq!(interval.percent(), "57.8–95.7 %");
/// assert!(wilson(0, 0).is_none());
/// ```
///
/// # Panics
/// Where `part` is greater than `whole`.
pub fn wilson(part: u64, whole: u64) -> Option<Interval> {
    assert!(part <= whole, "{part} of {whole}");
    if whole == 0 {
        return None;
    }
    let n = whole as f64;
    let share = part as f64 / n;
    let square = NORMAL_QUANTILE * NORMAL_QUANTILE;
    let middle = share + square / (2.0 * n);
    let spread = share * (1.0 - share) / n + square / (4.0 * n * n);
    let half = NORMAL_QUANTILE * spread.sqrt();
    let width = 1.0 + square / n;
    // Rounding must not part an end from the share that it touches.
    Some(Interval {
        low: if part == 0 {
            0.0
        } else {
            (middle - half) / width
        },
        high: if part == whole {
            1.0
        } else {
            (middle + half) / width
        },
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn it_lies_within_0_and_1_and_holds_the_share() {
        for whole in 1..60 {
            for part in 0..=whole {
                let interval = wilson(part, whole).unwrap();
                assert!(interval.contains(part as f64 / whole as f64));
                assert!(interval.low >= 0.0 && interval.high <= 1.0);
                let mirrored = wilson(whole - part, whole).unwrap();
                assert!((interval.low - (1.0 - mirrored.high)).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn more_pictures_narrow_it() {
        let width = |part, whole| {
            let interval = wilson(part, whole).unwrap();
            interval.high - interval.low
        };
        assert!(width(86, 100) > 2.0 * width(860, 1000));
    }

    #[test]
    #[should_panic(expected = "3 of 2")]
    fn a_part_greater_than_the_whole_panics() {
        let _ = wilson(3, 2);
    }
}
