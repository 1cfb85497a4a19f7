//! The temperature that makes a network's probabilities honest.
//!
//! A network that was trained to the end is surer than it is right. Dividing its logits by one number
//! mends most of that and changes no prediction: Chuan Guo, Geoff Pleiss, Yu Sun, Kilian Q.
//! Weinberger, On Calibration of Modern Neural Networks, ICML 2017. [`fit_temperature`] finds the
//! number, [`rescale`] applies it to what was computed already, and
//! [`Calibration`](fer_model::file::Calibration) carries it in the model file.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use fer_data::DataError;
use serde::{Deserialize, Serialize};

/// Temperatures are looked for here.
pub const TEMPERATURES: RangeInclusive<f64> = 0.1..=10.0;

/// A temperature of fewer pictures would be theirs alone.
pub const LEAST_PICTURES: usize = 20;

/// Where a run takes its temperature from, and how sure its network must be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CalibrationSettings {
    /// A temperature found with another network, 0.1 to 10, which answers by the views of
    /// `output.views`. Default absent: it is fitted on the validation pictures, where there
    /// are some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// In words, with which network and pictures that temperature was found; for the model card.
    /// Default empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub from: String,
    /// The model file of another network, trained in the same way, that tells how sure this one must be
    /// to keep a risk; see [`Abstention`](fer_model::file::Abstention). Default absent: it is measured on
    /// the validation pictures, where there are some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abstention: Option<PathBuf>,
}

impl CalibrationSettings {
    /// Checks every range.
    ///
    /// # Errors
    /// [`DataError::Setting`], naming the setting out of range.
    pub fn check(&self) -> Result<(), DataError> {
        if self.temperature.is_none() && !self.from.is_empty() {
            return Err(DataError::Setting {
                name: "calibration.from",
                value: self.from.clone(),
                expected: "absent without calibration.temperature, whose origin it names",
            });
        }
        let usable = |temperature: f64| TEMPERATURES.contains(&temperature);
        match self.temperature.filter(|&temperature| !usable(temperature)) {
            None => Ok(()),
            Some(temperature) => Err(DataError::Setting {
                name: "calibration.temperature",
                value: temperature.to_string(),
                expected: "0.1 to 10",
            }),
        }
    }
}

/// The temperature in [`TEMPERATURES`] with the least mean negative log-likelihood of the labels;
/// 1 where every temperature does equally well, `None` where there is no picture and where the least
/// loss lies outside the range: near 0 where every picture is right, at infinity where a network is
/// worse than chance.
///
/// - `labels`: (n), the true classes;
/// - `log_probabilities`: (n, classes) row-major, the network's log-softmax or its logits.
///
/// The loss is convex in s = 1 / temperature, with derivative mean(Σ p·z − z of the label) and second
/// derivative mean(variance of z under p), p = softmax(s·z): Newton's steps, and where one would leave
/// the interval that is known to hold the zero, its middle. The same bits each time.
///
/// # Panics
/// Where the lengths do not fit together or a label is not below `classes`.
pub fn fit_temperature(labels: &[usize], log_probabilities: &[f32], classes: usize) -> Option<f64> {
    assert_eq!(log_probabilities.len(), labels.len() * classes, "lengths");
    if labels.is_empty() {
        return None;
    }
    let slope = |scale: f64| slope(labels, log_probabilities, classes, scale);
    let (mut low, mut high) = (1.0 / TEMPERATURES.end(), 1.0 / TEMPERATURES.start());
    match (slope(low).0 >= 0.0, slope(high).0 <= 0.0) {
        (true, true) => return Some(1.0),
        (true, false) | (false, true) => return None,
        (false, false) => (),
    }
    let mut scale = 1.0;
    // Halving alone needs fewer steps than this to get to neighbouring numbers.
    for _ in 0..64 {
        let (first, second) = slope(scale);
        if first > 0.0 {
            high = scale;
        } else {
            low = scale;
        }
        let newton = scale - first / second;
        let next = match low < newton && newton < high {
            true => newton,
            false => 0.5 * (low + high),
        };
        let is_there = (next - scale).abs() <= 1e-14 * scale;
        scale = next;
        if is_there {
            break;
        }
    }
    Some(1.0 / scale)
}

