//! The command as a person meets it: exit codes, messages, JSON, run directories.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

// How sure figures are: intervals, two models, groups of people.
#[path = "cli/certainty.rs"]
mod certainty;

// Folders of pictures: recognised, inspected, trained on, judged.
#[path = "cli/folders.rs"]
mod folders;
#[path = "cli/recipes.rs"]
mod recipes;

// Decoded pictures in memory and on disk.
#[path = "cli/memory.rs"]
mod memory;

// A trained model taken to classes of one's own, parts of it frozen.
#[path = "cli/fine_tuning.rs"]
mod fine_tuning;

// Models that teach others.
#[path = "cli/teachers.rs"]
mod teachers;

// What judging leaves: figures, predictions, what is hard; and how sure a model must be.
#[path = "cli/judging.rs"]
mod judging;

// A model on its own data and on others.
#[path = "cli/own_data.rs"]
mod own_data;

// Traditional methods on the splits of a network.
#[path = "cli/baseline.rs"]
mod baseline;

// The model of a run: its temperature, its 16-bit form, its card; and the built-in one.
#[path = "cli/models.rs"]
mod models;

// Test-time views.
#[path = "cli/views.rs"]
mod views;

// A model for other programs.
#[path = "cli/export.rs"]
mod export;

// Photographs: their faces, folders of them, tables and drawn copies.
#[path = "cli/photographs.rs"]
mod photographs;

// Any number of pictures: parts, files of answers, going on where it was stopped.
#[path = "cli/many.rs"]
mod many;

// Where a network looks, in pictures and over a data set.
#[path = "cli/explain.rs"]
mod explain;

// A model under blur, noise, darkness and other situations.
#[path = "cli/robustness.rs"]
mod robustness;

// The report, in a browser and without, and what TensorBoard reads.
#[path = "cli/accessibility.rs"]
mod accessibility;
#[path = "cli/browser.rs"]
mod browser;
#[path = "cli/report.rs"]
mod report;
#[path = "cli/tensorboard.rs"]
mod tensorboard;

// What is no file, and names that are more than names.
#[cfg(unix)]
#[path = "cli/strangers.rs"]
mod strangers;

// The server and its page.
#[path = "cli/serve/mod.rs"]
mod serve;

// Every command of the README.
#[path = "cli/readme.rs"]
mod readme;

