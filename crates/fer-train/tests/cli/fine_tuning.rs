use std::fs;
use std::path::Path;

use fer_data::Expression;
use fer_data::drawn::DrawnFaces;
use fer_model::file::{self, Model};
use fer_model::ops::Engine;
use fer_model::{Classifier, Device};
use fer_train::config::Config;

use crate::{fer, small_table, stderr, stdout};

/// A folder of three classes with names of their own: so many people, drawn.
fn three_classes(at: &Path, people: u32) {
    let faces = DrawnFaces::new(11).subjects(people).takes(1);
    for index in 0..faces.len() {
        let face = faces.draw(index);
        let class = match face.expression {
            Expression::Happy => "grin",
            Expression::Angry => "scowl",
            Expression::Surprised => "gape",
            _ => continue,
        };
        let place = at.join("faces").join(class);
        fs::create_dir_all(&place).unwrap();
        let image = image::GrayImage::from_raw(48, 48, face.pixels).unwrap();
        image
            .save(place.join(format!("{}.png", face.subject)))
            .unwrap();
    }
}

fn load(path: &Path) -> Model {
    file::load(path, &Device::Cpu, Engine::detect()).unwrap()
}

fn values(model: &Model, name: &str) -> Vec<f32> {
    let tensor = model.weights[name].flatten_all().unwrap();
    tensor.to_vec1().unwrap()
}

#[test]
fn the_built_in_model_learns_three_classes_of_ones_own_with_its_first_layers_frozen() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    three_classes(at, 60);
    let run = [
        "--data",
        "faces",
        "--init",
        "builtin",
        "--freeze",
        "conv1,conv2,conv3,conv4,residual1",
        "--test-fraction",
        "0.3",
        "--epochs",
        "8",
        "--lr",
        "0.002",
        "--out",
        "run",
    ];
    let output = fer(at, &run);
    let said = stdout(&output);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(said.contains("recipe      fine-tune"), "{said}");
    let begins =
        "begins with builtin, trained on FER2013 with FER+ votes; a new last layer for 3 classes";
    assert!(said.contains(begins), "{said}");
    assert!(said.contains("of them frozen"), "{said}");

    let path = at.join("run/model.safetensors");
    let (model, start) = (
        load(&path),
        file::builtin(&Device::Cpu, Engine::detect()).unwrap(),
    );
    for name in start.weights.keys() {
        let layers = ["conv1.", "conv2.", "conv3.", "conv4.", "residual1."];
        let frozen = layers.iter().any(|layer| name.starts_with(layer));
        let stayed = values(&model, name) == values(&start, name);
        assert_eq!(stayed, frozen, "{name}");
    }
    let initial = model.description.training.initial.unwrap();
    assert!(initial.builtin && !initial.head_kept && initial.frozen.len() == 5);
    let config = Config::read(&at.join("run/config.toml")).unwrap();
    let init = config.init.unwrap();
    assert_eq!(init.sha256, Some(initial.sha256.clone()));
    assert_eq!(config.model, start.description.architecture);
    let card = fs::read_to_string(at.join("run/MODEL_CARD.md")).unwrap();
    assert!(card.contains(&initial.sha256), "{card}");

    let metrics = fs::read_to_string(at.join("run/metrics.json")).unwrap();
    let metrics: serde_json::Value = serde_json::from_str(&metrics).unwrap();
    let accuracy = metrics["accuracy"].as_f64().unwrap();
    assert!(accuracy >= 0.8, "{accuracy} of three classes\n{said}");
    let classifier = Classifier::load(&path, &Device::Cpu).unwrap();
    let classes: Vec<&str> = classifier.class_names().iter().collect();
    assert_eq!(classes, ["gape", "grin", "scowl"]);
    let face = classifier
        .open_picture(at.join("faces/grin/1.png"))
        .unwrap();
    assert_eq!(classifier.predict(&face).unwrap().class_name(), "grin");
}

