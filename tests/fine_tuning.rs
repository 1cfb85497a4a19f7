//! A run that begins with a trained model: what it takes, and what stays as it is.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use candle_core::{Device, Tensor};
use fer_data::ClassNames;
use fer_data::drawn::DrawnFaces;
use fer_model::file::{self, Description, Preprocessing, SelfTest, TrainingSummary};
use fer_model::ops::Engine;
use fer_model::{Architecture, Classifier, Expression, Parameters, Picture};
use fer_train::fit::{AveragingSettings, FitSettings, OptimiserKind, Silent, Trainer};
use fer_train::initial::{InitSettings, Initial, InitialError};

use crate::training::few_faces;

#[expect(dead_code, reason = "its `main` is for people")]
#[path = "../crates/fer-train/examples/fine_tune.rs"]
mod fine_tune;

const CPU: Device = Device::Cpu;

fn narrow() -> Architecture {
    serde_json::from_str(r#"{"arch": "resvgg", "width": 4, "squeeze": 2}"#).unwrap()
}

pub(crate) fn names(words: &[&str]) -> ClassNames {
    ClassNames::new(words.iter().copied()).unwrap()
}

/// Saves a network of drawn weights as a model of these classes.
pub(crate) fn save(path: &Path, architecture: &Architecture, classes: &ClassNames) {
    let parameters = Parameters::new(5, &CPU);
    let network = architecture
        .build(classes.len(), Engine::detect(), parameters.builder())
        .unwrap();
    let picture = Picture::from_pixels(&[90; 48 * 48], "grey").unwrap();
    let description = Description {
        format: Description::FORMAT,
        library: Description::library_name(),
        architecture: architecture.clone(),
        classes: classes.clone(),
        preprocessing: Preprocessing::default(),
        training: TrainingSummary {
            data: "faces".into(),
            ..TrainingSummary::default()
        },
        calibration: None,
        abstention: None,
        judged: None,
        self_test: SelfTest::record(&network, &picture, &CPU).unwrap(),
    };
    file::save(path, &parameters.snapshot().unwrap(), &description).unwrap();
}

fn settings(path: &Path, freeze: &[&str]) -> InitSettings {
    InitSettings {
        model: path.to_path_buf(),
        sha256: None,
        freeze: freeze.iter().map(|pattern| pattern.to_string()).collect(),
    }
}

fn bits(tensor: &Tensor) -> Vec<u32> {
    let values: Vec<f32> = tensor.flatten_all().unwrap().to_vec1().unwrap();
    values.into_iter().map(f32::to_bits).collect()
}

fn all_bits(tensors: &BTreeMap<String, Tensor>) -> BTreeMap<String, Vec<u32>> {
    let pairs = tensors.iter();
    pairs
        .map(|(name, tensor)| (name.clone(), bits(tensor)))
        .collect()
}

#[test]
fn every_tensor_is_taken_and_the_last_layer_where_the_classes_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let classes = names(&["grin", "scowl", "gape"]);
    save(&path, &narrow(), &classes);
    let initial = Initial::open(&settings(&path, &[])).unwrap();
    let model = all_bits(&file::load(&path, &CPU, Engine::detect()).unwrap().weights);
    let taken = |asked: &ClassNames| {
        let transfer = initial.transfer(&narrow(), asked).unwrap();
        let values = transfer.parameters(9, &CPU).unwrap().snapshot().unwrap();
        (transfer.summary().head_kept, all_bits(&values))
    };
    let (kept, same) = taken(&classes);
    assert!(kept);
    assert_eq!(same, model);
    // As many others, the same in another order, and fewer.
    for others in [
        ["a", "b", "c"].as_slice(),
        &["scowl", "grin", "gape"],
        &["a", "b"],
    ] {
        let (kept, other) = taken(&names(others));
        assert!(!kept, "{others:?}");
        for (name, bits) in model.iter().filter(|(name, _)| *name != "dense.bias") {
            assert_eq!(other[name] != *bits, name == "dense.weight", "{name}");
        }
        let drawn = Parameters::new(9, &CPU);
        narrow()
            .build(others.len(), Engine::detect(), drawn.builder())
            .unwrap();
        let drawn = all_bits(&drawn.snapshot().unwrap());
        assert_eq!(other["dense.weight"], drawn["dense.weight"], "by its seed");
    }
}

#[test]
fn the_built_in_model_begins_its_own_classes_with_its_own_last_layer() {
    let settings = settings(InitSettings::BUILTIN.as_ref(), &["conv*", "residual1"]);
    let initial = Initial::open(&settings).unwrap();
    let architecture = initial.architecture().clone();
    let transfer = initial
        .transfer(&architecture, &Expression::class_names())
        .unwrap();
    let summary = transfer.summary();
    assert!(summary.builtin && summary.head_kept);
    assert_eq!(summary.data, "FER2013 with FER+ votes");
    let all = transfer.parameters(0, &CPU).unwrap();
    let free: usize = all
        .trainable()
        .iter()
        .map(|(_, var)| var.elem_count())
        .sum();
    assert_eq!(summary.frozen_parameters + free, 1_903_464);
    assert!(all.is_frozen("conv5.norm.running_var") && all.is_frozen("residual1.conv1.norm.bias"));
    assert!(!all.is_frozen("residual2.conv1.weight") && !all.is_frozen("dense.bias"));
}

