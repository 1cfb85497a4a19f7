//! Ranges and round numbers along the axes of figures.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::coord::types::RangedCoordf64;

/// What an axis measures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Unit {
    /// Whole epochs.
    Epochs,
    /// A loss: 0 or above.
    Nats,
    /// A share from 0 to 1, written in percent.
    Share,
}

/// The range of an axis and the round numbers written along it.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    /// Lowest and highest value.
    pub(super) range: Range<f64>,
    /// Where numbers are written, ascending.
    pub(super) ticks: Vec<f64>,
    step: f64,
    unit: Unit,
}

impl Axis {
    /// An axis of whole epochs, with half an epoch of room at either end.
    pub(super) fn epochs(first: usize, last: usize) -> Self {
        let (first, last) = (first as f64, last as f64);
        let step = round_step((last - first) / 10.0).max(1.0);
        let margin = (0.02 * (last - first)).max(0.5);
        let mut ticks = multiples(first, last, step);
        if ticks.first() != Some(&first) {
            ticks.insert(0, first);
        }
        if step > 1.0 && ticks.len() > 2 && ticks[1] - ticks[0] < 0.7 * step {
            ticks.remove(1);
        }
        Self {
            range: first - margin..last + margin,
            ticks,
            step,
            unit: Unit::Epochs,
        }
    }

    /// An axis from a round number below all finite `values` to one above them, never so short
    /// that what hardly changes seems to leap.
    pub(super) fn values(values: impl Iterator<Item = f64> + Clone, unit: Unit) -> Self {
        let (low, high) = (
            values.clone().fold(f64::MAX, f64::min),
            values.fold(f64::MIN, f64::max),
        );
        let (low, high) = if low > high { (0.0, 1.0) } else { (low, high) };
        let shortest = if unit == Unit::Share {
            0.04
        } else {
            (0.1 * high).max(0.05)
        };
        let room = (shortest - (high - low)).max(0.0) / 2.0;
        let step = round_step((high - low + 2.0 * room) / 5.0);
        let highest = if unit == Unit::Share { 1.0 } else { f64::MAX };
        let low = (((low - room) / step).floor() * step).max(0.0);
        let high = (((high + room) / step).ceil() * step)
            .min(highest)
            .max(low + step);
        Self {
            range: low..high,
            ticks: multiples(low, high, step),
            step,
            unit,
        }
    }

    /// A value as written beside its tick.
    pub(super) fn tick(&self, value: f64) -> String {
        match self.unit {
            Unit::Share => format!("{:.*}%", decimals(100.0 * self.step), 100.0 * value),
            _ if self.step >= 1e4 && value > 0.0 => format!("{value:.0e}"),
            _ => format!("{value:.*}", decimals(self.step)),
        }
    }

    /// A value to three or four digits.
    pub(super) fn exact(&self, value: f64) -> String {
        match self.unit {
            Unit::Share => format!("{:.1}%", 100.0 * value),
            _ if value >= 1e4 => format!("{value:.2e}"),
            _ => format!("{value:.3}"),
        }
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        RangedCoordf64::from(self.range.clone()).map(value, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() {
            Vec::new()
        } else {
            self.ticks.clone()
        }
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        self.tick(*value)
    }
}

/// The smallest of 1, 2, 5 times a power of ten that is not below `step`.
fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.max(1e-9).log10().floor());
    let factors = [1.0, 2.0, 5.0, 10.0];
    let factor = factors
        .into_iter()
        .find(|factor| factor * power >= step * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * power
}

fn multiples(low: f64, high: f64, step: f64) -> Vec<f64> {
    let first = (low / step - 1e-6).ceil() as i64;
    let last = (high / step + 1e-6).floor() as i64;
    (first..=last)
        .map(|multiple| multiple as f64 * step)
        .collect()
}

/// Decimals that tell multiples of `step` apart.
fn decimals(step: f64) -> usize {
    (-(step * 1.000_001).log10().floor()).max(0.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_are_whole_and_few() {
        assert_eq!(Axis::epochs(1, 1).ticks, [1.0]);
        assert_eq!(Axis::epochs(1, 2).ticks, [1.0, 2.0]);
        assert_eq!(Axis::epochs(1, 10).ticks.len(), 10);
        let hundred = Axis::epochs(1, 100);
        assert_eq!(
            hundred.ticks,
            [
                1.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 100.0
            ]
        );
        assert_eq!(Axis::epochs(1, 40).ticks[..3], [1.0, 5.0, 10.0]);
        assert!(hundred.range.start < 1.0 && hundred.range.end > 100.0);
        assert_eq!(hundred.tick(20.0), "20");
    }

    #[test]
    fn values_get_round_numbers_around_them() {
        let axis = Axis::values([0.31, 0.68].into_iter(), Unit::Share);
        assert_eq!(
            (axis.range.start, axis.range.end),
            (0.30000000000000004, 0.7000000000000001)
        );
        assert_eq!(axis.tick(axis.ticks[1]), "40%");
        let axis = Axis::values([0.02, 2.3].into_iter(), Unit::Nats);
        assert_eq!((axis.range.start, axis.range.end), (0.0, 2.5));
        assert_eq!(axis.tick(axis.ticks[1]), "0.5");
    }

    #[test]
    fn one_value_or_none_still_makes_an_axis() {
        let perfect = Axis::values([1.0].into_iter(), Unit::Share);
        assert!(perfect.range.start < 1.0 && perfect.range.end == 1.0);
        let zero = Axis::values([0.0].into_iter(), Unit::Nats);
        assert!(zero.range.start == 0.0 && zero.range.end > 0.0);
        let none = Axis::values([].into_iter(), Unit::Nats);
        assert_eq!((none.range.start, none.range.end), (0.0, 1.0));
        let vast = Axis::values([1.0, 1e30].into_iter(), Unit::Nats);
        assert!(vast.ticks.len() < 9 && vast.tick(vast.ticks[1]).len() < 6);
    }
}
