use std::path::{Path, PathBuf};

use fer_data::{Dataset, Layout, OpenSettings, Split, open};

use crate::folder::{Folder, classes, left_out, notices, refusal, says, sizes};

fn table(folder: &Folder, rows: &str) -> PathBuf {
    folder.write("list.csv", rows)
}

fn read(path: &Path) -> Dataset {
    open(path, &OpenSettings::default()).unwrap()
}

#[test]
fn a_manifest_tells_labels_subjects_splits_and_groups() {
    let mut folder = Folder::new();
    for number in 0..6 {
        folder.face(&format!("pictures/{number}.png"));
    }
    let path = table(
        &folder,
        "Image Path,Expression,Subject,Usage,camera\n\
         pictures/0.png,Joy,anna,train,A\n\
         pictures/1.png,sadness,anna,Training,B\n\
         pictures\\2.png,happy,bert,val,A\n\
         pictures/3.png,sad,bert,validation,\n\
         ./pictures/4.png,happy,cora,test,B\n\
         pictures/5.png,sad,,test,B\n",
    );
    let dataset = read(&path);
    assert_eq!(dataset.description().layout, Some(Layout::Manifest));
    assert_eq!(dataset.class_names().names(), ["happy", "sad"]);
    assert_eq!(sizes(&dataset), [2, 2, 2]);
    let subjects: Vec<Option<String>> = (0..6)
        .map(|index| {
            let subject = dataset.entry(index).subject;
            subject.map(|subject| dataset.subject_name(subject))
        })
        .collect();
    let name = |name: &str| Some(name.to_string());
    assert_eq!(
        subjects,
        [
            name("anna"),
            name("anna"),
            name("bert"),
            name("bert"),
            name("cora"),
            None
        ]
    );
    assert_eq!(dataset.group("camera", 1), Some("B"));
    assert_eq!(dataset.group("camera", 3), None);
    assert!(dataset.skipped().is_empty(), "{}", left_out(&dataset));
    assert!(dataset.file(2).unwrap().ends_with("pictures/2.png"));
}

#[test]
fn a_folder_with_a_manifest_is_read_by_it() {
    let mut folder = Folder::new();
    folder.faces("0", 4);
    folder.write(
        "manifest.csv",
        "path,label\n0/000.png,happy\n0/001.png,sad\n0/002.png,sad\n",
    );
    let dataset = folder.open().unwrap();
    assert_eq!(classes(&dataset)["sad"], 2);
}

#[test]
fn each_bad_row_is_left_out_with_its_reason_and_strict_refuses_it() {
    for (row, words) in [
        (
            "0.png,sad,train,x",
            &[
                "malformed row",
                "list.csv, row 4 (line 5)",
                "4 fields, expected 3",
            ][..],
        ),
        (",sad,train", &["malformed row", "it names no path"]),
        (
            "0.png,sad,train",
            &[
                "path that is listed twice",
                "0.png stands in row 1 as happy, and here as sad",
            ],
        ),
        (
            "./0.png,happy,train",
            &["path that is listed twice", "stands in row 1"],
        ),
        (
            "gone.png,sad,train",
            &["path where no file lies", "gone.png"],
        ),
        (
            "1.PNG,sad,train",
            &[
                "path where no file lies",
                "1.png lies there, whose name differs in letter case only",
            ],
        ),
        ("3.png,,train", &["unknown label", "no label for 3.png"]),
        (
            "3.png,sad,later",
            &[
                "unknown split",
                "`later`, expected train, validation or test",
            ],
        ),
        ("3.png,sad,", &["unknown split"]),
        (".,sad,train", &["neither file nor folder"]),
        ("void.png,sad,train", &["empty file", "void.png"]),
    ] {
        let folder = Folder::new();
        for number in 0..4 {
            folder.face_number(&format!("{number}.png"), number);
        }
        folder.write("void.png", "");
        let path = table(
            &folder,
            &format!(
                "path,label,split\n0.png,happy,train\n1.png,sad,train\n2.png,sad,validation\n{row}\n"
            ),
        );
        let dataset = read(&path);
        assert_eq!(dataset.len(), 3);
        assert_eq!(dataset.skipped().len(), 1);
        says(&left_out(&dataset), words);
        let strict = OpenSettings {
            strict: true,
            ..OpenSettings::default()
        };
        says(
            &refusal(open(&path, &strict)),
            &["1 of 4 entries", words[0]],
        );
    }
}

