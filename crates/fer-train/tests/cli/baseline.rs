use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use fer_data::{Dataset, OpenSettings, Split, SplitSettings, open};
use fer_train::baseline::{AgainstNetwork, Baselines, Method};
use fer_train::predictions::{JudgedPicture, Predictions};

use crate::{fer, small_table, stderr, stdout};

const DATA: [&str; 5] = [
    "baseline",
    "--data",
    "fer2013.csv",
    "--ferplus",
    "fer2013new.csv",
];

fn baselines(at: &Path, more: &[&str]) -> (Baselines, String) {
    let output = fer(at, &[&DATA[..], &["--json"], more].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    let read = serde_json::from_str(&stdout(&output)).unwrap();
    (read, stderr(&output))
}

/// The table as the command opens it when nothing else is said.
fn table(at: &Path) -> Dataset {
    let settings = OpenSettings {
        ferplus: Some(at.join("fer2013new.csv")),
        dedup: true,
        split: SplitSettings {
            validation_fraction: Some(0.1),
            ..SplitSettings::default()
        },
        ..OpenSettings::default()
    };
    open(&at.join("fer2013.csv"), &settings).unwrap()
}

/// A network that is right about every test picture of `dataset`, of `pictures` at most.
fn perfect(dataset: &Dataset, pictures: usize) -> Predictions {
    let classes = dataset.class_names().len();
    let picture = |index: usize| {
        let label = dataset.entry(index).label;
        let share = |class: usize| if class == label { 1.0 } else { 0.0 };
        JudgedPicture {
            picture: dataset.origin(index),
            split: Split::Test,
            label,
            predicted: label,
            copy_of_train: false,
            votes_entropy: None,
            probabilities: (0..classes).map(share).collect(),
        }
    };
    let judged = dataset.indices(Split::Test).into_iter().take(pictures);
    Predictions {
        class_names: dataset.class_names().clone(),
        pictures: judged.map(picture).collect(),
    }
}

#[test]
fn every_method_is_judged_on_the_test_split_and_the_file_is_the_json() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_table(at);
    let (found, said) = baselines(at, &["--out", "results"]);
    let written = fs::read_to_string(at.join("results/baselines.json")).unwrap();
    assert_eq!(serde_json::from_str::<Baselines>(&written).unwrap(), found);
    assert_eq!((found.split.as_str(), found.n), ("test", 24));
    assert_eq!(found.chosen_on.as_deref(), Some("validation"));
    assert_eq!(found.against_network, None);
    let dataset = table(at);
    assert_eq!(found.data_hash, dataset.hash());
    assert_eq!(found.division_hash, dataset.division_hash());
    assert_eq!(found.trained_on, dataset.indices(Split::Train).len() as u64);
    let methods: Vec<Method> = found.methods.iter().map(|found| found.method).collect();
    assert_eq!(
        methods,
        [
            Method::MajorityClass,
            Method::LogisticRegression,
            Method::LogisticRegression,
            Method::LinearSvm
        ]
    );
    for method in &found.methods {
        assert!(said.contains(&format!("\n{}", method.name)), "{said}");
        let labels = dataset.indices(Split::Test);
        let labels = labels.iter().map(|&index| dataset.entry(index).label);
        let right = labels
            .zip(&method.predicted)
            .filter(|(label, it)| label == *it);
        assert_eq!(right.count() as f64 / 24.0, method.report.accuracy);
        assert!(!method.report.chosen_on_this_split);
    }
    assert_eq!(found.methods[0].report.accuracy, 0.125);
    assert!(
        found.methods[1..]
            .iter()
            .any(|it| it.report.accuracy > 0.25),
        "{said}"
    );
}

fn with_threads(at: &Path, threads: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fer-train"))
        .args(DATA)
        .arg("--json")
        .env("RAYON_NUM_THREADS", threads)
        .current_dir(at)
        .output()
        .unwrap()
}

