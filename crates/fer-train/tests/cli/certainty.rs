use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::{course_folder, fer, small_run, small_table, stderr, stdout};

const DATA: [&str; 4] = ["--data", "fer2013.csv", "--ferplus", "fer2013new.csv"];

fn compared(at: &Path, models: [&str; 2], more: &[&str]) -> Value {
    let output = fer(
        at,
        &[&["evaluate"], &models[..], &DATA, more, &["--json"]].concat(),
    );
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_str(&stdout(&output)).unwrap()
}

#[test]
fn two_models_are_compared_on_the_same_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_table(at);
    small_run(at, "short", &[]);
    let long = [
        "--arch",
        "cnn",
        "--epochs",
        "20",
        "--batch-size",
        "8",
        "--out",
        "long",
    ];
    let trained = fer(at, &[&DATA[..], &long].concat());
    assert!(trained.status.success(), "{}", stderr(&trained));
    let [short, long] = ["short/model.safetensors", "long/model.safetensors"];
    let found = compared(at, [short, long], &[]);
    assert_eq!(
        (found["split"].as_str(), found["n"].as_u64()),
        (Some("validation"), Some(24))
    );
    for (run, key) in [("short", "first"), ("long", "second")] {
        let text = fs::read_to_string(at.join(run).join("metrics.json")).unwrap();
        let metrics: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(found[key], metrics, "{run}");
    }
    let table = &found["difference"]["mcnemar"];
    let count = |key: &str| table[key].as_i64().unwrap();
    let all = ["both_right", "only_first", "only_second", "both_wrong"].map(count);
    assert_eq!(all.iter().sum::<i64>(), 24);
    assert_eq!(table["form"], "exact");
    let figure = |value: &Value| value.as_f64().unwrap();
    let difference = figure(&found["difference"]["accuracy"]);
    let between = figure(&found["second"]["accuracy"]) - figure(&found["first"]["accuracy"]);
    assert!((difference - between).abs() < 1e-12 && difference != 0.0);
    assert!((difference - (all[2] - all[1]) as f64 / 24.0).abs() < 1e-12);

    let turned = compared(at, [long, short], &["--out", "short"]);
    let written = fs::read_to_string(at.join("short/comparison.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), turned);
    assert_eq!(figure(&turned["difference"]["accuracy"]), -difference);
    assert_eq!(turned["difference"]["mcnemar"]["p_value"], table["p_value"]);
    let itself = compared(at, [short, short], &["--split", "all"]);
    assert_eq!(itself["n"], 96);
    assert_eq!(itself["difference"]["mcnemar"]["p_value"], 1.0);
    assert_eq!(itself["difference"]["macro_f1"], 0.0);

    let said = fer(at, &[&["evaluate", short, long], &DATA[..]].concat());
    let said = stdout(&said);
    for line in [
        "judged on   validation (24 pictures)",
        "note        of A: some of these pictures chose the epoch",
        " of 24 pictures rightly than A: ",
        "McNemar p",
        "too few to say",
    ] {
        assert!(said.contains(line), "{line} is missing in:\n{said}");
    }
}

/// What is validation to one run is test to another, and may be no split of a third at all.
#[test]
fn models_of_other_divisions_are_compared_where_the_pictures_are_the_same_and_else_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_table(at);
    small_run(at, "without", &[]);
    small_run(at, "with", &["--validation-fraction", "0.2"]);
    let [without, with] = ["without/model.safetensors", "with/model.safetensors"];
    let found = compared(at, [without, with], &[]);
    let splits = ["split", "n"].map(|key| found[key].clone());
    assert_eq!(splits, [Value::from("validation"), Value::from(24)]);
    assert_eq!(
        (&found["first"]["split"], &found["second"]["split"]),
        (&Value::from("validation"), &Value::from("test"))
    );
    let refused = fer(
        at,
        &[
            &["evaluate", without, with, "--split", "validation"],
            &DATA[..],
        ]
        .concat(),
    );
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        stderr(&refused).contains("would be judged on different pictures: A on 24"),
        "{}",
        stderr(&refused)
    );
    let other = fer(
        at,
        &[
            "--data",
            "fer2013.csv",
            "--arch",
            "cnn",
            "--epochs",
            "1",
            "--out",
            "seven",
        ],
    );
    assert!(other.status.success(), "{}", stderr(&other));
    let classes = fer(
        at,
        &[&["evaluate", without, "seven/model.safetensors"], &DATA[..]].concat(),
    );
    assert_eq!(classes.status.code(), Some(1));
    let said = stderr(&classes);
    assert!(
        said.contains("only models of the same classes") && said.contains("angry contempt disgust"),
        "{said}"
    );
}

/// The model that was trained on these data says which of them judge, whichever stands first.
#[test]
fn a_model_of_other_data_is_judged_on_the_pictures_that_judge_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_table(at);
    small_run(at, "own", &[]);
    course_folder(&at.join("course"));
    let arguments = [
        "--data", "course", "--arch", "cnn", "--epochs", "1", "--out", "other",
    ];
    assert!(fer(at, &arguments).status.success());
    let [own, other] = ["own/model.safetensors", "other/model.safetensors"];
    let found = compared(at, [other, own], &[]);
    let text = fs::read_to_string(at.join("own/metrics.json")).unwrap();
    assert_eq!(
        found["second"],
        serde_json::from_str::<Value>(&text).unwrap()
    );
    let judged = ["split", "n", "chosen_on_this_split"].map(|key| found["first"][key].clone());
    assert_eq!(
        judged,
        [
            Value::from("validation"),
            Value::from(24),
            Value::from(false)
        ]
    );
    let turned = compared(at, [own, other], &[]);
    assert_eq!(turned["second"], found["first"]);
}