#[test]
fn rows_that_are_not_text_are_left_out_and_the_others_kept() {
    let mut folder = Folder::new();
    folder.face("0.png");
    folder.face("1.png");
    let path = folder.write(
        "list.csv",
        b"path,label\n0.png,happy\n1.png,sad\n\xff.png,sad\n",
    );
    let dataset = read(&path);
    assert_eq!(dataset.len(), 2);
    says(&left_out(&dataset), &["row 3", "it is not UTF-8"]);
}

#[test]
fn numbers_and_misspelt_labels_stop_until_they_are_settled() {
    let mut folder = Folder::new();
    for number in 0..4 {
        folder.face(&format!("{number}.png"));
    }
    let path = table(&folder, "path,label\n0.png,0\n1.png,3\n2.png,6\n3.png,3\n");
    says(
        &refusal(open(&path, &OpenSettings::default())),
        &["numbers 0, 3, 6", "--vocabulary", "--layout manifest"],
    );
    let settings = OpenSettings {
        vocabulary: Some("fer2013".parse().unwrap()),
        ..OpenSettings::default()
    };
    let dataset = open(&path, &settings).unwrap();
    assert_eq!(dataset.class_names().names(), ["angry", "happy", "neutral"]);

    let path = table(&folder, "path,label\n0.png,hapy\n1.png,happy\n2.png,sad\n");
    says(
        &refusal(open(&path, &OpenSettings::default())),
        &["happy, sad are expressions, but hapy are not"],
    );
    let settings = OpenSettings {
        layout: Some(Layout::Manifest),
        ..OpenSettings::default()
    };
    let dataset = open(&path, &settings).unwrap();
    assert_eq!(dataset.class_names().names(), ["happy", "hapy", "sad"]);
}

#[test]
fn columns_with_a_value_a_picture_are_no_groups() {
    let mut folder = Folder::new();
    let mut rows = String::from("path,label,landmarks,camera\n");
    for number in 0..120 {
        folder.face(&format!("{number}.png"));
        let label = ["happy", "sad"][number % 2];
        rows += &format!("{number}.png,{label},{}.5,A\n", number * 3);
    }
    let dataset = read(&table(&folder, &rows));
    assert_eq!(dataset.description().groups.len(), 1);
    assert_eq!(dataset.group("camera", 0), Some("A"));
    says(&notices(&dataset), &["landmarks", "no groups"]);
}

#[test]
fn a_manifest_without_splits_is_divided_by_its_subjects() {
    let mut folder = Folder::new();
    let mut rows = String::from("path,label,subject\n");
    for number in 0..60 {
        folder.face(&format!("{number}.png"));
        let label = ["happy", "sad", "fear"][number % 3];
        rows += &format!("{number}.png,{label},p{}\n", number / 6);
    }
    let dataset = read(&table(&folder, &rows));
    assert_eq!(sizes(&dataset), [48, 6, 6]);
    let side = |index: usize| (dataset.entry(index).subject, dataset.entry(index).split);
    for index in 0..60 {
        assert_eq!(side(index), side(index / 6 * 6));
    }
    assert!(dataset.indices(Split::Test).len() == 6 && dataset.split_rule().contains("by subject"));
}

#[test]
fn a_column_of_a_name_that_an_earlier_one_has_is_told() {
    let mut folder = Folder::new();
    folder.face("a.png");
    folder.face("b.png");
    let path = table(
        &folder,
        "path,label,age,camera,age\na.png,happy,7,A,8\nb.png,sad,7,A,9\n",
    );
    let dataset = read(&path);
    says(
        &notices(&dataset),
        &["the columns age more than once", "the first is read"],
    );
    assert_eq!(dataset.description().groups.len(), 2);
    assert_eq!(dataset.group("age", 1), Some("7"));
}
