use std::fs;

use fer_data::audit::{Audit, audit};
use fer_data::{OpenSettings, Split, open};
use image::{GrayImage, Luma};

use crate::folder::{Folder, says};

fn look(folder: &Folder) -> Audit {
    audit(&folder.open().unwrap()).unwrap()
}

fn warnings(audit: &Audit) -> String {
    let lines = audit.warnings.iter();
    lines
        .map(|warning| format!("{} [{}]\n", warning.message, warning.remedy))
        .collect()
}

fn grey(folder: &Folder, name: &str, value: impl Fn(u32) -> u8) {
    let path = folder.path().join(name);
    GrayImage::from_fn(48, 48, |x, _| Luma([value(x)]))
        .save(path)
        .unwrap();
}

#[test]
fn a_balanced_clean_folder_has_counts_and_no_warning() {
    let mut folder = Folder::new();
    for split in ["train", "validation", "test"] {
        folder.faces(&format!("{split}/happy"), 12);
        folder.faces(&format!("{split}/sad"), 11);
    }
    let audit = look(&folder);
    assert_eq!(warnings(&audit), "");
    assert_eq!(audit.layout.as_deref(), Some("classes"));
    assert_eq!((audit.pictures, audit.splits.of(Split::Test)), (69, 23));
    assert_eq!(audit.classes[1].name, "sad");
    assert_eq!(audit.classes[1].pictures.validation, 11);
    assert!(audit.subjects.is_empty() && audit.flat.is_empty() && audit.skipped.is_empty());
    assert_eq!(audit.copies.groups, 0);
}

#[test]
fn copies_are_counted_within_and_across_and_conflicts_are_named() {
    let mut folder = Folder::new();
    for split in ["train", "validation", "test"] {
        folder.faces(&format!("{split}/happy"), 12);
        folder.faces(&format!("{split}/sad"), 12);
    }
    let copy = |from: &str, to: &str| {
        let at = |name: &str| folder.path().join(name);
        fs::copy(at(from), at(to)).unwrap();
    };
    copy("train/happy/000.png", "train/happy/b.png");
    copy("train/happy/000.png", "train/sad/b.png");
    copy("train/happy/001.png", "validation/happy/b.png");
    copy("train/happy/002.png", "test/happy/b.png");
    copy("validation/sad/003.png", "test/sad/b.png");
    let audit = look(&folder);
    let copies = &audit.copies;
    assert_eq!(
        (copies.groups, copies.within.train, copies.within.test),
        (4, 2, 0)
    );
    assert_eq!(
        (
            copies.validation_in_train,
            copies.test_in_train,
            copies.test_in_validation
        ),
        (1, 1, 1)
    );
    assert_eq!(copies.conflicting.len(), 1);
    assert_eq!(copies.conflicting[0].len(), 3);
    says(
        &warnings(&audit),
        &[
            "1 of 25 validation pictures also stand in train",
            "--dedup",
            "1 of 26 test pictures also stand in validation",
            "1 group of equal pictures has different labels",
            "sad/b.png (sad in train)",
        ],
    );
}

#[test]
fn flat_and_nearly_black_pictures_are_found() {
    let mut folder = Folder::new();
    folder.faces("happy", 4);
    folder.faces("sad", 4);
    grey(&folder, "happy/flat.png", |_| 128);
    grey(&folder, "happy/black.png", |_| 0);
    grey(&folder, "sad/dim.png", |x| if x == 3 { 14 } else { 2 });
    grey(&folder, "sad/bright.png", |x| if x == 3 { 70 } else { 60 });
    let audit = look(&folder);
    let names = |found: &[fer_data::audit::Finding]| -> Vec<String> {
        let names = found.iter();
        names
            .map(|finding| finding.picture.rsplit('/').next().unwrap().to_string())
            .collect()
    };
    assert_eq!(names(&audit.flat), ["black.png", "flat.png"]);
    assert_eq!(names(&audit.nearly_black), ["dim.png"]);
    says(
        &warnings(&audit),
        &[
            "2 pictures are of one single grey",
            "1 picture is nearly black",
        ],
    );
}

#[test]
fn small_and_steep_classes_are_warned_of_with_their_remedies() {
    let mut folder = Folder::new();
    folder.faces("happy", 200);
    folder.faces("fear", 9);
    let audit = look(&folder);
    says(
        &warnings(&audit),
        &[
            "fewer than 10 pictures in train are too few to learn from: fear 7",
            "fewer than 10 pictures in validation are too few to judge by: fear 1",
            "train has 160 pictures of happy and 7 of fear",
            "--label-map",
            "macro F1",
        ],
    );
}

#[test]
fn people_on_two_sides_and_people_of_one_class_are_warned_of() {
    let mut folder = Folder::new();
    folder.people("train/", 3);
    folder.people("test/", 1);
    says(
        &warnings(&look(&folder)),
        &["1 person (0) stand in train and in validation or test"],
    );
    let mut folder = Folder::new();
    let mut rows = String::from("path,label,subject\n");
    for number in 0..30 {
        folder.face(&format!("{number}.png"));
        let (label, person) = (["happy", "sad"][number / 3 % 2], number / 3);
        rows += &format!("{number}.png,{label},p{person}\n");
    }
    folder.write("manifest.csv", rows);
    says(
        &warnings(&look(&folder)),
        &["each of the 10 people shows one class alone"],
    );
}

#[test]
fn the_audit_of_the_sources_folder_names_people_groups_and_broken_files_in_json() {
    let mut folder = Folder::new();
    folder.people("images/", 19);
    folder.write("images/3/Happy.png", "broken");
    let table: String = (0..19)
        .map(|id| format!("{id},{},x\n", 20 + id % 3))
        .collect();
    folder.write("people.csv", format!("id,age,country\n{table}"));
    let audit = look(&folder);
    assert_eq!(audit.layout.as_deref(), Some("people"));
    assert_eq!(audit.subjects.len(), 19);
    assert!(audit.subjects.iter().all(|subject| subject.classes >= 7));
    assert_eq!(audit.groups[0].values["20"], 7 * 8 - 1);
    assert_eq!(audit.groups[0].values["21"], 6 * 8);
    assert_eq!(
        audit.skipped_by_reason["named like a picture, but is none"],
        1
    );
    says(&warnings(&audit), &["1 entry cannot be used", "--strict"]);
    let json = serde_json::to_value(&audit).unwrap();
    let sides = ["train", "validation", "test"];
    let sum: u64 = sides
        .map(|side| json["splits"][side].as_u64().unwrap())
        .iter()
        .sum();
    assert_eq!(sum, 151);
    assert_eq!(json["notes"][0]["level"], "note");
    assert_eq!(
        json["skipped"][0]["reason"],
        "named like a picture, but is none"
    );
}

/// The real rows, where the folder named by `FER2013_DIR` holds them.
#[test]
fn what_is_known_of_fer2013_is_found() {
    let Some(table) = crate::fer2013() else {
        return;
    };
    let dataset = open(&table, &OpenSettings::default()).unwrap();
    let audit = audit(&dataset).unwrap();
    assert_eq!(audit.pictures, 32_298);
    assert_eq!(audit.copies.validation_in_train, 280);
    assert_eq!(audit.copies.within.train, 1_236);
    assert_eq!(audit.flat.len(), 12);
    assert_eq!(audit.copies.conflicting.len(), 47);
}
