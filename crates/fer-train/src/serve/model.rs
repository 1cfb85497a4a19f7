use fer_model::Classifier;
use fer_model::file::{Abstention, Calibration, Judged, Preprocessing, TrainingSummary};
use serde::Serialize;

use crate::serve::Settings;

/// The share of wrong answers at which the page lets a model abstain.
const RISK: f64 = 0.1;

/// What a model says of itself: `GET /model`.
#[derive(Serialize)]
pub(super) struct About<'a> {
    built_in: bool,
    network: &'a str,
    classes: Vec<&'a str>,
    preprocessing: &'a Preprocessing,
    training: &'a TrainingSummary,
    judged: Option<&'a Judged>,
    /// What makes its probabilities honest; null where they are taken as they are.
    calibration: Option<&'a Calibration>,
    /// How sure it must be for how much risk; null where that was not measured.
    abstention: Option<&'a Abstention>,
    unsure: Unsure,
    /// The most bytes that a picture's file may have.
    largest_body: usize,
}

/// When the page says that the model is unsure.
#[derive(Serialize)]
#[serde(untagged)]
enum Unsure {
    Below {
        risk: f64,
        threshold: f64,
        coverage: f64,
    },
    Never {
        risk: f64,
        reason: String,
    },
}

impl<'a> About<'a> {
    pub(super) fn of(classifier: &'a Classifier, settings: &Settings) -> Self {
        let description = classifier.description();
        let unsure = match classifier.at_risk(RISK) {
            Ok(step) => Unsure::Below {
                risk: RISK,
                threshold: step.threshold,
                coverage: step.coverage,
            },
            Err(error) => Unsure::Never {
                risk: RISK,
                reason: error.to_string(),
            },
        };
        About {
            built_in: settings.built_in,
            network: description.architecture.name(),
            classes: description.classes.iter().collect(),
            preprocessing: &description.preprocessing,
            training: &description.training,
            judged: description.judged.as_ref(),
            calibration: description.calibration.as_ref(),
            abstention: description.abstention.as_ref(),
            unsure,
            largest_body: settings.limits.body,
        }
    }
}
