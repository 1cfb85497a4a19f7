//! Metrics against scikit-learn's; oracle/sklearn_metrics.py made the numbers.

use fer_data::ClassNames;
use fer_train::metrics::{ClassScore, Metrics, Report};
use serde::Deserialize;

const TOLERANCE: f64 = 1e-6;

/// One case, named as in the script.
#[derive(Deserialize)]
struct Case {
    name: String,
    classes: usize,
    #[serde(rename = "true")]
    truth: Vec<usize>,
    predicted: Vec<usize>,
    probabilities: Vec<Vec<f64>>,
    soft_targets: Vec<Vec<f32>>,
    confusion_matrix: Vec<Vec<u64>>,
    accuracy: f64,
    log_loss: f64,
    soft_log_loss: f64,
    precision: Vec<f64>,
    recall: Vec<f64>,
    f1: Vec<f64>,
    support: Vec<u64>,
    macro_f1: f64,
    macro_f1_all_classes: f64,
    weighted_f1: f64,
    balanced_accuracy: f64,
}

impl Case {
    fn report(&self, targets: &[f32]) -> Report {
        let names = ClassNames::new((0..self.classes).map(|class| format!("class {class}")))
            .expect("distinct names");
        let log_probabilities: Vec<f32> = self
            .probabilities
            .iter()
            .flatten()
            .map(|probability| probability.ln() as f32)
            .collect();
        let mut metrics = Metrics::new(&names);
        metrics
            .update(&self.truth, targets, &log_probabilities)
            .expect("the fixture's probabilities are above zero");
        metrics.compute("test", false)
    }

    fn one_hot(&self) -> Vec<f32> {
        let row = |&label: &usize| (0..self.classes).map(move |class| f32::from(class == label));
        self.truth.iter().flat_map(row).collect()
    }
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("oracle/sklearn_metrics.json")).expect("a whole fixture")
}

#[track_caller]
fn near(case: &str, what: &str, ours: f64, theirs: f64) {
    let distance = (ours - theirs).abs();
    assert!(
        distance <= TOLERANCE,
        "{case}: {what} {ours}, scikit-learn {theirs}"
    );
}

#[test]
fn every_figure_is_scikit_learns() {
    for case in cases() {
        let report = case.report(&case.one_hot());
        assert_eq!(report.n, case.truth.len() as u64, "{}", case.name);
        assert_eq!(
            report.confusion_matrix.rows(),
            case.confusion_matrix,
            "{}",
            case.name
        );
        for (what, ours, theirs) in [
            ("accuracy", report.accuracy, case.accuracy),
            ("loss", report.loss, case.log_loss),
            ("macro F1", report.macro_f1, case.macro_f1),
            ("weighted F1", report.weighted_f1, case.weighted_f1),
            (
                "balanced accuracy",
                report.balanced_accuracy,
                case.balanced_accuracy,
            ),
        ] {
            near(&case.name, what, ours, theirs);
        }
    }
}

#[test]
fn every_class_scores_as_in_scikit_learn() {
    for case in cases() {
        let report = case.report(&case.one_hot());
        assert_eq!(report.classes.len(), case.classes, "{}", case.name);
        for (class, scored) in report.classes.iter().enumerate() {
            let ClassScore {
                precision,
                recall,
                f1,
                support,
            } = scored.score;
            near(
                &case.name,
                &format!("precision {class}"),
                precision,
                case.precision[class],
            );
            near(
                &case.name,
                &format!("recall {class}"),
                recall,
                case.recall[class],
            );
            near(&case.name, &format!("F1 {class}"), f1, case.f1[class]);
            assert_eq!(
                support, case.support[class],
                "{}: support {class}",
                case.name
            );
        }
    }
}

#[test]
fn soft_targets_change_the_loss_as_in_scikit_learn_and_nothing_else() {
    for case in cases() {
        let soft = case.report(&case.soft_targets.concat());
        near(&case.name, "loss", soft.loss, case.soft_log_loss);
        let hard = case.report(&case.one_hot());
        assert_eq!(soft.classes, hard.classes, "{}", case.name);
        assert_eq!(soft.loss == hard.loss, case.classes == 1, "{}", case.name);
    }
}

#[test]
fn the_cases_can_tell_the_definitions_apart() {
    let cases = cases();
    let any = |differs: fn(&Case) -> bool| cases.iter().any(differs);
    let far = |a: f64, b: f64| (a - b).abs() > 0.01;
    assert!(any(|case| case.precision[0] != case.recall[0]));
    assert!(any(|case| case.support.contains(&0) && case.truth.len() > 1));
    assert!(any(
        |case| (0..case.classes).any(|class| !case.predicted.contains(&class))
    ));
    assert!(
        cases
            .iter()
            .any(|case| far(case.macro_f1, case.macro_f1_all_classes))
    );
    assert!(
        cases
            .iter()
            .any(|case| far(case.macro_f1, case.weighted_f1))
    );
    assert!(
        cases
            .iter()
            .any(|case| far(case.balanced_accuracy, case.accuracy))
    );
}
