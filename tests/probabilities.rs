//! What probabilities are worth, against scikit-learn, scipy, numpy and cleanlab;
//! oracle/probabilities.py made the numbers.

use fer_data::{ClassNames, Split};
use fer_train::hard::{Hard, LabelErrors};
use fer_train::metrics::{Metrics, Reliability, RiskCurve, VoteAgreement};
use fer_train::predictions::{JudgedPicture, Predictions};
use serde::Deserialize;

const TOLERANCE: f64 = 1e-6;

/// One case, named as in the script.
#[derive(Deserialize)]
struct Case {
    name: String,
    classes: usize,
    labels: Vec<usize>,
    log_probabilities: Vec<Vec<f32>>,
    votes: Vec<Vec<f32>>,
    brier: f64,
    nll: f64,
    mce: f64,
    bins: Vec<(u64, f64, f64)>,
    curve: Vec<(u64, u64)>,
    aurc: f64,
    agreement: Agreement,
    thresholds: Vec<Option<f64>>,
    doubted: Vec<usize>,
}

#[derive(Deserialize)]
struct Agreement {
    jensen_shannon: f64,
    kullback_leibler: f64,
    cosine: f64,
    vote_share: f64,
    voted_for: f64,
    most_voted: f64,
    entropy: f64,
}

impl Case {
    fn predicted(&self, place: usize) -> usize {
        fer_model::most_probable(&self.log_probabilities[place])
    }

    fn curve(&self) -> RiskCurve {
        let rows = self.log_probabilities.iter().zip(&self.labels).enumerate();
        RiskCurve::new(rows.map(|(place, (row, label))| {
            let predicted = self.predicted(place);
            (f64::from(row[predicted].exp()), predicted == *label)
        }))
    }

    fn label_errors(&self) -> LabelErrors {
        let names = (0..self.classes).map(|class| format!("class {class}"));
        let class_names = ClassNames::new(names).unwrap();
        let rows = self.log_probabilities.concat();
        let mut metrics = Metrics::new(&class_names);
        metrics
            .update(&self.labels, &vec![0.0; rows.len()], &rows)
            .unwrap();
        let pictures = self.labels.iter().enumerate();
        let pictures = pictures.map(|(place, &label)| JudgedPicture {
            picture: place.to_string(),
            split: Split::Test,
            label,
            predicted: self.predicted(place),
            copy_of_train: false,
            votes_entropy: None,
            probabilities: self.log_probabilities[place]
                .iter()
                .map(|log| log.exp())
                .collect(),
        });
        let predictions = Predictions {
            pictures: pictures.collect(),
            class_names,
        };
        let hard = Hard::new(&metrics.compute("test", false), &predictions, |_| false);
        hard.label_errors.unwrap()
    }
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("oracle/probabilities.json")).unwrap()
}

#[track_caller]
fn near(case: &Case, what: &str, ours: f64, theirs: f64) {
    let name = &case.name;
    assert!(
        (ours - theirs).abs() <= TOLERANCE,
        "{name}: {what} {ours}, expected {theirs}"
    );
}

#[test]
fn brier_likelihood_and_bins_are_scikit_learns() {
    for case in cases() {
        let rows = case.log_probabilities.concat();
        let ours = Reliability::new(&case.labels, &rows, case.classes);
        near(&case, "Brier", ours.brier, case.brier);
        near(&case, "likelihood", ours.nll, case.nll);
        near(&case, "largest gap", ours.mce, case.mce);
        let filled = ours.bins.iter().filter(|bin| bin.n > 0);
        let filled: Vec<_> = filled.collect();
        assert_eq!(filled.len(), case.bins.len(), "{}", case.name);
        for (bin, &(n, accuracy, confidence)) in filled.into_iter().zip(&case.bins) {
            assert_eq!(bin.n, n, "{}", case.name);
            near(&case, "bin's accuracy", bin.accuracy.unwrap(), accuracy);
            near(
                &case,
                "bin's confidence",
                bin.confidence.unwrap(),
                confidence,
            );
        }
    }
}

#[test]
fn the_curve_of_risk_and_its_area_are_numpys() {
    for case in cases() {
        let curve = case.curve();
        let levels = curve.levels().iter();
        let levels: Vec<(u64, u64)> = levels.map(|level| (level.answered, level.wrong)).collect();
        assert_eq!(levels, case.curve, "{}", case.name);
        near(&case, "area", curve.area(), case.aurc);
        let report = curve.report();
        let last = report.points.last().unwrap();
        let wrong = case.curve.last().unwrap().1;
        near(
            &case,
            "risk",
            last.risk,
            wrong as f64 / case.labels.len() as f64,
        );
    }
}

#[test]
fn agreement_with_votes_is_scipys() {
    for case in cases() {
        let shares: Vec<Vec<f32>> = case
            .votes
            .iter()
            .map(|votes| votes.iter().map(|vote| vote / 10.0).collect())
            .collect();
        let pictures = shares.iter().zip(&case.log_probabilities);
        let ours = VoteAgreement::new(pictures.map(|(votes, row)| (&votes[..], &row[..]))).unwrap();
        let theirs = &case.agreement;
        for (what, ours, theirs) in [
            ("Jensen-Shannon", ours.jensen_shannon, theirs.jensen_shannon),
            (
                "Kullback-Leibler",
                ours.kullback_leibler,
                theirs.kullback_leibler,
            ),
            ("cosine", ours.cosine, theirs.cosine),
            ("vote share", ours.vote_share, theirs.vote_share),
            ("voted for", ours.voted_for, theirs.voted_for),
            ("most voted", ours.most_voted, theirs.most_voted),
            ("entropy", ours.entropy, theirs.entropy),
        ] {
            near(&case, what, ours, theirs);
        }
    }
}

#[test]
fn doubted_labels_are_cleanlabs() {
    for case in cases() {
        let ours = case.label_errors();
        for (found, expected) in ours.thresholds.iter().zip(&case.thresholds) {
            assert_eq!(
                found.threshold.is_some(),
                expected.is_some(),
                "{}",
                case.name
            );
            let (found, expected) = (found.threshold.unwrap_or(0.0), expected.unwrap_or(0.0));
            near(&case, "threshold", found, expected);
        }
        assert_eq!(ours.count, case.doubted.len() as u64, "{}", case.name);
        assert!(ours.count > 0, "{}", case.name);
        for picture in &ours.pictures {
            assert!(case.doubted.contains(&picture.picture), "{}", case.name);
        }
        let falling = ours.pictures.windows(2);
        assert!(
            falling
                .into_iter()
                .all(|pair| pair[0].self_confidence <= pair[1].self_confidence)
        );
    }
}

#[test]
fn the_cases_can_tell_the_definitions_apart() {
    let cases = cases();
    for case in &cases {
        assert!((case.agreement.voted_for - case.agreement.most_voted).abs() > 0.01);
        assert!(
            case.curve.len() < case.labels.len(),
            "some are equally sure"
        );
        let wrong =
            (0..case.labels.len()).filter(|&place| case.predicted(place) != case.labels[place]);
        assert!(
            wrong.count() > case.doubted.len(),
            "doubt is more than a mistake"
        );
    }
    assert!(cases.iter().any(|case| case.thresholds.contains(&None)));
    let mut bins = cases.iter().flat_map(|case| &case.bins);
    assert!(bins.any(|bin| bin.1 > bin.2) && bins.any(|bin| bin.1 < bin.2));
}
