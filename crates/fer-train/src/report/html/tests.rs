use fer_data::{ClassNames, Split};
use serde_json::{Value, json};

use super::*;
use crate::metrics::{
    ConfusionMatrix, GroupReport, JudgedPictures, PairedDifference, ProbabilityScore,
};
use crate::predictions::{JudgedPicture, Predictions};
use crate::report::gallery::Gallery;

/// A name that is markup, ends data and breaks attributes.
const NAME: &str = "</script><script>alert(\"1\")</script><img src=x onerror='y'>";

fn names() -> ClassNames {
    ClassNames::new([NAME, "contempt"]).unwrap()
}

/// Of forty pictures the last four mistaken.
fn judged() -> (Vec<usize>, Vec<usize>) {
    let labels: Vec<usize> = (0..40).map(|picture| picture % 2).collect();
    let predicted = labels.iter().enumerate();
    let predicted = predicted.map(|(picture, &label)| if picture < 36 { label } else { 1 - label });
    let predicted = predicted.collect();
    (labels, predicted)
}

fn report() -> Report {
    let (labels, predicted) = judged();
    let mut confusion = ConfusionMatrix::new(2);
    for (&label, &predicted) in labels.iter().zip(&predicted) {
        confusion.add(label, predicted);
    }
    let score = ProbabilityScore {
        loss: 0.5,
        ece: 0.25,
    };
    let values: Vec<Option<&str>> = (0..40)
        .map(|one| Some(if one < 35 { NAME } else { "b" }))
        .collect();
    let judged = JudgedPictures {
        labels: &labels,
        predicted: &predicted,
        subjects: &[None; 40],
        classes: 2,
    };
    let mut report = Report::new("test", &names(), &confusion, score, true);
    report.groups = vec![GroupReport::new(NAME, &values, judged)];
    report
}

fn predictions() -> Predictions {
    let (labels, predicted) = judged();
    let pictures = labels.iter().zip(&predicted).enumerate();
    Predictions {
        class_names: names(),
        pictures: pictures
            .map(|(place, (&label, &predicted))| JudgedPicture {
                picture: format!("{place}{NAME}"),
                split: Split::Test,
                label,
                predicted,
                copy_of_train: false,
                votes_entropy: Some(0.5),
                probabilities: if predicted == 0 {
                    vec![0.75, 0.25]
                } else {
                    vec![0.25, 0.75]
                },
            })
            .collect(),
    }
}

fn explanation() -> Value {
    let agreement = json!({ "rank_correlation": 0.5, "average_precision": 0.5, "overlap": 0.5 });
    let importance = json!({
        "regions": [1.25, 0.5], "outside": 0.25, "balance": [0.5, 0.0], "one_sidedness": [0.5, 0.0],
        "agreement": agreement, "random": { "regions": [1.0, 1.0], "agreement": agreement },
    });
    let curve = json!({ "probability": [1.0, 0.5], "area": 0.75 });
    let order = json!({ "deletion": curve, "insertion": curve });
    json!({
        "split": "test", "n": 36,
        "settings": {
            "patch": 8, "stride": 2, "grad_cam_maps": [6, 6], "random_networks": 1,
            "random_pictures": 2, "curve_pictures": 3, "seed": 0,
        },
        "regions": ["mouth", NAME],
        "classes": [
            { "name": NAME, "n": 20, "emfacs": [], "importance": { "occlusion": importance, "grad_cam": importance } },
            { "name": "contempt", "n": 0, "emfacs": ["mouth"] },
        ],
        "curves": { "share": [0.0, 1.0], "occlusion": order, "grad_cam": order, "random": order },
    })
}

fn robustness() -> Value {
    let figures = |accuracy: f64| {
        json!({
            "accuracy": accuracy, "accuracy_interval": { "low": 0.25, "high": 0.75 }, "macro_f1": 0.5,
        })
    };
    let strengths: Vec<Value> = (1..=5)
        .map(|strength| {
            let mut figures = figures(0.75 - 0.125 * f64::from(strength));
            figures["strength"] = json!(strength);
            figures
        })
        .collect();
    json!({
        "split": "test", "n": 40, "seed": 0, "undisturbed": figures(0.875), "mean_accuracy": 0.375,
        "mean_macro_f1": 0.25, "chosen_on_this_split": false,
        "situations": [{
            "name": NAME, "unit": "pixels", "mean_accuracy": 0.375, "mean_macro_f1": 0.25,
            "strengths": strengths,
        }],
    })
}

