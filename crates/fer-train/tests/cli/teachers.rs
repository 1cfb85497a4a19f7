use std::fs;
use std::path::Path;

use fer_data::drawn::DrawnFaces;
use fer_model::Device;
use fer_model::file;
use fer_model::ops::Engine;
use fer_train::config::Config;

use crate::{fer, stderr, stdout};

const SMALL: [&str; 9] = [
    "--data",
    "faces",
    "--set",
    "model.width=4",
    "--batch-size",
    "64",
    "--epochs",
    "1",
    "--out",
];

/// A folder of the eight expressions, so many people each.
fn faces(at: &Path, people: u32) {
    let faces = DrawnFaces::new(11).subjects(people).takes(1);
    for index in 0..faces.len() {
        let face = faces.draw(index);
        let place = at.join("faces").join(face.expression.name());
        fs::create_dir_all(&place).unwrap();
        let image = image::GrayImage::from_raw(48, 48, face.pixels).unwrap();
        image
            .save(place.join(format!("{}.png", face.subject)))
            .unwrap();
    }
}

fn train(at: &Path, more: &[&str], out: &str) -> String {
    let output = fer(at, &[&["--arch", "vgg"], more, &SMALL[..], &[out]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    stdout(&output)
}

#[test]
fn a_run_learns_from_two_models_says_so_everywhere_and_refuses_others_in_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    faces(at, 12);
    train(at, &[], "first");
    let teachers = [
        "--teacher",
        "first/model.safetensors",
        "--teacher",
        "builtin",
    ];
    let said = train(at, &teachers, "second");
    let first =
        "taught by   first/model.safetensors, trained on folders of classes: 25 % of each target";
    assert!(said.contains(first), "{said}");
    assert!(
        said.contains("taught by   builtin, trained on FER2013"),
        "{said}"
    );

    let path = at.join("second/model.safetensors");
    let model = file::load(&path, &Device::Cpu, Engine::detect()).unwrap();
    let distillation = model.description.training.distillation.unwrap();
    assert_eq!(distillation.share, 0.5);
    let [first, builtin] = distillation.teachers.as_slice() else {
        panic!("{distillation:?}");
    };
    assert!(!first.builtin && builtin.builtin);
    let card = fs::read_to_string(at.join("second/MODEL_CARD.md")).unwrap();
    for words in [
        "50 % of each training target was the answer of these on average: a model that was trained on folders of classes",
        &first.sha256,
        &builtin.sha256,
        "The model that taught it learned from FER2013 with FER+ votes. Licence",
    ] {
        assert!(card.contains(words), "{words} is missing in:\n{card}");
    }
    let config = Config::read(&at.join("second/config.toml")).unwrap();
    let settings = config.distillation.unwrap();
    assert_eq!(
        settings.sha256,
        [first.sha256.clone(), builtin.sha256.clone()]
    );

    let again = ["--config", "second/config.toml", "--out", "again"];
    assert!(fer(at, &again).status.success());
    let bytes = |run: &str| fs::read(at.join(run).join("model.safetensors")).unwrap();
    assert_eq!(bytes("again"), bytes("second"));
    fs::write(at.join("first/model.safetensors"), bytes("second")).unwrap();
    let output = fer(at, &["--config", "second/config.toml", "--out", "other"]);
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(
        said.contains("first/model.safetensors is not the teacher"),
        "{said}"
    );
}

#[test]
fn what_cannot_teach_is_refused_before_a_run_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for (flags, code, expected) in [
        (
            &["--teacher", "missing.safetensors"][..],
            1,
            "missing.safetensors",
        ),
        (
            &["--teacher", "builtin", "--set", "distillation.share=2"],
            2,
            "distillation.share = 2 is out of range",
        ),
        (
            &["--set", "distillation.share=0.5"],
            2,
            "distillation.teachers",
        ),
        (
            &["--teacher", "builtin", "--resize", "opencv-linear"],
            2,
            "builtin learned from pictures resized by antialiased",
        ),
    ] {
        let output = fer(at, &[flags, &["--out", "run"]].concat());
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(expected), "{expected}: {said}");
        assert!(!at.join("run").exists(), "{expected}");
    }
}

#[test]
fn a_resumed_run_finds_its_teacher_elsewhere_and_takes_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    faces(at, 12);
    train(at, &[], "first");
    train(at, &["--seed", "1"], "other");
    train(at, &["--teacher", "first/model.safetensors"], "second");
    fs::rename(at.join("first"), at.join("moved")).unwrap();
    let resume = |teacher: &str| {
        let flags = ["--resume", "second", "--epochs", "2", "--teacher", teacher];
        fer(at, &flags)
    };
    let refused = resume("other/model.safetensors");
    assert_eq!(refused.status.code(), Some(1));
    let said = stderr(&refused);
    assert!(
        said.contains("other/model.safetensors is not the teacher"),
        "{said}"
    );
    let resumed = resume("moved/model.safetensors");
    assert!(resumed.status.success(), "{}", stderr(&resumed));
    let said = stdout(&resumed);
    assert!(
        said.contains("taught by   moved/model.safetensors"),
        "{said}"
    );
}
