//! How far probabilities can be taken at their word: what `calibration` holds in `metrics.json`.

use fer_model::most_probable;
use serde::{Deserialize, Serialize};

use super::{BrierScore, CalibrationError, ReliabilityBin};

/// The calibration of a model's probabilities, with its temperature and without.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalibrationReport {
    /// That of the probabilities which the model gives, at its temperature where it has one; in JSON
    /// beside the other.
    #[serde(flatten)]
    pub given: Reliability,
    /// That of the logits as they are; absent for a model without a temperature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without_temperature: Option<Reliability>,
}

/// How near probabilities are to the truth, and how near what they claim is to what is right.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reliability {
    /// See [`BrierScore`].
    pub brier: f64,
    /// The mean negative logarithm of the label's probability, in nats, at least 0; scikit-learn's
    /// `log_loss(labels, probabilities)`. It differs from the loss where targets are shares of votes.
    pub nll: f64,
    /// The expected calibration error, in [0, 1]; see [`CalibrationError`].
    pub ece: f64,
    /// The maximum calibration error, in [0, 1]; see [`CalibrationError::maximum`].
    pub mce: f64,
    /// The bins of both errors, from the least sure pictures to the surest.
    pub bins: Vec<ReliabilityBin>,
}

impl Reliability {
    /// Of these answers.
    ///
    /// - `labels`: (n), the true classes;
    /// - `log_probabilities`: (n, classes) row-major, natural logarithms, finite.
    ///
    /// # Panics
    /// Where the lengths do not fit together or a label is no class.
    pub fn new(labels: &[usize], log_probabilities: &[f32], classes: usize) -> Self {
        assert_eq!(log_probabilities.len(), labels.len() * classes, "lengths");
        let mut brier = BrierScore::default();
        let mut error = CalibrationError::default();
        let mut likelihood = 0.0;
        for (&label, row) in labels.iter().zip(log_probabilities.chunks_exact(classes)) {
            brier.add(label, row);
            likelihood -= f64::from(row[label]);
            let class = most_probable(row);
            error.add(f64::from(row[class]).exp(), class == label);
        }
        Reliability {
            brier: brier.mean(),
            nll: likelihood / labels.len().max(1) as f64,
            ece: error.value(),
            mce: error.maximum(),
            bins: error.bins(),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn reliability() -> Reliability {
        let rows = [0.7_f32, 0.3, 0.2, 0.8, 0.6, 0.4].map(f32::ln);
        Reliability::new(&[0, 1, 1], &rows, 2)
    }

    #[test]
    fn each_figure_is_its_own() {
        let found = reliability();
        let near = |ours: f64, expected: f64| assert!((ours - expected).abs() < 1e-6, "{ours}");
        near(found.brier, 2.0 * (0.09 + 0.04 + 0.36) / 3.0);
        near(
            found.nll,
            -(0.7_f64.ln() + 0.8_f64.ln() + 0.4_f64.ln()) / 3.0,
        );
        near(found.ece, (0.3 + 0.2 + 0.6) / 3.0);
        near(found.mce, 0.6);
        assert_eq!(found.bins.iter().map(|bin| bin.n).sum::<u64>(), 3);
    }

    #[test]
    fn both_stand_side_by_side_in_json_and_come_back() {
        let report = CalibrationReport {
            given: reliability(),
            without_temperature: Some(Reliability::new(&[], &[], 2)),
        };
        let json = serde_json::to_string(&report).unwrap();
        assert!(json.starts_with(r#"{"brier":"#), "{json}");
        assert!(
            json.contains(r#""without_temperature":{"brier":0.0,"nll":0.0,"#),
            "{json}"
        );
        assert!(
            json.contains(r#""n":0,"accuracy":null,"confidence":null}"#),
            "{json}"
        );
        let read: CalibrationReport = serde_json::from_str(&json).unwrap();
        assert_eq!(read, report);
    }
}
