use std::fs;

use serde_json::Value;

use crate::{course_folder, fer, stderr, stdout};

#[test]
fn people_with_expressions_as_file_names_are_told_from_classes_trained_and_evaluated() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    course_folder(&at.join("course"));
    for (data, beside) in [("course", true), ("course/images", true), ("bare", false)] {
        if !beside {
            fs::rename(at.join("course/images"), at.join("bare")).unwrap();
        }
        let inspected = fer(at, &["inspect", data, "--json"]);
        assert!(inspected.status.success(), "{data}: {}", stderr(&inspected));
        let found: Value = serde_json::from_str(&stdout(&inspected)).unwrap();
        assert_eq!(found["layout"], "people");
        assert_eq!(found["pictures"], 152);
        assert_eq!(found["subjects"].as_array().unwrap().len(), 19);
        assert_eq!(
            found["groups"].as_array().unwrap().is_empty(),
            !beside,
            "{data}"
        );
    }
    let trained = fer(
        at,
        &[
            "--data", "bare", "--arch", "cnn", "--epochs", "2", "--out", "run",
        ],
    );
    assert!(trained.status.success(), "{}", stderr(&trained));
    assert!(stdout(&trained).contains("the expressions are the classes, the folders the subjects"));
    let judged = fer(
        at,
        &[
            "evaluate",
            "run/model.safetensors",
            "--data",
            "bare",
            "--json",
        ],
    );
    assert_eq!(
        stdout(&judged),
        fs::read_to_string(at.join("run/metrics.json")).unwrap()
    );
    let people = fer(
        at,
        &[
            "evaluate",
            "run/model.safetensors",
            "--data",
            "bare",
            "--layout",
            "classes",
        ],
    );
    assert_eq!(people.status.code(), Some(1));
    assert!(
        stderr(&people).contains("surprised") && stderr(&people).contains("0 1 10 11"),
        "{}",
        stderr(&people)
    );
}

#[test]
fn the_sources_own_mapping_can_be_asked_for_and_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    course_folder(&at.join("course"));
    let names = [
        "happy",
        "sad",
        "angry",
        "surprised",
        "contempt",
        "disgust",
        "fear",
        "neutral",
    ];
    let lines: Vec<String> = names
        .iter()
        .enumerate()
        .map(|(number, name)| format!("\"{number}\" = \"{name}\""))
        .collect();
    fs::write(at.join("map.toml"), lines.join("\n")).unwrap();
    let arguments = [
        "--data",
        "course",
        "--label-map",
        "map.toml",
        "--epochs",
        "1",
        "--out",
        "run",
    ];
    let trained = fer(at, &arguments);
    assert!(trained.status.success(), "{}", stderr(&trained));
    let said = stdout(&trained);
    assert!(
        said.contains("name people and not expressions") && said.contains("11 of 19 folders"),
        "{said}"
    );
    let skipped = fs::read_to_string(at.join("run/skipped.csv")).unwrap();
    assert_eq!(
        skipped
            .lines()
            .filter(|line| line.contains("label map leaves out"))
            .count(),
        88
    );
}

#[test]
fn files_left_out_are_listed_strict_refuses_them_and_the_sheet_shows_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    course_folder(&at.join("course"));
    fs::write(at.join("course/images/3/Happy.jpg"), "not a picture").unwrap();
    let inspected = fer(at, &["inspect", "course", "--out", "inspection"]);
    assert!(inspected.status.success());
    assert!(
        stdout(&inspected).contains("images/3/Happy.jpg: named like a picture, but is none: "),
        "{}",
        stdout(&inspected)
    );
    let skipped = fs::read_to_string(at.join("inspection/skipped.csv")).unwrap();
    assert!(skipped.contains("images/3/Happy.jpg"), "{skipped}");
    let sheet = image::open(at.join("inspection/contact_sheet.png")).unwrap();
    assert!(sheet.width() > 16 * 48 && sheet.height() > 8 * 48);
    let refused = fer(at, &["--data", "course", "--strict", "--out", "run"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        stderr(&refused).contains("images/3/Happy.jpg"),
        "{}",
        stderr(&refused)
    );
    assert!(!at.join("run").exists());
}

