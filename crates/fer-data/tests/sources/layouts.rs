use fer_data::{Expression, Layout, Split, Vocabulary};

use crate::folder::{Folder, SOURCE_NAMES, classes, left_out, notices, refusal, says, sizes};

#[test]
fn a_folder_for_each_class_gives_canonical_names_in_alphabetical_order() {
    let mut folder = Folder::new();
    for (name, count) in [("Surprise", 3), ("anger", 4), ("HAPPINESS", 5)] {
        folder.faces(name, count);
    }
    let dataset = folder.open().unwrap();
    assert_eq!(
        dataset.class_names().names(),
        ["angry", "happy", "surprised"]
    );
    assert_eq!(
        classes(&dataset).into_values().collect::<Vec<_>>(),
        [4, 5, 3]
    );
    assert_eq!(dataset.description().layout, Some(Layout::Classes));
    assert!(dataset.skipped().is_empty(), "{}", left_out(&dataset));
    let index = (0..dataset.len()).find(|&index| dataset.origin(index).contains("HAPPINESS"));
    let label = dataset.entry(index.unwrap()).label;
    assert_eq!(dataset.class_names().name(label), "happy");
}

#[test]
fn other_names_become_a_list_of_their_own() {
    let mut folder = Folder::new();
    folder.faces("bored", 3);
    folder.faces("attentive", 3);
    let dataset = folder.open().unwrap();
    assert_eq!(dataset.class_names().names(), ["attentive", "bored"]);
}

#[test]
fn the_splits_of_the_known_data_sets_are_read_from_their_folders() {
    for (train, validation, test) in [
        ("train", None, Some("test")),
        ("train", Some("validation"), Some("test")),
        ("Training", Some("PublicTest"), Some("PrivateTest")),
        ("train_set", Some("val_set"), None),
    ] {
        let mut folder = Folder::new();
        for split in [Some(train), validation, test].into_iter().flatten() {
            folder.faces(&format!("data/{split}/happy"), 10);
            folder.faces(&format!("data/{split}/sad"), 10);
        }
        let dataset = folder.open().unwrap();
        let cut = if validation.is_none() { 2 } else { 0 };
        let expected = [
            20 - cut,
            if validation.is_some() { 20 } else { cut },
            if test.is_some() { 20 } else { 0 },
        ];
        assert_eq!(sizes(&dataset), expected, "{}", dataset.split_rule());
        for index in dataset.indices(Split::Test) {
            assert!(dataset.origin(index).contains(test.unwrap()));
        }
        assert_eq!(dataset.class_names().names(), ["happy", "sad"]);
    }
}

#[test]
fn the_folder_of_the_source_document_is_a_folder_of_people() {
    let mut folder = Folder::new();
    folder.people("images/", 19);
    for path in [folder.path().to_path_buf(), folder.path().join("images")] {
        let dataset = fer_data::open(&path, &Default::default()).unwrap();
        assert_eq!(dataset.class_names(), &Expression::class_names());
        assert_eq!(dataset.description().layout, Some(Layout::People));
        assert!(classes(&dataset).into_values().all(|count| count == 19));
        assert_eq!(sizes(&dataset), [120, 16, 16]);
        assert!(dataset.description().groups.is_empty());
        says(
            &notices(&dataset),
            &[
                "note: each of the 19 folders",
                "is a person",
                "Anger",
                "--layout classes",
            ],
        );
        for index in 0..dataset.len() {
            let subject = dataset.subject_name(dataset.entry(index).subject.unwrap());
            let origin = dataset.origin(index);
            let label = dataset.entry(index).label;
            let file = format!("images/{subject}/{}.png", SOURCE_NAMES[label]);
            assert!(origin.ends_with(&file), "{origin}");
        }
    }
}

#[test]
fn the_table_of_people_beside_their_folders_tells_their_groups() {
    let mut folder = Folder::new();
    folder.people("images/", 6);
    folder.write(
        "emotions.csv",
        "Set ID,Gender,Age,Country\n0,MALE,24,Italy\n1,FEMALE,31,Japan\n3,MALE,,Kenya\n4,MALE,24,Peru\n",
    );
    for path in [folder.path().to_path_buf(), folder.path().join("images")] {
        let dataset = fer_data::open(&path, &Default::default()).unwrap();
        let names: Vec<&str> = dataset
            .description()
            .groups
            .iter()
            .map(|column| column.name.as_str())
            .collect();
        assert_eq!(names, ["Gender", "Age", "Country"]);
        let of = |person: &str, column| {
            let mut indices = 0..dataset.len();
            let place = format!("images/{person}/Fear.png");
            let index = indices.find(|&index| dataset.origin(index).ends_with(&place));
            dataset.group(column, index.unwrap()).map(String::from)
        };
        assert_eq!(of("1", "Country").as_deref(), Some("Japan"));
        assert_eq!(of("3", "Age"), None);
        assert_eq!(of("5", "Gender"), None);
        says(&notices(&dataset), &["emotions.csv", "all but 2, 5"]);
        assert!(dataset.skipped().is_empty(), "{}", left_out(&dataset));
    }
}