/// Runs the command in `folder`.
fn fer(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fer-train"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The arguments of a run of one epoch on a small table of drawn faces, written to `folder`.
fn small_table(folder: &Path) {
    let faces = fer_data::drawn::DrawnFaces::new(8).subjects(12).takes(1);
    let numbers = ["0", "", "1", "2", "3", "6", "4", "5"];
    let mut rows = vec!["emotion,pixels,Usage".to_string()];
    let mut votes = vec!["Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF".to_string()];
    let columns = [4, 7, 5, 6, 1, 0, 3, 2];
    for index in 0..faces.len() {
        let face = faces.draw(index);
        let usage = if face.subject < 9 {
            "Training"
        } else {
            "PublicTest"
        };
        let number = numbers[face.expression.index()];
        let number = if number.is_empty() { "6" } else { number };
        let pixels: Vec<String> = face.pixels.iter().map(u8::to_string).collect();
        rows.push(format!("{number},{},{usage}", pixels.join(" ")));
        let mut counts = [0; 10];
        counts[columns[face.expression.index()]] = 10;
        let counts: Vec<String> = counts.iter().map(i32::to_string).collect();
        votes.push(format!("{usage},fer{index:07}.png,{}", counts.join(",")));
    }
    fs::write(folder.join("fer2013.csv"), rows.join("\n")).unwrap();
    fs::write(folder.join("fer2013new.csv"), votes.join("\n")).unwrap();
}

/// A folder laid out as the source document's: 19 people, eight files each named by expression, and
/// a csv of the people.
fn course_folder(folder: &Path) {
    let names = [
        "Anger",
        "Contempt",
        "Disgust",
        "Fear",
        "Happy",
        "Neutral",
        "Sad",
        "Surprised",
    ];
    let faces = fer_data::drawn::DrawnFaces::new(5).subjects(19).takes(1);
    let mut people = String::from("set_id,age,gender,country\n");
    for index in 0..faces.len() {
        let face = faces.draw(index);
        let person = folder.join("images").join(face.subject.to_string());
        fs::create_dir_all(&person).unwrap();
        let image = image::GrayImage::from_raw(48, 48, face.pixels).unwrap();
        let name = format!("{}.jpg", names[face.expression.index()]);
        image.save(person.join(name)).unwrap();
    }
    for person in 0..19 {
        let gender = if person % 2 == 0 { "FEMALE" } else { "MALE" };
        people.push_str(&format!("{person},{},{gender},drawn\n", 20 + person));
    }
    fs::write(folder.join("emotions.csv"), people).unwrap();
}

const SMALL: [&str; 9] = [
    "--data",
    "fer2013.csv",
    "--ferplus",
    "fer2013new.csv",
    "--epochs",
    "2",
    "--arch",
    "cnn",
    "--out",
];

fn small_run(folder: &Path, out: &str, more: &[&str]) -> Output {
    let mut arguments = SMALL.to_vec();
    arguments.push(out);
    arguments.extend(more);
    let output = fer(folder, &arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    output
}

#[test]
fn a_run_leaves_its_directory_and_evaluate_repeats_its_figures_to_the_last_digit() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_table(at);
    let output = small_run(at, "run", &[]);
    for name in [
        "model.safetensors",
        "config.toml",
        "history.csv",
        "timing.csv",
        "metrics.json",
        "validation.json",
        "confusion_matrix.csv",
        "confusion_matrix.svg",
        "confusion_matrix.png",
        "curves.svg",
        "samples.png",
        "MODEL_CARD.md",
    ] {
        assert!(
            fs::metadata(at.join("run").join(name)).unwrap().len() > 0,
            "{name}"
        );
    }
    assert!(!at.join("run/skipped.csv").exists(), "nothing was skipped");
    let said = stdout(&output);
    assert!(
        said.contains("device      cpu") && said.contains("epoch   2/2"),
        "{said}"
    );
    assert!(
        !said.contains('\u{1b}') && !said.contains('\r'),
        "no control characters when piped"
    );

    let metrics = fs::read_to_string(at.join("run/metrics.json")).unwrap();
    for threads in ["1", "2", "3"] {
        let arguments = [
            "evaluate",
            "run/model.safetensors",
            "--data",
            "fer2013.csv",
            "--ferplus",
            "fer2013new.csv",
            "--json",
        ];
        let evaluated = Command::new(env!("CARGO_BIN_EXE_fer-train"))
            .args(arguments)
            .env("RAYON_NUM_THREADS", threads)
            .current_dir(at)
            .output()
            .unwrap();
        assert_eq!(stdout(&evaluated), metrics, "{}", stderr(&evaluated));
    }
    let metrics: Value = serde_json::from_str(&metrics).unwrap();
    assert_eq!(metrics["split"], "validation");
    assert_eq!(metrics["n"], 24);
    assert_eq!(metrics["chosen_on_this_split"], true);
    let ece = metrics["ece"].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&ece) && metrics["temperature"].as_f64().unwrap() > 0.0);
    let loss = |value: &Value| value["loss"].as_f64().unwrap();
    assert!(
        loss(&metrics) <= loss(&metrics["uncalibrated"]),
        "a temperature fitted on these very pictures cannot raise their loss"
    );
    assert_eq!(metrics["classes"][1]["name"], "contempt");
    assert_eq!(metrics["confusion_matrix"].as_array().unwrap().len(), 8);
    let timing = fs::read_to_string(at.join("run/timing.csv")).unwrap();
    let rows: Vec<Vec<&str>> = timing.lines().map(|row| row.split(',').collect()).collect();
    let columns = ["epoch", "seconds", "pictures_per_second", "waiting_share"];
    assert_eq!(rows[0], columns);
    assert_eq!(rows.len(), 3, "{timing}");
    for row in &rows[1..] {
        let share: f64 = row[3].parse().unwrap();
        assert!(share > 0.0 && share < 1.0, "{timing}");
    }
    let history = fs::read_to_string(at.join("run/history.csv")).unwrap();
    assert!(history.starts_with(
        "epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,learning_rate\n1,"
    ));
    assert_eq!(history.lines().count(), 3);
}