#[test]
fn what_does_not_fit_is_refused_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let classes = names(&["grin", "scowl", "gape"]);
    save(&path, &narrow(), &classes);
    let refusal = |freeze: &[&str], architecture: &str, asked: &ClassNames| {
        let architecture = serde_json::from_str(architecture).unwrap();
        let initial = Initial::open(&settings(&path, freeze)).unwrap();
        let error = initial.transfer(&architecture, asked).err().unwrap();
        assert!(error.downcast_ref::<InitialError>().unwrap().is_usage());
        let said = error.to_string();
        assert!(said.contains("model.safetensors"), "{said}");
        said
    };
    let own = r#"{"arch": "resvgg", "width": 4, "squeeze": 2}"#;
    let others = names(&["a", "b"]);
    for (freeze, architecture, asked, expected) in [
        (&["conv9"][..], own, &classes, "`conv9` names no tensor"),
        (&["*"], own, &classes, "nothing is left to train"),
        (&["dense"], own, &others, "`dense` would freeze dense.bias"),
        (&[], r#"{"arch": "cnn"}"#, &classes, "is a resvgg"),
        (
            &[],
            r#"{"arch": "resvgg", "width": 8, "squeeze": 2}"#,
            &classes,
            "has shape [4], [8] is asked for",
        ),
        (
            &[],
            r#"{"arch": "resvgg", "width": 4}"#,
            &classes,
            "none is asked for",
        ),
    ] {
        let said = refusal(freeze, architecture, asked);
        assert!(said.contains(expected), "{said}");
    }
    // What changes no tensor may be another.
    let initial = Initial::open(&settings(&path, &["dense"])).unwrap();
    let looser = r#"{"arch": "resvgg", "width": 4, "squeeze": 2, "dropout": 0.1}"#;
    let looser = serde_json::from_str(looser).unwrap();
    assert!(initial.transfer(&looser, &classes).is_ok());

    let other = InitSettings {
        sha256: Some("00".into()),
        ..settings(&path, &[])
    };
    let error = Initial::open(&other).err().unwrap();
    assert!(error.to_string().contains("init.sha256 is 00"), "{error}");
}

#[test]
fn the_example_that_fine_tunes_learns_three_classes_from_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let faces = DrawnFaces::new(11).subjects(60).takes(1);
    let classes = ["scowl", "", "", "", "grin", "", "", "gape"];
    for index in 0..faces.len() {
        let face = faces.draw(index);
        let class = classes[face.expression.index()];
        if class.is_empty() {
            continue;
        }
        let place = folder.path().join("faces").join(class);
        fs::create_dir_all(&place).unwrap();
        let image = image::GrayImage::from_raw(48, 48, face.pixels).unwrap();
        image
            .save(place.join(format!("{}.png", face.subject)))
            .unwrap();
    }
    let path = folder.path().join("mine.safetensors");
    let accuracy = fine_tune::fine_tune(&folder.path().join("faces"), &path).unwrap();
    assert!(accuracy >= 0.75, "{accuracy}");
    let classifier = Classifier::load(&path, &CPU).unwrap();
    assert_eq!(*classifier.class_names(), names(&["gape", "grin", "scowl"]));
}

/// Trains on drawn faces with everything that moves weights: the weights before and after.
fn trained(freeze: &[&str], optimiser: OptimiserKind) -> [BTreeMap<String, Vec<u32>>; 2] {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    save(&path, &narrow(), &names(&["a", "b"]));
    let dataset = few_faces(10);
    let initial = Initial::open(&settings(&path, freeze)).unwrap();
    let transfer = initial.transfer(&narrow(), dataset.class_names()).unwrap();
    let mut settings = FitSettings {
        epochs: 2,
        batch_size: 16,
        optimiser,
        averaging: Some(AveragingSettings { decay: 0.9 }),
        clip_norm: Some(1.0),
        accumulate: 2,
        ..FitSettings::default()
    };
    settings.adam.weight_decay = 0.1;
    settings.sgd.weight_decay = 0.1;
    let settings = settings.check().unwrap();
    let parameters = transfer.parameters(settings.seed, &CPU).unwrap();
    let before = all_bits(&parameters.snapshot().unwrap());
    let network = narrow()
        .build(8, Engine::detect(), parameters.builder())
        .unwrap();
    let trainer = Trainer {
        network: &network,
        teachers: None,
        parameters: &parameters,
        dataset: &dataset,
        settings: &settings,
        device: &CPU,
    };
    let fit = trainer.run(&mut Silent).unwrap();
    [before, all_bits(&fit.weights)]
}

#[test]
fn frozen_tensors_are_bit_by_bit_what_they_were_and_all_others_have_moved() {
    for optimiser in [OptimiserKind::Adam, OptimiserKind::Sgd] {
        let [before, after] = trained(&["conv1", "conv2", "residual1*", "conv5.weight"], optimiser);
        for (name, bits) in &before {
            let layers = ["conv1.", "conv2.", "residual1."];
            let frozen =
                layers.iter().any(|layer| name.starts_with(layer)) || name == "conv5.weight";
            assert_eq!(after[name] == *bits, frozen, "{name} with {optimiser:?}");
        }
    }
}
