//! The interval of a difference between two shares of the same pictures.

use super::interval::Interval;
use super::mcnemar::McNemar;
use super::wilson::wilson;

/// The share that the second gets right less the share that the first gets right, in [-1, 1], with its
/// interval; `None` of nothing.
///
/// Newcombe's method 10 for paired proportions. Each share has its Wilson interval; the distances
/// from the shares to their ends are squared and added, less twice their product times φ, the
/// correlation of being right, from which n/2 is taken where its numerator ad − bc is positive (to 0
/// at the least). Robert G. Newcombe: Improved Confidence Intervals for the Difference Between
/// Binomial Proportions Based on Paired Data, Statistics in Medicine 17 (1998).
pub fn paired_difference(table: &McNemar) -> Option<(f64, Interval)> {
    let n = table.n();
    let (first, second) = (
        table.both_right + table.only_first,
        table.both_right + table.only_second,
    );
    let (first_interval, second_interval) = (wilson(first, n)?, wilson(second, n)?);
    let share = |right: u64| right as f64 / n as f64;
    let (first, second) = (share(first), share(second));
    let correlation = correlation(table);
    let reach = |one: f64, other: f64| {
        let squares = one * one - 2.0 * correlation * one * other + other * other;
        squares.max(0.0).sqrt()
    };
    let below = reach(second - second_interval.low, first_interval.high - first);
    let above = reach(second_interval.high - second, first - first_interval.low);
    let difference = (table.only_second as f64 - table.only_first as f64) / n as f64;
    let interval = Interval {
        low: (difference - below).max(-1.0),
        high: (difference + above).min(1.0),
    };
    Some((difference, interval))
}

/// φ of being right, corrected for continuity; 0 where one of the two is always right or never.
fn correlation(table: &McNemar) -> f64 {
    let [a, b, c, d] = [
        table.both_right,
        table.only_first,
        table.only_second,
        table.both_wrong,
    ]
    .map(|count| count as f64);
    let scale = ((a + b) * (c + d) * (a + c) * (b + d)).sqrt();
    if scale == 0.0 {
        return 0.0;
    }
    let mut numerator = a * d - b * c;
    if numerator > 0.0 {
        numerator = (numerator - (a + b + c + d) / 2.0).max(0.0);
    }
    numerator / scale
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_order_turns_the_sign() {
        let table = McNemar::new(40, 12, 2, 6);
        let (difference, interval) = paired_difference(&table).unwrap();
        let turned = McNemar::new(40, 2, 12, 6);
        let (other, other_interval) = paired_difference(&turned).unwrap();
        assert_eq!(difference, -other);
        assert!((interval.low + other_interval.high).abs() < 1e-12);
        assert!((interval.high + other_interval.low).abs() < 1e-12);
        assert!(interval.contains(difference) && !interval.contains(0.0));
    }

    #[test]
    fn classifiers_that_agree_have_a_narrower_interval_than_independent_ones() {
        let width = |table| {
            let (difference, interval) = paired_difference(&table).unwrap();
            assert_eq!(difference, 0.0);
            interval.high - interval.low
        };
        let alike = width(McNemar::new(78, 2, 2, 18));
        let independent = width(McNemar::new(64, 16, 16, 4));
        assert!(alike < 0.6 * independent, "{alike} {independent}");
    }

    #[test]
    fn the_ends_of_what_can_be_are_finite() {
        assert_eq!(paired_difference(&McNemar::new(0, 0, 0, 0)), None);
        for table in [[5, 0, 0, 0], [0, 0, 0, 5], [0, 5, 0, 0], [0, 0, 5, 0]] {
            let [a, b, c, d] = table;
            let (difference, interval) = paired_difference(&McNemar::new(a, b, c, d)).unwrap();
            assert!(interval.contains(difference), "{table:?} {interval:?}");
            assert!(interval.low >= -1.0 && interval.high <= 1.0);
        }
    }
}
