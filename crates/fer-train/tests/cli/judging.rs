use std::fs;
use std::path::Path;

use fer_train::hard::Hard;
use fer_train::predictions::Predictions;
use serde_json::Value;

use crate::{fer, small_run, small_table, stderr, stdout};

const DATA: [&str; 4] = ["--data", "fer2013.csv", "--ferplus", "fer2013new.csv"];

/// What a run and `evaluate --out` both leave.
const LEFT: [&str; 11] = [
    "metrics.json",
    "predictions.csv",
    "hard.json",
    "confusion_matrix.csv",
    "confusion_matrix.svg",
    "confusion_matrix.png",
    "reliability.svg",
    "reliability.png",
    "coverage.svg",
    "coverage.png",
    "samples.png",
];

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// What a model file says of itself.
fn description(model: &Path) -> Value {
    let bytes = fs::read(model).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    serde_json::from_str(header["__metadata__"]["fer"].as_str().unwrap()).unwrap()
}

fn evaluate(at: &Path, model: &str, out: &str) -> String {
    let output = fer(
        at,
        &[&["evaluate", model, "--out", out], &DATA[..]].concat(),
    );
    assert!(output.status.success(), "{}", stderr(&output));
    stdout(&output)
}

#[test]
fn evaluate_leaves_what_the_run_left_and_nothing_else_changes() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_table(at);
    small_run(at, "run", &[]);
    let model = "run/model.safetensors";
    let before = fs::read(at.join(model)).unwrap();
    let said = evaluate(at, model, "elsewhere/results");
    assert!(
        said.contains("\nhardest     ") && said.contains(" taken for "),
        "{said}"
    );
    assert!(said.contains("results     elsewhere/results"), "{said}");
    let read = |folder: &str, name: &str| fs::read(at.join(folder).join(name)).unwrap();
    for name in LEFT {
        assert_eq!(read("run", name), read("elsewhere/results", name), "{name}");
    }
    fs::write(at.join("run/hard.json"), "torn").unwrap();
    evaluate(at, model, "run");
    assert_eq!(
        read("run", "hard.json"),
        read("elsewhere/results", "hard.json")
    );
    assert_eq!(fs::read(at.join(model)).unwrap(), before);

    fs::create_dir(at.join("thesis")).unwrap();
    fs::write(at.join("thesis/chapter.tex"), "").unwrap();
    let refused = fer(
        at,
        &[&["evaluate", model, "--out", "thesis"], &DATA[..]].concat(),
    );
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        stderr(&refused).contains("holds chapter.tex but neither"),
        "{}",
        stderr(&refused)
    );
    assert_eq!(fs::read_dir(at.join("thesis")).unwrap().count(), 1);
}

#[test]
fn the_files_of_a_run_tell_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_table(at);
    small_run(at, "run", &[]);
    let run = at.join("run");
    let metrics = json(&run.join("metrics.json"));
    let predictions = Predictions::open(&run.join("predictions.csv")).unwrap();
    let pictures = &predictions.pictures;
    assert_eq!(metrics["n"], pictures.len());
    let right = pictures.iter().filter(|picture| picture.is_right()).count();
    assert_eq!(metrics["accuracy"], right as f64 / pictures.len() as f64);
    assert!(
        pictures
            .iter()
            .all(|picture| picture.votes_entropy == Some(0.0)),
        "ten votes for one class"
    );
    assert_eq!(metrics["votes"]["n"], pictures.len());
    assert_eq!(metrics["votes"]["most_voted"], metrics["accuracy"]);

    let calibration = &metrics["calibration"];
    assert_eq!(calibration["ece"], metrics["ece"]);
    assert_eq!(
        calibration["nll"], metrics["loss"],
        "targets are the labels"
    );
    assert_eq!(
        calibration["without_temperature"]["ece"],
        metrics["uncalibrated"]["ece"]
    );
    assert_ne!(
        calibration["without_temperature"]["brier"],
        calibration["brier"]
    );
    let counted = calibration["bins"].as_array().unwrap().iter();
    let counted: u64 = counted.map(|bin| bin["n"].as_u64().unwrap()).sum();
    assert_eq!(counted, pictures.len() as u64);
    let all = metrics["coverage"]["points"]
        .as_array()
        .unwrap()
        .last()
        .unwrap();
    assert_eq!(all["coverage"], 1.0);
    let risk = all["risk"].as_f64().unwrap();
    assert!((risk + metrics["accuracy"].as_f64().unwrap() - 1.0).abs() < 1e-12);

    let hard: Hard = serde_json::from_value(json(&run.join("hard.json"))).unwrap();
    let worst = &hard.confident_mistakes[0];
    let row = &pictures[worst.picture];
    assert_eq!(f64::from(row.probability()), worst.probability);
    let surest = pictures.iter().filter(|picture| !picture.is_right());
    assert!(
        surest
            .clone()
            .all(|picture| picture.probability() <= row.probability())
    );
    let confusion = &hard.confusions_by_count[0];
    let names = &predictions.class_names;
    let same = surest.filter(|picture| {
        names.name(picture.label) == confusion.label
            && names.name(picture.predicted) == confusion.predicted
    });
    assert_eq!(same.count() as u64, confusion.count);
    assert_eq!(
        hard.label_errors.unwrap().n,
        pictures.len() as u64,
        "none of them trained it"
    );
}