#[test]
fn a_table_above_the_folder_that_knows_other_people_too_is_not_theirs() {
    let mut folder = Folder::new();
    folder.people("images/", 6);
    let rows: Vec<String> = (0..40).map(|id| format!("{id},{}", id + 20)).collect();
    folder.write("customers.csv", format!("id,age\n{}\n", rows.join("\n")));
    let images = folder.path().join("images");
    let open = || fer_data::open(&images, &Default::default()).unwrap();
    assert!(open().description().groups.is_empty());
    folder.write(
        "customers.csv",
        format!("id,age\n{}\n", rows[..6].join("\n")),
    );
    assert_eq!(open().description().groups[0].name, "age");
}

#[test]
fn people_with_folders_of_expressions_are_people_too() {
    let mut folder = Folder::new();
    for person in ["anna", "bert", "cora", "dora"] {
        for expression in ["happy", "sad", "neutral"] {
            folder.faces(&format!("{person}/{expression}"), 2);
        }
    }
    let dataset = folder.open().unwrap();
    assert_eq!(dataset.description().layout, Some(Layout::People));
    assert_eq!(dataset.class_names().names(), ["happy", "neutral", "sad"]);
    assert_eq!(
        dataset.description().subject_names,
        ["anna", "bert", "cora", "dora"]
    );
}

#[test]
fn the_sources_own_mapping_is_followed_when_asked_for_and_its_mistake_is_named() {
    let mut folder = Folder::new();
    folder.people("", 19);
    let map = folder.write(
        "map/labels.toml",
        "\"0\" = \"happy\"\n\"1\" = \"sad\"\n\"2\" = \"angry\"\n\"3\" = \"surprised\"\n\"4\" = \"contempt\"\n\"5\" = \"disgust\"\n\"6\" = \"fear\"\n\"7\" = \"neutral\"\n",
    );
    let elsewhere = tempfile::tempdir().unwrap();
    let moved = elsewhere.path().join("labels.toml");
    std::fs::rename(&map, &moved).unwrap();
    std::fs::remove_dir(map.parent().unwrap()).unwrap();
    let dataset = folder
        .open_with(|settings| settings.label_map = Some(moved))
        .unwrap();
    assert_eq!(dataset.description().layout, Some(Layout::Classes));
    assert_eq!(dataset.len(), 64);
    assert_eq!(dataset.skipped().len(), 88);
    assert_eq!(classes(&dataset)["happy"], 8);
    assert_eq!(dataset.entry(0).subject, None);
    says(
        &notices(&dataset),
        &[
            "warning: the folders",
            "one person each",
            "name people and not expressions",
            "8 people apart",
            "11 of 19 folders with 88 pictures are left out",
            "Leave out --label-map",
        ],
    );
    says(
        &left_out(&dataset),
        &["label that the label map leaves out", "label `18`"],
    );
}

#[test]
fn bare_numbers_stop_and_name_the_flags_and_the_data_sets_that_number_so() {
    let mut folder = Folder::new();
    for split in ["train", "test"] {
        for number in 1..=7 {
            folder.faces(&format!("{split}/{number}"), 4);
        }
    }
    says(
        &refusal(folder.open()),
        &[
            "the labels are the numbers 1, 2, 3, 4, 5, 6, 7",
            "--label-map FILE",
            "--vocabulary rafdb (1 surprised, 2 fear",
            "--layout people",
            "--layout classes",
        ],
    );
    let dataset = folder
        .open_with(|settings| settings.vocabulary = Some(Vocabulary::RafDb))
        .unwrap();
    assert_eq!(dataset.class_names(), &Expression::seven_class_names());
    let first = dataset.indices(Split::Test)[0];
    assert!(dataset.origin(first).contains("test/1/"));
    let label = dataset.entry(first).label;
    assert_eq!(dataset.class_names().name(label), "surprised");
    let dataset = folder
        .open_with(|settings| settings.layout = Some(Layout::Classes))
        .unwrap();
    assert_eq!(dataset.class_names().name(6), "7");
}

