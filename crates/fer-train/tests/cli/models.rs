use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::{fer, small_run, small_table, stderr, stdout};

const DATA: [&str; 4] = ["--data", "fer2013.csv", "--ferplus", "fer2013new.csv"];

fn metrics(at: &Path, run: &str) -> Value {
    let text = fs::read_to_string(at.join(run).join("metrics.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// A run with this text as its configuration; what it said.
fn run_with(at: &Path, config: &str, out: &str, more: &[&str]) -> String {
    fs::write(at.join("config.toml"), config).unwrap();
    let more = [&["--config", "config.toml"], more].concat();
    stdout(&small_run(at, out, &more))
}

/// Whether `evaluate` repeats the run's figures to the last digit.
fn is_repeated(at: &Path, run: &str) -> bool {
    let model = format!("{run}/model.safetensors");
    let evaluated = fer(at, &[&["evaluate", &model, "--json"], &DATA[..]].concat());
    let left = fs::read_to_string(at.join(run).join("metrics.json")).unwrap();
    stdout(&evaluated) == left
}

#[test]
fn a_temperature_is_fitted_on_validation_or_carried_over_and_the_card_tells_which() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_table(at);
    small_run(at, "fitted", &["--validation-fraction", "0.4"]);
    let fitted = metrics(at, "fitted");
    assert_eq!(fitted["chosen_on_this_split"], false);
    assert_ne!(fitted["temperature"], 1.0);
    assert!(is_repeated(at, "fitted"));

    let settings = "[calibration]\ntemperature = 1.75\nfrom = \"a network of nine tenths\"\n";
    let last = ["--validation-fraction", "0"];
    run_with(at, settings, "carried", &last);
    let carried = metrics(at, "carried");
    assert_eq!(carried["temperature"], 1.75);
    assert_eq!(carried["chosen_on_this_split"], false);
    assert_ne!(carried["loss"], carried["uncalibrated"]["loss"]);
    assert!(is_repeated(at, "carried"));

    small_run(at, "plain", &last);
    let plain = metrics(at, "plain");
    assert_eq!(plain["temperature"], 1.0);
    assert!(plain.get("uncalibrated").is_none());
    assert_eq!(plain["loss"], carried["uncalibrated"]["loss"]);
    assert_eq!(plain["confusion_matrix"], carried["confusion_matrix"]);

    for (run, words) in [
        (
            "fitted",
            "validation pictures are most likely, which also chose the epoch",
        ),
        (
            "carried",
            "carried over from another network: a network of nine tenths",
        ),
        ("plain", "None: the probabilities are the network's own"),
    ] {
        let card = fs::read_to_string(at.join(run).join("MODEL_CARD.md")).unwrap();
        assert!(card.contains(words), "{run}: {card}");
        assert!(
            card.contains("Licence of the pictures: unclear."),
            "{run}: it is FER2013"
        );
    }

    fs::write(at.join("config.toml"), "[calibration]\ntemperature = -1\n").unwrap();
    let refused = fer(at, &["--config", "config.toml"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        stderr(&refused).contains("calibration.temperature = -1"),
        "{}",
        stderr(&refused)
    );
}

#[test]
fn a_run_saved_in_16_bits_reports_the_figures_of_those() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_table(at);
    small_run(at, "whole", &[]);
    let said = run_with(at, "[output]\nweights = \"f16\"\n", "half", &[]);
    assert!(
        said.contains("16 bits     name the class that 32 bits do for "),
        "{said}"
    );
    let size = |run: &str| {
        let path = at.join(run).join("model.safetensors");
        fs::metadata(path).unwrap().len() as f64
    };
    assert!((0.49..0.51).contains(&(size("half") / size("whole"))));
    assert!(is_repeated(at, "half"));
    assert_ne!(metrics(at, "half")["loss"], metrics(at, "whole")["loss"]);
    let history = |run: &str| fs::read(at.join(run).join("history.csv")).unwrap();
    assert_eq!(history("half"), history("whole"));
    let card = |run: &str| fs::read_to_string(at.join(run).join("MODEL_CARD.md")).unwrap();
    assert!(
        card("half").contains("weights in 16 bits; they name"),
        "{}",
        card("half")
    );
    assert!(
        card("whole").contains("weights in 32 bits"),
        "{}",
        card("whole")
    );
}

#[test]
fn without_a_model_the_built_in_one_predicts_and_says_on_stderr_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let face = fer_data::drawn::DrawnFaces::new(1).draw(4);
    let face = image::GrayImage::from_raw(48, 48, face.pixels).unwrap();
    face.save(at.join("face.png")).unwrap();
    for arguments in [
        &["predict", "face.png"][..],
        &["predict", "--json", "face.png"],
    ] {
        let predicted = fer(at, arguments);
        assert!(predicted.status.success(), "{}", stderr(&predicted));
        let said = stderr(&predicted);
        assert!(said.starts_with("model       built in: "), "{said}");
        assert!(
            said.contains(" trained on ") && said.contains(" pictures right"),
            "{said}"
        );
        assert!(!stdout(&predicted).contains("built in") && !stdout(&predicted).is_empty());
    }
    small_table(at);
    let judged = fer(at, &[&["evaluate"], &DATA[..]].concat());
    assert!(
        stderr(&judged).starts_with("model       built in: "),
        "{}",
        stderr(&judged)
    );
}