/// Drawn faces as files.
fn faces(at: &Path, count: usize) -> Vec<String> {
    let faces = fer_data::drawn::DrawnFaces::new(3);
    let face = |index: usize| {
        let name = format!("face{index}.png");
        let pixels = faces.draw(11 * index).pixels;
        image::GrayImage::from_raw(48, 48, pixels)
            .unwrap()
            .save(at.join(&name))
            .unwrap();
        name
    };
    (0..count).map(face).collect()
}

#[test]
fn below_the_threshold_of_a_risk_predict_is_unsure_and_without_one_it_always_answers() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_table(at);
    small_run(at, "run", &["--validation-fraction", "0.4"]);
    let model = "run/model.safetensors";
    let steps = description(&at.join(model))["abstention"]["steps"].clone();
    let last = steps.as_array().unwrap().last().unwrap().clone();
    let threshold = last["threshold"].as_f64().unwrap();
    assert!(threshold > 0.0, "{steps}");
    let faces = faces(at, 30);
    let faces: Vec<&str> = faces.iter().map(String::as_str).collect();
    let predict = |more: &[&str]| fer(at, &[&["predict", "--model", model], more, &faces].concat());

    let risk = last["risk"].to_string();
    let output = predict(&["--json", "--abstain-risk", &risk]);
    assert!(output.status.success() && stderr(&output).starts_with("unsure      below "));
    let answers: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let answers = answers.as_array().unwrap();
    let highest = |answer: &Value| {
        let probabilities = answer["probabilities"].as_object().unwrap().values();
        probabilities
            .map(|it| it.as_f64().unwrap())
            .fold(0.0, f64::max)
    };
    for answer in answers {
        let is_unsure = highest(answer) < threshold;
        assert_eq!(answer["expression"].is_null(), is_unsure, "{answer}");
        assert_eq!(
            answer.get("abstained"),
            is_unsure.then_some(&Value::Bool(true))
        );
    }
    let unsure = answers
        .iter()
        .filter(|answer| answer["expression"].is_null())
        .count();
    assert!(
        0 < unsure && unsure < answers.len(),
        "{unsure} of {}",
        answers.len()
    );
    let said = stdout(&predict(&["--abstain-risk", &risk]));
    assert_eq!(said.matches(".png: unsure (").count(), unsure, "{said}");

    for more in [&["--json"][..], &["--json", "--abstain-risk", "1"]] {
        let said = stdout(&predict(more));
        assert!(
            !said.contains("null,\n    \"abstained\"") && !said.contains("abstained"),
            "{said}"
        );
    }
    let none = predict(&["--abstain-risk", "0"]);
    let words = "no threshold kept the share of wrong answers at 0";
    assert_eq!(none.status.code(), Some(1));
    assert!(stderr(&none).contains(words), "{}", stderr(&none));
    let wrong = predict(&["--abstain-risk", "5"]);
    assert_eq!(wrong.status.code(), Some(2), "{}", stderr(&wrong));
}

#[test]
fn how_sure_a_model_must_be_is_carried_over_by_a_setting_or_into_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_table(at);
    small_run(at, "measured", &["--validation-fraction", "0.4"]);
    small_run(at, "plain", &["--validation-fraction", "0"]);
    let (measured, plain) = ("measured/model.safetensors", "plain/model.safetensors");
    assert!(description(&at.join(plain)).get("abstention").is_none());
    let face = faces(at, 1).remove(0);
    let predict = |model: &str| {
        fer(
            at,
            &["predict", "--model", model, "--abstain-risk", "1", &face],
        )
    };
    let refused = predict(plain);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        stderr(&refused).contains("`fer-train calibrate` adds it"),
        "{}",
        stderr(&refused)
    );

    let calibrate = |model: &str, out: &str, more: &[&str]| {
        fer(at, &[&["calibrate", model, "--out", out], more].concat())
    };
    let without = calibrate(plain, "never", &DATA);
    assert!(
        stderr(&without).contains("kept 0 pictures for validation"),
        "{}",
        stderr(&without)
    );
    assert!(!at.join("never").exists());
    let added = calibrate(plain, "added", &["--from", measured]);
    assert!(added.status.success(), "{}", stderr(&added));
    assert!(predict("added").status.success());
    let origin = &description(&at.join("added"))["abstention"]["origin"];
    assert!(
        origin["carried_over"]["pictures"].as_u64().unwrap() >= 20,
        "{origin}"
    );

    let setting = "calibration.abstention=measured/model.safetensors";
    small_run(at, "set", &["--validation-fraction", "0", "--set", setting]);
    let bytes = |model: &str| fs::read(at.join(model)).unwrap();
    assert_eq!(
        bytes("set/model.safetensors"),
        bytes("added"),
        "the tensors and all else"
    );

    let again = calibrate(measured, "again", &DATA);
    assert!(again.status.success(), "{}", stderr(&again));
    assert_eq!(
        bytes("again"),
        bytes(measured),
        "it measures what the run measured"
    );
    let missing = "calibration.abstention=plain/model.safetensors";
    let refused = fer(
        at,
        &[
            &["--set", missing, "--epochs", "1", "--arch", "cnn"],
            &DATA[..],
        ]
        .concat(),
    );
    assert!(
        stderr(&refused).contains("does not say how sure it must be"),
        "{}",
        stderr(&refused)
    );
    assert!(!at.join("runs").exists(), "refused before it trains");
}
