use std::path::PathBuf;

use crate::folder::{Folder, classes, left_out, notices, refusal, says};

fn with_map(folder: &Folder, text: &str) -> (PathBuf, tempfile::TempDir) {
    let elsewhere = tempfile::tempdir().unwrap();
    let path = elsewhere.path().join("labels.toml");
    std::fs::write(&path, text).unwrap();
    assert!(folder.path().exists());
    (path, elsewhere)
}

fn numbered() -> Folder {
    let mut folder = Folder::new();
    for number in 0..3 {
        folder.faces(&number.to_string(), 3);
    }
    folder
}

#[test]
fn a_label_map_names_the_classes_and_leaves_out_what_it_does_not_name() {
    let folder = numbered();
    let (map, _kept) = with_map(&folder, "0 = \"Joy\"\n\"2\" = \"anger\"\n");
    let open = |strict| {
        folder.open_with(|settings| {
            settings.label_map = Some(map.clone());
            settings.strict = strict;
        })
    };
    let dataset = open(false).unwrap();
    assert_eq!(dataset.class_names().names(), ["angry", "happy"]);
    assert_eq!(dataset.skipped().len(), 3);
    says(
        &left_out(&dataset),
        &["label that the label map leaves out", "label `1`"],
    );
    assert!(open(true).is_ok(), "what the user leaves out is no fault");
    let (map, _kept) = with_map(&folder, "0 = \"awake\"\n1 = \"awake\"\n2 = \"happy\"");
    let dataset = folder
        .open_with(|settings| settings.label_map = Some(map))
        .unwrap();
    assert_eq!(classes(&dataset)["awake"], 6);
}

#[test]
fn label_maps_that_cannot_be_used_are_refused_by_name() {
    let folder = numbered();
    for (text, words) in [
        ("0 = happy", &["labels.toml", "line 1"][..]),
        ("0 = 3", &["`0` is 3", "in quotes"]),
        ("0 = \"\"", &["`0`", "name of a class"]),
        ("", &["it maps no label"]),
        ("a = \"happy\"", &["it maps a", "0, 1, 2"]),
        ("0 = \"happy\"\n0 = \"sad\"", &["labels.toml", "duplicate"]),
    ] {
        let (map, _kept) = with_map(&folder, text);
        let refused = refusal(folder.open_with(|settings| settings.label_map = Some(map)));
        says(&refused, words);
    }
    let missing = Some("missing.toml".into());
    says(
        &refusal(folder.open_with(|settings| settings.label_map = missing)),
        &["missing.toml"],
    );
}

#[test]
fn labels_of_one_expression_are_one_class_and_it_is_said() {
    let mut folder = Folder::new();
    for name in ["happy", "Happiness", "sad"] {
        folder.faces(name, 3);
    }
    let dataset = folder.open().unwrap();
    assert_eq!(classes(&dataset)["happy"], 6);
    says(
        &notices(&dataset),
        &["Happiness, happy are all read as happy"],
    );
}

#[test]
fn own_labels_that_differ_in_case_alone_stop() {
    let mut folder = Folder::new();
    for name in ["bored", "Bored", "alert"] {
        folder.faces(name, 2);
    }
    says(
        &refusal(folder.open()),
        &[
            "`Bored` and `bored` differ in letter case only",
            "--label-map",
        ],
    );
}

#[test]
fn a_vocabulary_leaves_out_the_numbers_that_it_does_not_have() {
    let mut folder = Folder::new();
    for number in [0, 7, 8] {
        folder.faces(&format!("train_set/{number}"), 3);
    }
    let dataset = folder
        .open_with(|settings| settings.vocabulary = Some("affectnet".parse().unwrap()))
        .unwrap();
    assert_eq!(dataset.class_names().names(), ["contempt", "neutral"]);
    says(
        &left_out(&dataset),
        &["train_set/8/000.png: unknown label: label `8`"],
    );
    says(&dataset.description().labels, &["affectnet: 0 neutral"]);
}