#[test]
fn one_thread_and_three_give_the_same_bytes_and_no_clock_is_in_them() {
    let folder = tempfile::tempdir().unwrap();
    small_table(folder.path());
    let one = with_threads(folder.path(), "1");
    assert!(one.status.success(), "{}", stderr(&one));
    assert_eq!(stdout(&one), stdout(&with_threads(folder.path(), "3")));
    assert!(!stdout(&one).contains("seconds"));
    assert!(stderr(&one).contains("seconds"));
}

#[test]
fn a_network_is_compared_on_the_same_pictures_and_on_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_table(at);
    fs::create_dir(at.join("run")).unwrap();
    let dataset = table(at);
    let place = at.join("run/predictions.csv");
    fs::write(&place, perfect(&dataset, 24).to_csv().unwrap()).unwrap();
    let (found, said) = baselines(at, &["--out", "run"]);
    let Some(AgainstNetwork::Compared(network)) = &found.against_network else {
        panic!("{said}");
    };
    assert_eq!((network.accuracy, network.macro_f1), (1.0, 1.0));
    for (method, against) in found.methods.iter().zip(&network.differences) {
        assert_eq!(against.baseline, method.name);
        let expected = 1.0 - method.report.accuracy;
        assert!((against.difference.accuracy - expected).abs() < 1e-12);
    }
    let sentence = "against majority class the network names 21 more of 24 rightly: +87.5 points";
    assert!(
        said.contains(sentence) && said.contains("p < 0.001"),
        "{said}"
    );
    assert!(said.contains("\nthe network "), "{said}");

    fs::write(&place, perfect(&dataset, 23).to_csv().unwrap()).unwrap();
    let (found, said) = baselines(at, &["--out", "run"]);
    let reason = "the network was judged on 23 pictures, the methods on 24";
    assert!(said.contains(&format!("not compared: {reason}")), "{said}");
    let expected = AgainstNetwork::NotCompared(reason.into());
    assert_eq!(found.against_network, Some(expected));
}

#[test]
fn the_data_of_a_run_are_divided_as_the_run_did_and_flags_go_over_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_table(at);
    fs::create_dir(at.join("run")).unwrap();
    let config = "[data]\npath = \"fer2013.csv\"\nferplus = \"fer2013new.csv\"\n\
                  [data.split]\nvalidation_fraction = 0.5\n";
    fs::write(at.join("run/config.toml"), config).unwrap();
    let trained_on = |more: &[&str]| {
        let (found, _) = baselines(at, &[&["--out", "run"], more].concat());
        found.trained_on
    };
    assert_eq!(trained_on(&[]), 32);
    assert!(trained_on(&["--validation-fraction", "0.25"]) > 48);
}

#[test]
fn without_validation_c_is_fixed_and_pictures_that_choose_it_are_said_to() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_table(at);
    let (found, said) = baselines(at, &["--validation-fraction", "0"]);
    assert!(said.contains("C is fixed"), "{said}");
    assert_eq!((found.split.as_str(), found.chosen_on), ("test", None));
    let tried = found.methods[1].regularisation.as_ref().unwrap();
    assert!(tried.tried.is_empty());
    let (found, said) = baselines(at, &["--split", "validation"]);
    assert!(said.contains("these pictures chose C"), "{said}");
    assert!(found.methods[1].report.chosen_on_this_split);
    assert!(!found.methods[0].report.chosen_on_this_split);
}

#[test]
fn what_cannot_be_judged_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_table(at);
    let output = fer(at, &["baseline"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--data"), "{}", stderr(&output));
    let without = ["--validation-fraction", "0", "--split", "validation"];
    let output = fer(at, &[&DATA[..], &without].concat());
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("no validation pictures"),
        "{}",
        stderr(&output)
    );
    fs::create_dir(at.join("other")).unwrap();
    fs::write(at.join("other/predictions.csv"), "a,b\n1,2\n").unwrap();
    let output = fer(at, &[&DATA[..], &["--out", "other"]].concat());
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("predictions.csv"),
        "{}",
        stderr(&output)
    );
    assert!(!at.join("other/baselines.json").exists());
}
