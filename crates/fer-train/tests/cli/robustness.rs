use std::fs;
use std::path::Path;
use std::process::Command;

use fer_data::Situation;
use fer_train::robustness::Robustness;
use serde_json::Value;

use crate::{fer, small_run, small_table, stderr, stdout};

const EVALUATE: [&str; 7] = [
    "evaluate",
    "run/model.safetensors",
    "--data",
    "fer2013.csv",
    "--ferplus",
    "fer2013new.csv",
    "--robustness",
];

fn trained() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    small_table(folder.path());
    small_run(folder.path(), "run", &[]);
    folder
}

fn size(path: &Path) -> (u32, u32) {
    let picture = image::open(path).unwrap();
    (picture.width(), picture.height())
}

#[test]
fn a_network_is_judged_in_every_situation_and_files_join_those_of_its_run() {
    let folder = trained();
    let at = folder.path();
    let metrics = fs::read_to_string(at.join("run/metrics.json")).unwrap();
    let output = fer(at, &[&EVALUATE[..], &["--json", "--out", "run"]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    let written = fs::read_to_string(at.join("run/robustness.json")).unwrap();
    assert_eq!(stdout(&output), written);

    let found: Robustness = serde_json::from_str(&written).unwrap();
    let names: Vec<&str> = found
        .situations
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(names, Situation::ALL.map(Situation::name));
    for (situation, found) in Situation::ALL.into_iter().zip(&found.situations) {
        let strengths = found.strengths.iter().map(|strength| strength.strength);
        assert!(strengths.eq(situation.strengths()), "{situation}");
        for strength in &found.strengths {
            let figures = strength.figures;
            assert!(figures.accuracy_interval.contains(figures.accuracy));
        }
    }
    let metrics: Value = serde_json::from_str(&metrics).unwrap();
    assert_eq!(metrics["n"], found.n);
    assert_eq!(metrics["split"], found.split);
    assert_eq!(metrics["accuracy"], found.undisturbed.accuracy);
    assert_eq!(metrics["macro_f1"], found.undisturbed.macro_f1);
    assert_eq!(metrics["chosen_on_this_split"], found.chosen_on_this_split);

    assert!(
        fs::read_to_string(at.join("run/robustness.svg"))
            .unwrap()
            .contains("mouth covered")
    );
    assert!(size(&at.join("run/robustness.png")).0 > 1000);
    // Nine rows would be wider or higher: a picture of 96 pixels as it is and at five strengths.
    let (width, height) = size(&at.join("run/situations.png"));
    assert!(
        width > 6 * 96 && (8 * 96..9 * 112).contains(&height),
        "{width} {height}"
    );
    let kept: Value =
        serde_json::from_str(&fs::read_to_string(at.join("run/metrics.json")).unwrap()).unwrap();
    assert_eq!(kept, metrics);
}

#[test]
fn people_read_a_table_and_neither_threads_nor_runs_change_a_figure() {
    let folder = trained();
    let at = folder.path();
    let output = fer(at, &EVALUATE);
    assert!(output.status.success(), "{}", stderr(&output));
    let said = stdout(&output);
    for situation in Situation::ALL {
        let row = said.lines().find(|line| line.starts_with(situation.name()));
        let row = row.unwrap_or_else(|| panic!("{situation}: {said}"));
        assert!(row.ends_with(situation.unit()), "{row}");
    }
    assert!(
        said.contains("undisturbed ") && said.contains("mean        "),
        "{said}"
    );
    assert!(
        !at.join("run/robustness.json").exists(),
        "nothing is written unasked"
    );

    let json = |threads: &str, seed: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_fer-train"))
            .args([&EVALUATE[..], &["--json"], seed].concat())
            .env("RAYON_NUM_THREADS", threads)
            .current_dir(at)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output)
    };
    let one = json("1", &[]);
    assert_eq!(one, json("3", &[]));
    for other in ["run/model.safetensors", "--group=age"] {
        let refused = fer(at, &[&EVALUATE[..2], &[other], &EVALUATE[2..]].concat());
        assert_eq!(refused.status.code(), Some(2), "not at once with {other}");
    }
    let other: Robustness = serde_json::from_str(&json("2", &["--seed", "9"])).unwrap();
    assert_eq!(other.seed, 9);
}

#[test]
fn a_good_network_errs_more_often_in_every_situation_that_hides_what_it_looks_at() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_table(at);
    let built_in = [&EVALUATE[..1], &EVALUATE[2..], &["--json"]].concat();
    let output = fer(at, &built_in);
    assert!(output.status.success(), "{}", stderr(&output));
    let found: Robustness = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!((found.split.as_str(), found.n), ("all", 96));
    for name in ["blur", "noise", "low contrast", "low resolution"] {
        let situation = found.situations.iter().find(|one| one.name == name);
        let strongest = situation.unwrap().strengths.last().unwrap();
        assert!(
            strongest.figures.accuracy < 0.7 * found.undisturbed.accuracy,
            "{name}: {strongest:?}, {:?} undisturbed",
            found.undisturbed
        );
    }
    assert!(found.mean_accuracy < found.undisturbed.accuracy);
}
