use std::fs;
use std::path::Path;

use fer_model::file::{self, Description, TemperatureOrigin};
use fer_model::ops::Engine;
use fer_model::{Classifier, Device, Picture, Views};
use image::GrayImage;
use image::imageops::flip_horizontal;

use crate::{fer, small_run, small_table, stderr, stdout};

const DATA: [&str; 4] = ["--data", "fer2013.csv", "--ferplus", "fer2013new.csv"];
const VALIDATION: [&str; 2] = ["--validation-fraction", "0.4"];

fn description(model: &Path) -> Description {
    let model = file::load(model, &Device::Cpu, Engine::detect()).unwrap();
    model.description
}

fn temperature(description: &Description) -> Option<f64> {
    let calibration = description.calibration.as_ref();
    calibration.map(|calibration| calibration.temperature)
}

fn judged(at: &Path, model: &str) -> String {
    let output = fer(at, &[&["evaluate", model, "--json"], &DATA[..]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    stdout(&output)
}

/// What a model says of a drawn face and of its mirror image.
fn of_both(model: &Path) -> [Vec<f32>; 2] {
    let face = GrayImage::from_raw(48, 48, fer_data::drawn::DrawnFaces::new(3).draw(11).pixels);
    let face = face.unwrap();
    let classifier = Classifier::load(model, &Device::Cpu).unwrap();
    [face.clone(), flip_horizontal(&face)].map(|face| {
        let picture = Picture::from_pixels(face.as_raw(), "a face").unwrap();
        let prediction = classifier.predict(&picture).unwrap();
        prediction.probabilities().to_vec()
    })
}

#[test]
fn a_run_with_views_trains_the_same_weights_and_answers_by_all_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_table(at);
    let half = ["--set", "output.weights=f16"];
    small_run(at, "plain", &[VALIDATION, half].concat());
    let flips = ["--set", "output.views=flips"];
    small_run(at, "flips", &[VALIDATION, half, flips].concat());
    let path = |run: &str| at.join(run).join("model.safetensors");
    let weights = |run: &str| {
        let model = file::load(&path(run), &Device::Cpu, Engine::detect()).unwrap();
        let values = model.weights.into_values();
        let values = values.map(|tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap());
        values.collect::<Vec<_>>()
    };
    let ten = ["--set", "output.views=ten"];
    small_run(at, "ten", &[VALIDATION, half, ten].concat());
    let [face, mirrored] = of_both(&path("plain"));
    assert_ne!(face, mirrored);
    let figures = |run: &str| fs::read_to_string(at.join(run).join("metrics.json")).unwrap();
    let card = |run: &str| fs::read_to_string(at.join(run).join("MODEL_CARD.md")).unwrap();
    for run in ["flips", "ten"] {
        assert_eq!(weights("plain"), weights(run));
        let [face, mirrored] = of_both(&path(run));
        assert_eq!(face, mirrored);
        assert_eq!(
            judged(at, &format!("{run}/model.safetensors")),
            figures(run)
        );
        assert_ne!(figures("plain"), figures(run));
    }
    assert_ne!(figures("flips"), figures("ten"));
    assert!(card("flips").contains("so twice the multiply-adds"));
    assert!(card("ten").contains("so ten times the multiply-adds"));
    assert!(!card("plain").contains("its mirror image"));
}

#[test]
fn calibrate_gives_a_model_views_and_finds_its_temperature_anew() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_table(at);
    small_run(at, "plain", &VALIDATION);
    small_run(at, "whole", &["--validation-fraction", "0"]);
    let flips = ["--set", "output.views=flips"];
    small_run(at, "flips", &[VALIDATION, flips].concat());
    let calibrate = |model: &str, out: &str, more: &[&str]| {
        fer(at, &[&["calibrate", model, "--out", out], more].concat())
    };
    let with = [&["--views", "flips"], &DATA[..]].concat();
    let added = calibrate("plain/model.safetensors", "added", &with);
    assert!(added.status.success(), "{}", stderr(&added));
    let (found, wanted) = (
        description(&at.join("added")),
        description(&at.join("flips/model.safetensors")),
    );
    assert_eq!(found.preprocessing.views, Views::Flips);
    assert_eq!(
        (temperature(&found), &found.abstention),
        (temperature(&wanted), &wanted.abstention)
    );
    assert!(found.judged.is_none(), "that was of answers by one view");
    assert_eq!(judged(at, "added"), judged(at, "flips/model.safetensors"));

    let whole = "whole/model.safetensors";
    let refused = calibrate(
        whole,
        "never",
        &["--views", "flips", "--from", "plain/model.safetensors"],
    );
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        stderr(&refused).contains("answers by the views `one` and this model by `flips`"),
        "{}",
        stderr(&refused)
    );
    assert!(!at.join("never").exists());
    let carried = calibrate(whole, "carried", &["--views", "flips", "--from", "added"]);
    assert!(carried.status.success(), "{}", stderr(&carried));
    let carried = description(&at.join("carried"));
    assert_eq!(temperature(&carried), temperature(&found));
    let origin = carried.calibration.map(|calibration| calibration.origin);
    assert!(matches!(
        origin,
        Some(TemperatureOrigin::CarriedOver { .. })
    ));

    let back = calibrate("added", "back", &[&["--views", "one"], &DATA[..]].concat());
    assert!(back.status.success(), "{}", stderr(&back));
    assert_eq!(judged(at, "back"), judged(at, "plain/model.safetensors"));
}
