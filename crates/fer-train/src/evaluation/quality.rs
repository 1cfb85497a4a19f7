//! What a network's answers are worth beyond their count: calibration, risk, agreement with votes.

use std::borrow::Cow;

use fer_data::Dataset;

use super::Evaluation;
use crate::calibration::rescale;
use crate::metrics::{CalibrationReport, Reliability, RiskCurve, VoteAgreement};

impl Evaluation {
    /// The log-probabilities at this temperature, or the network's own, (pictures, classes) row-major.
    pub(super) fn at(&self, temperature: Option<f64>) -> Cow<'_, [f32]> {
        match temperature {
            Some(temperature) => {
                let classes = self.metrics.confusion().classes();
                Cow::Owned(rescale(&self.log_probabilities, classes, temperature))
            }
            None => Cow::Borrowed(&self.log_probabilities),
        }
    }

    /// How far the probabilities can be taken at their word, with the temperature and without.
    pub fn calibration(&self, temperature: Option<f64>) -> CalibrationReport {
        let classes = self.metrics.confusion().classes();
        let of = |temperature| Reliability::new(&self.labels, &self.at(temperature), classes);
        CalibrationReport {
            given: of(temperature),
            without_temperature: temperature.map(|_| of(None)),
        }
    }

    /// The risk of answering at each threshold of the top probability, at this temperature. The
    /// probabilities are of 32 bits, as predictions have them.
    pub fn risk_curve(&self, temperature: Option<f64>) -> RiskCurve {
        let classes = self.metrics.confusion().classes();
        let rows = self.at(temperature);
        let answers = self.labels.iter().zip(&self.predicted);
        RiskCurve::new(
            answers
                .zip(rows.chunks_exact(classes))
                .map(|((label, &predicted), row)| {
                    (f64::from(row[predicted].exp()), predicted == *label)
                }),
        )
    }

    /// How the probabilities at this temperature compare with people's votes; `None` where nobody
    /// voted on any of the pictures.
    pub fn vote_agreement(
        &self,
        dataset: &Dataset,
        temperature: Option<f64>,
    ) -> Option<VoteAgreement> {
        let classes = self.metrics.confusion().classes();
        let rows = self.at(temperature);
        let pictures = self.indices.iter().zip(rows.chunks_exact(classes));
        VoteAgreement::new(pictures.filter_map(|(&index, row)| Some((dataset.votes(index)?, row))))
    }
}