/// The loss's first and second derivative by the scale, summed over pictures.
fn slope(labels: &[usize], rows: &[f32], classes: usize, scale: f64) -> (f64, f64) {
    let (mut first, mut second) = (0.0, 0.0);
    for (&label, row) in labels.iter().zip(rows.chunks_exact(classes)) {
        let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let (mut sum, mut mean, mut square) = (0.0, 0.0, 0.0);
        for &value in row {
            let value = f64::from(value) - f64::from(largest);
            let weight = (scale * value).exp();
            sum += weight;
            mean += weight * value;
            square += weight * value * value;
        }
        let (mean, square) = (mean / sum, square / sum);
        first += mean - (f64::from(row[label]) - f64::from(largest));
        second += square - mean * mean;
    }
    (first, second)
}

/// Log-probabilities at another temperature: the log-softmax of `log_probabilities / temperature`,
/// which is that of the logits divided by it. Shape (n, classes) row-major, in and out.
pub fn rescale(log_probabilities: &[f32], classes: usize, temperature: f64) -> Vec<f32> {
    let mut rescaled = Vec::with_capacity(log_probabilities.len());
    for row in log_probabilities.chunks_exact(classes) {
        let scaled = row.iter().map(|&value| f64::from(value) / temperature);
        let largest = scaled.clone().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = scaled.clone().map(|value| (value - largest).exp()).sum();
        rescaled.extend(scaled.map(|value| (value - largest - sum.ln()) as f32));
    }
    rescaled
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn no_picture_gives_no_temperature_and_no_difference_gives_1() {
        assert_eq!(fit_temperature(&[0, 2], &[-1.1; 6], 3), Some(1.0));
        assert_eq!(fit_temperature(&[], &[], 3), None);
    }

    #[test]
    fn where_every_picture_is_right_or_every_one_is_wrong_there_is_none() {
        let sure = [-0.001, -7.0, -8.0, -7.5, -0.001, -9.0];
        assert_eq!(fit_temperature(&[0, 1], &sure, 3), None);
        assert_eq!(fit_temperature(&[1, 0], &sure, 3), None);
    }

    #[test]
    fn sharper_rows_get_a_temperature_as_many_times_as_high() {
        let rows: Vec<f32> = (0..60)
            .map(|place| ((place * 37 % 23) as f32 - 11.0) / 4.0)
            .collect();
        let labels: Vec<usize> = (0..20).map(|row| row * 7 % 3).collect();
        let plain = fit_temperature(&labels, &rows, 3).unwrap();
        let doubled: Vec<f32> = rows.iter().map(|value| 2.0 * value).collect();
        let sharp = fit_temperature(&labels, &doubled, 3).unwrap();
        assert!(0.1 < plain && sharp < 10.0, "{plain} {sharp}");
        assert!((sharp / plain - 2.0).abs() < 1e-9, "{plain} {sharp}");
    }

    #[test]
    fn rows_at_another_temperature_sum_to_1_and_keep_their_order() {
        let row = [-0.2_f32, -3.0, -2.0];
        let cooler = rescale(&row, 3, 2.0);
        let sum: f64 = cooler.iter().map(|&value| f64::from(value).exp()).sum();
        assert!((sum - 1.0).abs() < 1e-6);
        assert!(cooler[0] > cooler[2] && cooler[2] > cooler[1]);
        assert!(cooler[0] < rescale(&row, 3, 1.0)[0]);
    }

    #[test]
    fn a_temperature_that_nothing_can_be_divided_by_is_refused_by_name() {
        for temperature in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-40, 0.05, 20.0] {
            let settings = CalibrationSettings {
                temperature: Some(temperature),
                ..CalibrationSettings::default()
            };
            let error = settings.check().unwrap_err().to_string();
            assert!(error.contains("calibration.temperature"), "{error}");
        }
        assert!(CalibrationSettings::default().check().is_ok());
        let settings = CalibrationSettings {
            from: "elsewhere".into(),
            ..CalibrationSettings::default()
        };
        let error = settings.check().unwrap_err().to_string();
        assert!(error.contains("calibration.from"), "{error}");
    }
}