#[test]
fn the_same_command_gives_the_same_bytes_with_any_number_of_threads_and_from_its_own_config() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_table(at);
    small_run(at, "first", &[]);
    let mut arguments = SMALL.to_vec();
    arguments.push("second");
    let one_thread = Command::new(env!("CARGO_BIN_EXE_fer-train"))
        .args(&arguments)
        .env("RAYON_NUM_THREADS", "1")
        .current_dir(at)
        .output()
        .unwrap();
    assert!(one_thread.status.success());
    let again = fer(at, &["--config", "first/config.toml", "--out", "third"]);
    assert!(again.status.success(), "{}", stderr(&again));
    small_run(at, "other", &["--seed", "1"]);
    for name in [
        "model.safetensors",
        "history.csv",
        "metrics.json",
        "validation.json",
        "MODEL_CARD.md",
    ] {
        let bytes = |run: &str| fs::read(at.join(run).join(name)).unwrap();
        assert_eq!(bytes("first"), bytes("second"), "{name}");
        assert_eq!(bytes("first"), bytes("third"), "{name}");
        assert_ne!(bytes("first"), bytes("other"), "{name}");
    }
}

#[test]
fn no_path_and_no_clock_enter_what_must_repeat() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_table(at);
    small_run(at, "run", &[]);
    for name in [
        "model.safetensors",
        "history.csv",
        "metrics.json",
        "validation.json",
        "MODEL_CARD.md",
    ] {
        let text =
            String::from_utf8_lossy(&fs::read(at.join("run").join(name)).unwrap()).into_owned();
        assert!(
            !text.contains("fer2013.csv") && !text.contains(&*at.to_string_lossy()),
            "{name}"
        );
    }
}

#[test]
fn a_validation_fraction_leaves_public_test_as_the_test_that_chose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_table(at);
    small_run(at, "run", &["--validation-fraction", "0.2", "--seed", "5"]);
    let read = |name: &str| -> Value {
        serde_json::from_str(&fs::read_to_string(at.join("run").join(name)).unwrap()).unwrap()
    };
    assert_eq!(
        (
            read("metrics.json")["split"].as_str(),
            read("metrics.json")["chosen_on_this_split"].as_bool()
        ),
        (Some("test"), Some(false))
    );
    assert_eq!(
        (
            read("validation.json")["split"].as_str(),
            read("validation.json")["chosen_on_this_split"].as_bool()
        ),
        (Some("validation"), Some(true))
    );
    for (split, name) in [("test", "metrics.json"), ("validation", "validation.json")] {
        let arguments = [
            "evaluate",
            "run/model.safetensors",
            "--data",
            "fer2013.csv",
            "--ferplus",
            "fer2013new.csv",
            "--split",
            split,
            "--json",
        ];
        let evaluated = fer(at, &arguments);
        assert_eq!(
            stdout(&evaluated),
            fs::read_to_string(at.join("run").join(name)).unwrap()
        );
    }
    small_run(at, "last", &["--validation-fraction", "0"]);
    assert!(!at.join("last/validation.json").exists());
    let history = fs::read_to_string(at.join("last/history.csv")).unwrap();
    assert!(
        history.lines().nth(1).unwrap().contains(",,,"),
        "no validation figures: {history}"
    );
}

#[test]
fn prediction_answers_for_each_picture_and_fails_for_those_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_table(at);
    small_run(at, "run", &[]);
    let face = fer_data::drawn::DrawnFaces::new(1).draw(4);
    image::GrayImage::from_raw(48, 48, face.pixels)
        .unwrap()
        .save(at.join("face.png"))
        .unwrap();
    fs::write(at.join("broken.png"), b"\x89PNG not really").unwrap();
    let model = ["predict", "--model", "run/model.safetensors", "--json"];
    let predicted = fer(at, &[&model[..], &["face.png"]].concat());
    assert!(predicted.status.success());
    let elements: Value = serde_json::from_str(&stdout(&predicted)).unwrap();
    assert_eq!(elements[0]["path"], "face.png");
    assert!(elements[0]["face"].is_null() && elements[0].as_object().unwrap().contains_key("face"));
    let probabilities = elements[0]["probabilities"].as_object().unwrap();
    assert_eq!(probabilities.len(), 8);
    let sum: f64 = probabilities
        .values()
        .map(|value| value.as_f64().unwrap())
        .sum();
    assert!((sum - 1.0).abs() < 1e-5);
    let best = probabilities
        .iter()
        .max_by(|one, other| one.1.as_f64().partial_cmp(&other.1.as_f64()).unwrap())
        .unwrap();
    assert_eq!(elements[0]["expression"], best.0.as_str());

    let mixed = fer(
        at,
        &[&model[..], &["face.png", "broken.png", "missing.png"]].concat(),
    );
    assert_eq!(mixed.status.code(), Some(1));
    let elements: Value = serde_json::from_str(&stdout(&mixed)).unwrap();
    assert!(elements[0].get("expression").is_some());
    for (place, name) in [(1, "broken.png"), (2, "missing.png")] {
        assert_eq!(elements[place]["path"], name);
        assert!(elements[place]["error"].as_str().unwrap().contains(name));
        assert!(stderr(&mixed).contains(name));
    }
}