fn baselines(report: &Report) -> Value {
    let (labels, predicted) = judged();
    let difference = PairedDifference::between(&names(), &labels, &vec![0; 40], &predicted);
    let mut difference = serde_json::to_value(difference).unwrap();
    difference["baseline"] = json!(NAME);
    json!({
        "data": NAME, "data_hash": "", "division_hash": "", "split": "test", "n": 40,
        "trained_on": 100, "class_names": [NAME, "contempt"],
        "methods": [{
            "method": "majority_class", "name": NAME, "report": report, "predicted": vec![0; 40],
        }],
        "against_network": { "compared": {
            "accuracy": report.accuracy, "macro_f1": report.macro_f1, "differences": [difference],
        } },
    })
}

fn audit() -> Value {
    let sides = json!({ "train": 1, "validation": 2, "test": 3 });
    let notice = json!({ "level": "warning", "message": NAME, "remedy": NAME });
    json!({
        "name": NAME, "split_rule": NAME, "pictures": 6, "splits": sides,
        "classes": [{ "name": NAME, "pictures": sides }], "subjects": [], "groups": [],
        "copies": {
            "within": sides, "validation_in_train": 1, "test_in_train": 1, "test_in_validation": 0,
            "groups": 2, "conflicting": [[]],
        },
        "near_copies": { "within": 1, "across": 2, "conflicting": 3 }, "flat": [], "nearly_black": [],
        "skipped_by_reason": { NAME: 3 }, "notes": [notice], "warnings": [notice],
    })
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> Option<T> {
    Some(serde_json::from_value(value).unwrap())
}

/// A directory with everything in it.
fn full() -> Contents {
    let (report, predictions) = (report(), predictions());
    let hard = crate::hard::Hard::new(&report, &predictions, |_| false);
    Contents {
        baselines: read(baselines(&report)),
        gallery: Some((
            Gallery::choose(&predictions, &hard.pictures()),
            vec![1, 2, 3],
        )),
        hard: Some(hard),
        predictions: Some(predictions),
        validation: Some(Report {
            split: "validation".into(),
            ..report.clone()
        }),
        metrics: Some(report),
        samples: Some(vec![1]),
        robustness: read(robustness()),
        explained: Some(Explained {
            explanation: serde_json::from_value(explanation()).unwrap(),
            maps: vec![Some(vec![1]), None],
            regions: Some(vec![1]),
        }),
        audit: read(audit()),
        card: Some(format!("# {NAME}\n\n| {NAME} |\n|---|\n")),
        ..Contents::default()
    }
}

#[test]
fn every_part_is_shown_and_no_name_becomes_markup() {
    let page = page(&full()).unwrap();
    for text in [
        "<strong>90.0\u{a0}%</strong>",
        "Chosen on this split",
        "Of 40 pictures that it was not trained on",
        "Occlusion",
        "In other situations",
        "the network is ahead by",
        "too few to say: fewer than 30",
        "Deletion",
    ] {
        assert!(page.contains(text), "{text} is missing");
    }
    assert_eq!(
        page.matches("class=\"missing\"").count(),
        2,
        "nothing was trained, and nothing is known of the probabilities"
    );
    let starts = |start: &str| page.to_lowercase().matches(start).count();
    assert_eq!(starts("<script"), 2, "the data and the script");
    assert_eq!(starts("</script"), 2);
    assert_eq!(starts("<img"), 3, "the samples, the regions and one map");
}

#[test]
fn what_is_not_there_is_not_shown() {
    let only = |change: fn(&mut Contents)| {
        let mut contents = Contents::default();
        change(&mut contents);
        page(&contents).unwrap()
    };
    let situations = only(|contents| contents.robustness = read(robustness()));
    assert!(situations.contains("Nothing here says yet how often it is right"));
    assert!(situations.contains("the mean over all situations is"));
    assert!(
        only(|contents| contents.metrics = Some(report()))
            .contains("The reliability diagram comes with:")
    );
    assert!(only(|contents| contents.baselines = read(baselines(&report()))).contains("are newer"));
}

#[test]
fn the_policy_names_the_script_by_its_hash() {
    let page = page(&full()).unwrap();
    let script = page.rsplit_once("<script>").unwrap().1;
    let script = script.split_once("</script>").unwrap().0;
    let hash = STANDARD.encode(Sha256::digest(script));
    assert!(page.contains(&format!("script-src 'sha256-{hash}'")));
    assert!(page.contains("default-src 'none'"));
}