#[test]
fn what_was_left_as_config_toml_runs_again_and_another_model_in_its_place_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    three_classes(at, 12);
    let train = |arguments: &[&str]| {
        let all = [&["--data", "faces", "--epochs", "1", "--out"], arguments].concat();
        let output = fer(at, &all);
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output)
    };
    train(&["start", "--arch", "vgg", "--set", "model.width=4"]);
    let init = ["--init", "start/model.safetensors", "--freeze", "conv*"];
    let said = train(&[&["run"], &init[..]].concat());
    assert!(said.contains("its last layer kept"), "{said}");
    let model = |run: &str| fs::read(at.join(run).join("model.safetensors")).unwrap();

    let again = ["--config", "run/config.toml", "--out", "again"];
    let output = fer(at, &again);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(model("again"), model("run"));

    fs::write(at.join("start/model.safetensors"), model("run")).unwrap();
    let output = fer(at, &["--config", "run/config.toml", "--out", "other"]);
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(
        said.contains("start/model.safetensors is not the model"),
        "{said}"
    );
    assert!(!at.join("other").exists());
    // Named anew, it is another run.
    let named = [
        "--config",
        "run/config.toml",
        "--init",
        "start/model.safetensors",
        "--out",
        "other",
    ];
    assert!(fer(at, &named).status.success());
}

#[test]
fn flags_that_contradict_the_model_are_refused_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    three_classes(at, 12);
    let data = ["--data", "faces", "--out", "run"];
    for (flags, code, expected) in [
        (&["--freeze", "conv1"][..], 2, "name one with --init"),
        (
            &["--init", "builtin", "--freeze", "conv1,convolution"],
            2,
            "`convolution` names no tensor of builtin, whose layers are conv1, conv2",
        ),
        (
            &["--init", "builtin", "--freeze", "*"],
            2,
            "every tensor of builtin would be frozen",
        ),
        (
            &["--init", "builtin", "--freeze", "conv1,dense"],
            2,
            "`dense` would freeze dense.bias",
        ),
        (
            &["--init", "builtin", "--arch", "cnn"],
            2,
            "the network cnn is asked for, builtin is a resvgg",
        ),
        (
            &["--init", "builtin", "--set", "model.width=8"],
            2,
            "do not fit builtin",
        ),
        (
            &["--init", "builtin", "--resize", "opencv-linear"],
            2,
            "builtin learned from pictures resized by antialiased",
        ),
        (&["--init", "missing.safetensors"], 1, "missing.safetensors"),
        (&["--init", "faces/grin/1.png"], 1, "is refused as a model"),
    ] {
        let output = fer(at, &[&data[..], flags].concat());
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{flags:?}: {said}");
        assert!(said.contains(expected), "{flags:?}: {said}");
        assert!(!at.join("run").exists(), "{flags:?}");
    }
}

#[test]
fn summary_lists_the_names_that_freeze_takes() {
    let folder = tempfile::tempdir().unwrap();
    let output = fer(folder.path(), &["summary", "builtin", "--tensors"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let said = stdout(&output);
    let start = file::builtin(&Device::Cpu, Engine::detect()).unwrap();
    assert!(
        said.starts_with("builtin trained on FER2013 with FER+ votes"),
        "{said}"
    );
    for (name, tensor) in &start.weights {
        let found = said
            .lines()
            .find(|line| line.split_whitespace().next() == Some(name));
        let shape = format!("{:?}", tensor.dims());
        assert!(found.is_some_and(|line| line.ends_with(&shape)), "{name}");
    }
    let layers = stdout(&fer(folder.path(), &["summary", "builtin"]));
    assert!(layers.contains("Multiply-adds of one picture"), "{layers}");
}

#[test]
fn a_configuration_needs_to_name_the_model_alone_and_its_own_data_divided_otherwise_are_warned_of()
{
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    small_table(at);
    let config = "[data]\npath = \"fer2013.csv\"\nferplus = \"fer2013new.csv\"\n\
                  [init]\nmodel = \"builtin\"\nfreeze = [\"conv*\", \"residual*\"]\n\
                  [training]\nepochs = 1\n";
    fs::write(at.join("short.toml"), config).unwrap();
    let output = fer(at, &["--config", "short.toml", "--out", "run"]);
    let said = stdout(&output);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(
        said.contains("network     resvgg, 1,903,464 parameters"),
        "{said}"
    );
    let warning = "warning     builtin was trained on these data divided otherwise";
    assert!(said.contains(warning), "{said}");

    let contradicted = format!("{config}[model]\narch = \"cnn\"\n");
    fs::write(at.join("cnn.toml"), contradicted).unwrap();
    let output = fer(at, &["--config", "cnn.toml", "--out", "other"]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(said.contains("the network cnn is asked for"), "{said}");
}