#[test]
fn wrong_usage_exits_with_2_and_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let cases: [(&[&str], &str); 9] = [
        (&["evaluate"], "--data"),
        (&["predict", "--model", "m.safetensors"], "IMAGE"),
        (&["--arch", "transformer"], "cnn"),
        (&["--device", "gpu"], "cuda:N"),
        (&["--epochs", "0"], "training.epochs = 0"),
        (&["--lr=-1"], "training.learning_rate = -1"),
        (&["--validation-fraction", "1.5"], "validation_fraction"),
        (&["evaluate", "m.safetensors"], "--data"),
        (&["--config", "missing.toml"], "missing.toml"),
    ];
    for (arguments, hint) in cases {
        let output = fer(at, arguments);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{arguments:?}: {}",
            stderr(&output)
        );
        assert!(
            stderr(&output).contains(hint),
            "{arguments:?}: {}",
            stderr(&output)
        );
        assert!(stdout(&output).is_empty());
    }
    assert_eq!(
        fs::read_dir(at).unwrap().count(),
        0,
        "nothing was left behind"
    );
}

#[test]
fn failures_exit_with_1_and_name_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("notes.csv"), "a,b\n1,2\n").unwrap();
    fs::create_dir(at.join("full")).unwrap();
    fs::write(at.join("full/file"), "x").unwrap();
    let cases: [(&[&str], &str); 6] = [
        (&["predict", "face.png"], "face.png"),
        (&["--data", "missing.csv"], "missing.csv"),
        (&["--data", "notes.csv"], "notes.csv"),
        (
            &["--epochs", "1", "--out", "full"],
            "full holds something already",
        ),
        (
            &["predict", "--model", "notes.csv", "face.png"],
            "notes.csv",
        ),
        (&["summary", "missing.safetensors"], "missing.safetensors"),
    ];
    for (arguments, name) in cases {
        let output = fer(at, arguments);
        assert_eq!(
            output.status.code(),
            Some(1),
            "{arguments:?}: {}",
            stderr(&output)
        );
        assert!(
            stderr(&output).contains(name),
            "{arguments:?}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn classes_that_differ_are_refused_naming_both_and_the_flag() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_table(at);
    small_run(at, "run", &[]);
    let output = fer(
        at,
        &["evaluate", "run/model.safetensors", "--data", "fer2013.csv"],
    );
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(
        said.contains("contempt")
            && said.contains("--ferplus")
            && said.contains("angry disgust fear"),
        "{said}"
    );
}

#[test]
fn rows_left_out_are_listed_and_strict_refuses_them() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_table(at);
    let table = fs::read_to_string(at.join("fer2013.csv")).unwrap();
    fs::write(at.join("fer2013.csv"), table.replacen("\n0,", "\n9,", 1)).unwrap();
    let output = small_run(at, "run", &[]);
    assert!(
        stdout(&output).contains("left out    1: 1 malformed row"),
        "{}",
        stdout(&output)
    );
    let skipped = fs::read_to_string(at.join("run/skipped.csv")).unwrap();
    assert!(
        skipped.starts_with("entry,reason,detail\nfer2013.csv row 1,malformed row,"),
        "{skipped}"
    );
    let mut strict = SMALL.to_vec();
    strict.extend(["strict", "--strict"]);
    let refused = fer(at, &strict);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        stderr(&refused).contains("row 1") && stderr(&refused).contains("unknown label `9`"),
        "{}",
        stderr(&refused)
    );
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_fer-train"))
        .arg("summary")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}