#[test]
fn what_can_be_understood_in_two_ways_stops_with_both_flags() {
    let mut folder = Folder::new();
    for name in ["happy", "sad"] {
        for file in ["angry", "fear", "neutral"] {
            folder.face(&format!("{name}/{file}.png"));
        }
    }
    says(
        &refusal(folder.open()),
        &[
            "both the folders (happy, sad)",
            "--layout classes",
            "--layout people",
        ],
    );
    let with = |layout| {
        let dataset = folder.open_with(|settings| settings.layout = Some(layout));
        dataset.unwrap().class_names().names().to_vec()
    };
    assert_eq!(with(Layout::Classes), ["happy", "sad"]);
    assert_eq!(with(Layout::People), ["angry", "fear", "neutral"]);

    let mut folder = Folder::new();
    for person in 1..5 {
        folder.faces(&format!("subject_{person:02}"), 3);
    }
    says(
        &refusal(folder.open()),
        &[
            "named like people",
            "subject_01",
            "--layout classes",
            "path,label,subject",
        ],
    );

    let mut folder = Folder::new();
    for name in ["happy", "sad", "confused"] {
        folder.faces(name, 3);
    }
    says(
        &refusal(folder.open()),
        &[
            "happy, sad are expressions, but confused",
            "--label-map FILE",
            "--layout classes",
        ],
    );
    assert_eq!(
        folder
            .open_with(|settings| settings.layout = Some(Layout::Classes))
            .unwrap()
            .class_names()
            .names(),
        ["confused", "happy", "sad"]
    );
}

#[test]
fn pictures_without_folders_and_single_pictures_are_told_what_to_do() {
    let mut folder = Folder::new();
    let picture = folder.face("1.png");
    folder.face("2.png");
    says(
        &refusal(folder.open()),
        &[
            "2 pictures in no folder",
            "folder for each class",
            "manifest.csv",
        ],
    );
    says(
        &refusal(fer_data::open(&picture, &Default::default())),
        &["1.png", "single picture"],
    );
    let mut affectnet = Folder::new();
    affectnet.faces("train_set/images", 3);
    affectnet.write("train_set/annotations/0_exp.npy", "x");
    affectnet.faces("val_set/images", 3);
    says(
        &refusal(affectnet.open()),
        &[
            "the pictures lie in annotations, images",
            "says nothing about what they show",
            "manifest.csv",
            "--layout classes",
        ],
    );
    let empty = Folder::new();
    says(&refusal(empty.open()), &["the folder is empty"]);
}

#[test]
fn layouts_are_refused_where_they_cannot_be() {
    let mut folder = Folder::new();
    folder.faces("happy", 2);
    let with = |layout| refusal(folder.open_with(|settings| settings.layout = Some(layout)));
    says(&with(Layout::Csv), &["no fer2013.csv"]);
    says(&with(Layout::Manifest), &["no manifest.csv"]);
    let votes = refusal(folder.open_with(|settings| settings.ferplus = Some("votes.csv".into())));
    says(&votes, &["ferplus", "belong to a fer2013.csv"]);
    let both = refusal(folder.open_with(|settings| {
        settings.vocabulary = Some(Vocabulary::RafDb);
        settings.label_map = Some("map.toml".into());
    }));
    says(&both, &["not both"]);
}

#[test]
fn the_order_of_writing_does_not_change_the_data() {
    let names = [
        "happy/b.png",
        "happy/a.png",
        "sad/B.png",
        "sad/c.png",
        "sad/a.png",
    ];
    let hash = |order: &[usize]| {
        let folder = Folder::new();
        for &place in order {
            folder.face_number(names[place], place);
        }
        let dataset = folder.open().unwrap();
        let origin = |index| {
            let origin = dataset.origin(index);
            origin.rsplit('/').next().unwrap().to_string()
        };
        let origins: Vec<String> = (0..dataset.len()).map(origin).collect();
        assert_eq!(origins, ["a.png", "b.png", "B.png", "a.png", "c.png"]);
        (dataset.hash().to_string(), sizes(&dataset))
    };
    assert_eq!(hash(&[0, 1, 2, 3, 4]), hash(&[4, 2, 3, 1, 0]));
}
