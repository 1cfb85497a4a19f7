//! Judging a model on the data that it was trained on, read otherwise, and on others.

use std::fs;
use std::path::Path;

use fer_data::drawn::DrawnFaces;
use serde_json::Value;

use crate::{fer, stderr, stdout};

/// A folder of the eight expressions in 64 x 64 pixels, so many pictures of each.
fn faces(at: &Path, name: &str, each: u32) {
    let faces = DrawnFaces::new(5).subjects(each).takes(1);
    for index in 0..faces.len() {
        let face = faces.draw(index);
        let place = at.join(name).join(face.expression.name());
        fs::create_dir_all(&place).unwrap();
        let image = image::GrayImage::from_raw(48, 48, face.pixels).unwrap();
        let filter = image::imageops::FilterType::Triangle;
        let large = image::imageops::resize(&image, 64, 64, filter);
        large.save(place.join(format!("{index}.png"))).unwrap();
    }
}

fn train(at: &Path, data: &str, out: &str, more: &[&str]) {
    let flags = ["--data", data, "--arch", "vgg", "--set", "model.width=4"];
    let short = ["--epochs", "1", "--out", out];
    let output = fer(at, &[&flags[..], &short, more].concat());
    assert!(output.status.success(), "{}", stderr(&output));
}

fn evaluated(at: &Path, model: &str, more: &[&str]) -> Result<Value, String> {
    let output = fer(at, &[&["evaluate", model, "--json"], more].concat());
    match output.status.success() {
        true => Ok(serde_json::from_str(&stdout(&output)).unwrap()),
        false => Err(stderr(&output)),
    }
}

#[test]
fn its_own_pictures_read_otherwise_are_still_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    faces(at, "faces", 20);
    train(at, "faces", "run", &["--seed", "7"]);
    let model = "run/model.safetensors";
    let own = evaluated(at, model, &["--data", "faces"]).unwrap();
    assert_eq!((&own["split"], &own["n"]), (&"test".into(), &16.into()));

    let otherwise = ["--data", "faces", "--resize", "opencv-linear"];
    let read = evaluated(at, model, &otherwise).unwrap();
    assert_eq!((&read["split"], &read["n"]), (&"test".into(), &16.into()));
    assert_ne!(read["loss"], own["loss"], "the pixels are others");
    let refused = evaluated(at, model, &[&otherwise[..], &["--seed", "8"]].concat());
    assert!(
        refused
            .unwrap_err()
            .contains("trained on these very pictures, divided otherwise")
    );

    // Of other data all is judged, and that they may be its own and changed is said.
    faces(at, "others", 21);
    let said = stdout(&fer(at, &["evaluate", model, "--data", "others"]));
    let note = "note        the model was trained on folders of classes too, but not on these";
    assert!(said.contains(note), "{said}");
    let others = evaluated(at, model, &["--data", "others"]).unwrap();
    assert_eq!(
        (&others["split"], &others["n"]),
        (&"all".into(), &168.into())
    );
}

#[test]
fn a_directory_keeps_the_results_of_one_model_on_one_set_of_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    faces(at, "faces", 20);
    faces(at, "others", 21);
    train(at, "faces", "run", &[]);
    train(at, "faces", "second", &["--seed", "1"]);
    let evaluate = |model: &str, data: &str, out: &str| {
        evaluated(at, model, &["--data", data, "--out", out]).map(|_| ())
    };
    let page = |out: &str| fs::read_to_string(at.join(out).join("report.html")).unwrap();
    evaluate("run/model.safetensors", "faces", "judged").unwrap();
    assert!(page("judged").contains("of 16 pictures that it was not trained on."));
    evaluate("run/model.safetensors", "others", "foreign").unwrap();
    assert!(page("foreign").contains("of 168 pictures."));

    let other_data = "holds results on other data (folders of classes)";
    let other_model = "holds results of another model (vgg, trained on folders of classes)";
    for (model, data, out, words) in [
        ("run/model.safetensors", "others", "judged", other_data),
        ("run/model.safetensors", "others", "run", other_data),
        ("second/model.safetensors", "faces", "judged", other_model),
        ("second/model.safetensors", "faces", "run", other_model),
    ] {
        let figures = || fs::read(at.join(out).join("metrics.json")).unwrap();
        let before = figures();
        let situations = ["evaluate", model, "--robustness"];
        let regions = ["explain", "--model", model];
        for command in [&["evaluate", model][..], &situations, &regions] {
            let refused = fer(at, &[command, &["--data", data, "--out", out]].concat());
            let said = stderr(&refused);
            assert!(said.contains(words) && said.contains("--out"), "{said}");
        }
        assert_eq!(figures(), before);
    }
}

#[test]
fn figures_of_other_views_take_the_place_of_those_before_and_regions_stay() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    faces(at, "faces", 30);
    train(at, "faces", "run", &[]);
    let flags = ["--data", "faces", "--out", "judged"];
    let model = "run/model.safetensors";
    let situations = || evaluated(at, model, &[&flags[..], &["--robustness"]].concat());
    situations().unwrap();
    evaluated(at, model, &flags).unwrap();
    let is_there = |name: &str| at.join("judged").join(name).is_file();
    assert!(is_there("robustness.json"), "of the same model");

    let views = ["calibrate", model, "--views", "ten", "--data", "faces"];
    let viewed = fer(at, &[&views[..], &["--out", model]].concat());
    assert!(viewed.status.success(), "{}", stderr(&viewed));
    let refused = situations().unwrap_err();
    assert!(
        refused.contains("other views or another temperature"),
        "{refused}"
    );
    let few = [
        "explain",
        "--pictures",
        "1",
        "--random-networks",
        "0",
        "--model",
        model,
    ];
    let explained = fer(at, &[&few[..], &flags].concat());
    assert!(explained.status.success(), "{}", stderr(&explained));
    assert!(is_there("robustness.json"), "regions ask for one view");
    evaluated(at, model, &flags).unwrap();
    assert!(!is_there("robustness.json"), "of a model of one view");
    assert!(is_there("explanation.json"));
    situations().unwrap();
}
