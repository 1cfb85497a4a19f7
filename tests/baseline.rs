//! Histograms of oriented gradients against scikit-image's, linear methods against scikit-learn's;
//! oracle/baseline.py made the numbers.

use fer_train::baseline::{
    FeatureMatrix, Hog, LinearSvm, LogisticRegression, LogisticSettings, Standardisation,
    SvmSettings,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Cases {
    hog: Vec<HogCase>,
    linear: Vec<LinearCase>,
}

#[derive(Deserialize)]
struct HogCase {
    name: String,
    pixels: Vec<u8>,
    orientations: usize,
    cell: usize,
    block: usize,
    features: Vec<f64>,
}

#[derive(Deserialize)]
struct LinearCase {
    name: String,
    classes: usize,
    train: Vec<Vec<f32>>,
    labels: Vec<usize>,
    others: Vec<Vec<f32>>,
    standardisation: Scales,
    logistic: Vec<Logistic>,
    svm: Vec<Svm>,
}

#[derive(Deserialize)]
struct Scales {
    mean: Vec<f64>,
    scale: Vec<f64>,
}

#[derive(Deserialize)]
struct Logistic {
    c: f64,
    weights: Vec<Vec<f64>>,
    intercepts: Vec<f64>,
    log_loss: f64,
    logits: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct Svm {
    c: f64,
    decision_values: Vec<Vec<f64>>,
}

fn cases() -> Cases {
    serde_json::from_str(include_str!("oracle/baseline.json")).unwrap()
}

fn matrix(rows: &[Vec<f32>]) -> FeatureMatrix {
    FeatureMatrix::new(rows[0].len(), rows.concat())
}

/// The largest distance of two lists, number by number.
fn distance(ours: impl IntoIterator<Item = f64>, theirs: &[f64]) -> f64 {
    let ours: Vec<f64> = ours.into_iter().collect();
    assert_eq!(ours.len(), theirs.len());
    let pairs = ours.iter().zip(theirs);
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

fn wide(values: &[f32]) -> impl Iterator<Item = f64> {
    values.iter().copied().map(f64::from)
}

#[test]
fn histograms_of_oriented_gradients_are_scikit_images() {
    for case in cases().hog {
        let hog = Hog {
            orientations: case.orientations,
            cell: case.cell,
            block: case.block,
        };
        assert_eq!(hog.features(), case.features.len(), "{}", case.name);
        let mut ours = vec![f32::NAN; hog.features()];
        hog.write(case.pixels.as_slice().try_into().unwrap(), &mut ours);
        for (place, (ours, theirs)) in wide(&ours).zip(&case.features).enumerate() {
            let distance = (ours - theirs).abs();
            assert!(
                distance <= 1e-6 * theirs.abs(),
                "{}: feature {place} is {ours}, scikit-image {theirs}",
                case.name
            );
        }
        assert!(case.features.iter().any(|&feature| feature > 0.1));
    }
}

#[test]
fn features_are_standardised_as_scikit_learn_does() {
    for case in cases().linear {
        let fitted = Standardisation::fit(&matrix(&case.train));
        let mut others = matrix(&case.others);
        fitted.apply(&mut others);
        let Scales { mean, scale } = &case.standardisation;
        for (row, standardised) in case.others.iter().zip(others.rows()) {
            let scales = mean.iter().zip(scale);
            let expected: Vec<f64> = wide(row)
                .zip(scales)
                .map(|(value, (mean, scale))| (value - mean) / scale)
                .collect();
            assert!(
                distance(wide(standardised), &expected) < 1e-6,
                "{}",
                case.name
            );
        }
    }
}

/// Weights act in 32 bits: they agree to 1e-4, the intercepts, which nothing regularises, to 5e-4, the
/// logits to 1e-3, and what is made least, flat at its minimum, to 1e-6.
#[test]
fn logistic_regression_is_scikit_learns() {
    let settings = LogisticSettings {
        tolerance: 1e-9,
        iterations: 10_000,
    };
    for case in cases().linear {
        let (train, others) = (matrix(&case.train), matrix(&case.others));
        let new = || LogisticRegression::new(&train, &case.labels, case.classes, settings);
        let mut following = new();
        for theirs in &case.logistic {
            for fitted in [new().fit(theirs.c), following.fit(theirs.c)] {
                let model = fitted.unwrap().model;
                let name = format!("{} at C = {}", case.name, theirs.c);
                let weights = distance(model.weights.clone(), &theirs.weights.concat());
                let intercepts = distance(model.intercepts.clone(), &theirs.intercepts);
                assert!(
                    weights < 1e-4 && intercepts < 5e-4,
                    "{name}: {weights} {intercepts}"
                );
                let logits = wide(&model.scores(&others)).collect::<Vec<_>>();
                assert!(distance(logits, &theirs.logits.concat()) < 1e-3, "{name}");
                let penalty = |weights: &[f64]| {
                    let squares: f64 = weights.iter().map(|weight| weight * weight).sum();
                    0.5 * squares / (theirs.c * case.labels.len() as f64)
                };
                let loss = log_loss(&model.scores(&train), &case.labels) + penalty(&model.weights);
                let least = theirs.log_loss + penalty(&theirs.weights.concat());
                assert!((loss - least).abs() < 1e-6, "{name}: {loss} {least}");
            }
        }
    }
}

/// The mean cross-entropy of the softmax of these scores.
fn log_loss(scores: &[f32], labels: &[usize]) -> f64 {
    let classes = scores.len() / labels.len();
    let losses = scores
        .chunks_exact(classes)
        .zip(labels)
        .map(|(row, &label)| {
            let sum: f64 = wide(row).map(f64::exp).sum();
            sum.ln() - f64::from(row[label])
        });
    losses.sum::<f64>() / labels.len() as f64
}

#[test]
fn linear_support_vector_machines_are_scikit_learns() {
    let settings = SvmSettings {
        tolerance: 1e-9,
        passes: 1_000_000,
        seed: 3,
    };
    for case in cases().linear {
        let (train, others) = (matrix(&case.train), matrix(&case.others));
        let new = || LinearSvm::new(&train, &case.labels, case.classes, settings);
        let mut following = new();
        for theirs in &case.svm {
            for fitted in [new().fit(theirs.c), following.fit(theirs.c)] {
                let name = format!("{} at C = {}", case.name, theirs.c);
                assert!(fitted.converged, "{name}");
                let ours = wide(&fitted.model.scores(&others)).collect::<Vec<_>>();
                let distance = distance(ours, &theirs.decision_values.concat());
                assert!(distance < 1e-6, "{name}: {distance}");
            }
        }
    }
}

#[test]
fn the_cases_can_tell_one_c_from_another() {
    for case in cases().linear {
        let [weak, strong] = &case.svm[..] else {
            panic!("two C")
        };
        let strong = strong.decision_values.concat();
        assert!(
            distance(weak.decision_values.concat(), &strong) > 0.05,
            "{}",
            case.name
        );
        let [weak, strong] = &case.logistic[..] else {
            panic!("two C")
        };
        assert!(
            (weak.log_loss - strong.log_loss).abs() > 0.01,
            "{}",
            case.name
        );
    }
}
