//! Temperatures against scipy's and calibration errors against numpy's; oracle/calibration.py made the
//! numbers.

use fer_data::ClassNames;
use fer_train::calibration::{fit_temperature, rescale};
use fer_train::metrics::Metrics;
use serde::Deserialize;

/// One case, named as in the script.
#[derive(Deserialize)]
struct Case {
    name: String,
    classes: usize,
    labels: Vec<usize>,
    log_probabilities: Vec<Vec<f32>>,
    temperature: f64,
    loss: f64,
    calibrated_loss: f64,
    ece: f64,
    calibrated_ece: f64,
}

impl Case {
    fn rows(&self) -> Vec<f32> {
        self.log_probabilities.concat()
    }

    fn metrics(&self, rows: &[f32]) -> Metrics {
        let names = (0..self.classes).map(|class| format!("class {class}"));
        let mut metrics = Metrics::new(&ClassNames::new(names).unwrap());
        let row = |&label: &usize| (0..self.classes).map(move |class| f32::from(class == label));
        let targets: Vec<f32> = self.labels.iter().flat_map(row).collect();
        metrics.update(&self.labels, &targets, rows).unwrap();
        metrics
    }
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("oracle/calibration.json")).unwrap()
}

#[track_caller]
fn near(case: &Case, what: &str, ours: f64, theirs: f64, tolerance: f64) {
    let distance = (ours - theirs).abs();
    let name = &case.name;
    assert!(
        distance <= tolerance,
        "{name}: {what} {ours}, expected {theirs}"
    );
}

#[test]
fn the_temperature_is_scipys() {
    for case in cases() {
        let ours = fit_temperature(&case.labels, &case.rows(), case.classes).unwrap();
        near(&case, "temperature", ours, case.temperature, 1e-6 * ours);
    }
}

#[test]
fn loss_and_calibration_error_are_numpys_before_and_after() {
    for case in cases() {
        let before = case.metrics(&case.rows()).probabilities();
        near(&case, "loss", before.loss, case.loss, 1e-6);
        near(&case, "error", before.ece, case.ece, 1e-6);
        let rows = rescale(&case.rows(), case.classes, case.temperature);
        let after = case.metrics(&rows).probabilities();
        near(&case, "loss after", after.loss, case.calibrated_loss, 1e-6);
        near(&case, "error after", after.ece, case.calibrated_ece, 1e-6);
        assert!(after.loss < before.loss, "{}", case.name);
        assert_ne!(after.ece, before.ece, "{}", case.name);
    }
}

#[test]
fn no_temperature_changes_a_prediction() {
    for case in cases() {
        let plain = case.metrics(&case.rows());
        for temperature in [0.1, case.temperature, 10.0] {
            let rows = rescale(&case.rows(), case.classes, temperature);
            assert_eq!(case.metrics(&rows).confusion(), plain.confusion());
        }
    }
}