#[test]
fn a_model_is_not_judged_on_pictures_that_may_have_trained_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    course_folder(&at.join("course"));
    let trained = fer(
        at,
        &[
            "--data", "course", "--arch", "cnn", "--epochs", "1", "--out", "run",
        ],
    );
    assert!(trained.status.success(), "{}", stderr(&trained));
    let evaluate = ["evaluate", "run/model.safetensors", "--data", "course"];
    for flags in [
        &["--seed", "5"][..],
        &["--test-fraction", "0.3"],
        &["--validation-fraction", "0.2"],
    ] {
        let judged = fer(at, &[&evaluate[..], flags].concat());
        assert_eq!(judged.status.code(), Some(1), "{flags:?}");
        assert!(
            stderr(&judged).contains("may have trained it"),
            "{}",
            stderr(&judged)
        );
    }
    let all = fer(at, &[&evaluate[..], &["--split", "all"]].concat());
    assert!(all.status.success() && stdout(&all).contains("most of them trained it"));
}

#[test]
fn training_warns_of_people_on_both_sides_of_one_class_and_of_nothing_to_judge_by() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    course_folder(&at.join("course"));
    let mut rows = vec!["path,label,subject,split".to_string()];
    for person in 0..6 {
        for (name, split) in [
            ("Happy", "train"),
            ("Sad", "validation"),
            ("Happy", "validation"),
            ("Sad", "train"),
        ] {
            if (person < 3) == (split == "train") || person == 0 {
                rows.push(format!(
                    "images/{person}/{name}.jpg,{name},{person},{split}"
                ));
            }
        }
    }
    rows.dedup();
    let mut seen = std::collections::BTreeSet::new();
    rows.retain(|row| seen.insert(row.split(',').next().unwrap().to_string()));
    rows.push("images/0/Fear.jpg,Sad,0,validation".into());
    fs::write(at.join("course/manifest.csv"), rows.join("\n")).unwrap();
    let trained = fer(
        at,
        &[
            "--data",
            "course/manifest.csv",
            "--arch",
            "cnn",
            "--epochs",
            "1",
            "--out",
            "run",
        ],
    );
    assert!(trained.status.success(), "{}", stderr(&trained));
    assert!(
        stdout(&trained).contains("stand in train and in validation or test"),
        "{}",
        stdout(&trained)
    );

    fs::create_dir_all(at.join("one/happy")).unwrap();
    fs::copy(
        at.join("course/images/0/Happy.jpg"),
        at.join("one/happy/a.jpg"),
    )
    .unwrap();
    let trained = fer(
        at,
        &[
            "--data", "one", "--arch", "cnn", "--epochs", "1", "--out", "alone",
        ],
    );
    assert!(trained.status.success(), "{}", stderr(&trained));
    let said = stdout(&trained);
    assert!(
        said.contains("the only class") && said.contains("nothing validates and nothing tests"),
        "{said}"
    );
    assert!(
        said.contains("result      none") && !at.join("alone/metrics.json").exists(),
        "{said}"
    );
}

#[test]
fn the_way_of_resizing_travels_with_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    course_folder(&at.join("course"));
    for person in 0..19 {
        let path = at.join(format!("course/images/{person}/Happy.jpg"));
        let large = image::open(&path).unwrap().resize_exact(
            130,
            110,
            image::imageops::FilterType::CatmullRom,
        );
        large.save(&path).unwrap();
    }
    for how in ["antialiased", "opencv-linear"] {
        let arguments = [
            "--data", "course", "--resize", how, "--arch", "cnn", "--epochs", "1", "--out", how,
        ];
        assert!(fer(at, &arguments).status.success());
        let model = format!("{how}/model.safetensors");
        let judged = fer(at, &["evaluate", &model, "--data", "course", "--json"]);
        assert_eq!(
            stdout(&judged),
            fs::read_to_string(at.join(how).join("metrics.json")).unwrap()
        );
    }
    let bytes = |how: &str| fs::read(at.join(how).join("model.safetensors")).unwrap();
    assert_ne!(bytes("antialiased"), bytes("opencv-linear"));
}