#[test]
fn the_way_of_resizing_of_each_model_is_respected() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    course_folder(&at.join("course"));
    for person in 0..19 {
        let path = at.join(format!("course/images/{person}/Happy.jpg"));
        let large = image::open(&path).unwrap();
        let filter = image::imageops::FilterType::CatmullRom;
        large.resize_exact(130, 110, filter).save(&path).unwrap();
    }
    for how in ["antialiased", "opencv-linear"] {
        let arguments = [
            "--data", "course", "--resize", how, "--arch", "cnn", "--epochs", "1", "--out", how,
        ];
        assert!(fer(at, &arguments).status.success());
    }
    let models = [
        "antialiased/model.safetensors",
        "opencv-linear/model.safetensors",
    ];
    let output = fer(
        at,
        &[
            "evaluate", models[0], models[1], "--data", "course", "--json",
        ],
    );
    let found: Value = serde_json::from_str(&stdout(&output)).unwrap();
    for (run, key) in [("antialiased", "first"), ("opencv-linear", "second")] {
        let text = fs::read_to_string(at.join(run).join("metrics.json")).unwrap();
        assert_eq!(
            found[key],
            serde_json::from_str::<Value>(&text).unwrap(),
            "{run}"
        );
    }
}

#[test]
fn groups_of_people_get_figures_a_gap_and_a_test_or_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    course_folder(&at.join("course"));
    let arguments = [
        "--data", "course", "--arch", "cnn", "--epochs", "2", "--out", "run",
    ];
    assert!(fer(at, &arguments).status.success());
    let text = fs::read_to_string(at.join("run/metrics.json")).unwrap();
    let metrics: Value = serde_json::from_str(&text).unwrap();
    let columns: Vec<&str> = metrics["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| group["column"].as_str().unwrap())
        .collect();
    assert_eq!(columns, ["age", "gender", "country"]);
    assert_eq!(metrics["groups"][1]["groups"][0]["too_few"], true);
    assert!(metrics["groups"][1]["groups"][0].get("accuracy").is_none());
    let card = fs::read_to_string(at.join("run/MODEL_CARD.md")).unwrap();
    assert!(
        card.contains("By gender: too few to say; its 2 groups"),
        "{card}"
    );

    let all = [
        "evaluate",
        "run/model.safetensors",
        "--data",
        "course",
        "--split",
        "all",
    ];
    let judged = fer(at, &[&all[..], &["--json", "--group", "gender"]].concat());
    let judged: Value = serde_json::from_str(&stdout(&judged)).unwrap();
    assert_eq!(judged["groups"].as_array().unwrap().len(), 1);
    let [women, men] = [0, 1].map(|place| &judged["groups"][0]["groups"][place]);
    assert_eq!(
        (&women["value"], &women["n"]),
        (&Value::from("FEMALE"), &Value::from(80))
    );
    assert_eq!(
        (&men["value"], &men["n"]),
        (&Value::from("MALE"), &Value::from(72))
    );
    let accuracy = |group: &Value| group["accuracy"].as_f64().unwrap();
    let gap = &judged["groups"][0]["gap"];
    let difference = gap["accuracy_difference"].as_f64().unwrap();
    assert!((difference - (accuracy(women) - accuracy(men)).abs()).abs() < 1e-12);
    assert_eq!(gap["exchanged"], "subjects");
    assert!((0.0..=1.0).contains(&gap["p_value"].as_f64().unwrap()));

    let said = stdout(&fer(at, &all));
    for line in [
        "by age      no group has 30 pictures: 20: 8",
        "by gender ",
        "gap         +",
    ] {
        assert!(said.contains(line), "{line} is missing in:\n{said}");
    }
    let unknown = fer(at, &[&all[..], &["--group", "hair"]].concat());
    assert_eq!(unknown.status.code(), Some(2));
    assert!(
        stderr(&unknown).contains("--group hair")
            && stderr(&unknown).contains("age, gender, country"),
        "{}",
        stderr(&unknown)
    );
}

#[test]
fn figures_are_said_with_their_intervals_and_small_classes_are_not_judged() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_table(at);
    let trained = stdout(&small_run(at, "run", &[]));
    let result = trained
        .lines()
        .find(|line| line.starts_with("result "))
        .unwrap();
    assert!(
        result.contains(" % (") && result.contains(" %) of 24 validation pictures"),
        "{result}"
    );
    let evaluated = fer(
        at,
        &[&["evaluate", "run/model.safetensors"], &DATA[..]].concat(),
    );
    let said = stdout(&evaluated);
    assert!(
        said.contains("95 % intervals") && said.contains("2,000 resamples, seed 0"),
        "{said}"
    );
    let happy = said
        .lines()
        .find(|line| line.starts_with("happy  "))
        .unwrap();
    assert!(happy.contains("too few to say"), "{happy}");
    let text = fs::read_to_string(at.join("run/metrics.json")).unwrap();
    let metrics: Value = serde_json::from_str(&text).unwrap();
    for key in ["accuracy", "macro_f1", "weighted_f1", "balanced_accuracy"] {
        let interval = &metrics[format!("{key}_interval")];
        let ends = ["low", "high"].map(|end| interval[end].as_f64().unwrap());
        let figure = metrics[key].as_f64().unwrap();
        assert!(
            ends[0] <= figure && figure <= ends[1] && ends[0] < ends[1],
            "{key}"
        );
    }
    assert_eq!(metrics["classes"][0]["too_few"], true);
}
