//! What other programs are given, and what they must answer: networks of every kind, trained for a few
//! steps on drawn faces, and 1,000 faces that they have not seen.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use candle_core::{Device, Tensor};
use fer_data::drawn::DrawnFaces;
use fer_data::{ClassNames, Expression, Picture};
use fer_model::export::{OnnxDescription, onnx, onnx_network};
use fer_model::file::{
    self, Calibration, Description, Model, Preprocessing, SelfTest, TemperatureOrigin,
    TrainingSummary,
};
use fer_model::ops::{
    AdamSettings, ConvolutionSettings, DepthwiseSettings, Engine, Mode, cross_entropy,
};
use fer_model::{
    Architecture, Network, Parameters, Plan, ResidualSettings, Sequential, Stack, Tape, Views,
    pictures_to_tensor,
};
use fer_train::fit::Optimiser;
use serde_json::json;

/// Faces that every network is asked for.
const PICTURES: usize = 1000;

/// Training: enough for running statistics and logits that are no longer those of the start.
const STEPS: usize = 12;
const BATCH: usize = 16;

/// Leaves in `folder` the faces as `pictures.safetensors`, and for every network its ONNX file, its model
/// file, where it has one, and its answers by the CPU's kernels (`NAME.answers.safetensors`).
pub(crate) fn write(folder: &Path) -> Result<()> {
    let pictures = unseen(PICTURES)?;
    save(&folder.join("pictures.safetensors"), pixels(&pictures)?)?;
    for (name, model) in models(folder)? {
        fs::write(folder.join(format!("{name}.onnx")), onnx(&model)?)?;
        answer(
            &model,
            &pictures,
            &folder.join(format!("{name}.answers.safetensors")),
        )?;
    }
    let (network, classes) = stack()?;
    let description = OnnxDescription::new("stack", classes);
    let bytes = onnx_network(&network, &description)?;
    fs::write(folder.join("stack.onnx"), bytes)?;
    let answers = folder.join("stack.answers.safetensors");
    save(&answers, answers_of(&network, 1.0, &pictures)?)
}

/// Writes what a model says of these faces.
pub(crate) fn answer(model: &Model, pictures: &[Picture], path: &Path) -> Result<()> {
    let calibration = model.description.calibration.as_ref();
    let temperature = calibration.map_or(1.0, |calibration| calibration.temperature);
    save(
        path,
        answers_of(&*model.answering()?, temperature, pictures)?,
    )
}

/// Logits and probabilities by name.
fn answers_of(
    network: &dyn Network,
    temperature: f64,
    pictures: &[Picture],
) -> Result<HashMap<String, Tensor>> {
    let pictures = pictures_to_tensor(pictures, &Device::Cpu)?;
    let logits = Plan::logits(Plan::new(network)?.as_ref(), network, &pictures)?;
    let probabilities = candle_nn::ops::softmax(&(&logits / temperature)?, 1)?;
    Ok([("logits", logits), ("probabilities", probabilities)]
        .map(|(name, tensor)| (name.to_string(), tensor))
        .into())
}

fn save(path: &Path, tensors: HashMap<String, Tensor>) -> Result<()> {
    Ok(candle_core::safetensors::save(&tensors, path)?)
}

/// The first faces of those that no network here was trained on, at most [`PICTURES`].
pub(crate) fn unseen(count: usize) -> Result<Vec<Picture>> {
    faces(&DrawnFaces::new(11).subjects(125).takes(1), 0..count)
}

fn faces(drawn: &DrawnFaces, places: std::ops::Range<usize>) -> Result<Vec<Picture>> {
    let face = |place| Picture::from_pixels(&drawn.draw(place).pixels, "face");
    Ok(places.map(face).collect::<Result<_, _>>()?)
}

fn pixels(pictures: &[Picture]) -> Result<HashMap<String, Tensor>> {
    let values: Vec<u8> = pictures
        .iter()
        .flat_map(|picture| picture.pixels())
        .copied()
        .collect();
    let shape = (pictures.len(), 1, fer_data::SIDE, fer_data::SIDE);
    let tensor = Tensor::from_vec(values, shape, &Device::Cpu)?;
    Ok([("pictures".to_string(), tensor)].into())
}

/// Every network with its name, as it came back out of its file in `folder`.
fn models(folder: &Path) -> Result<Vec<(String, Model)>> {
    let engine = Engine::available()[0];
    let built_in = "built-in".to_string();
    let path = |name: &str| folder.join(format!("{name}.safetensors"));
    fs::copy(assets().join("fer.safetensors"), path(&built_in))?;
    let mut models = vec![(built_in, file::builtin(&Device::Cpu, engine)?)];
    let eight = Expression::class_names();
    let three = ClassNames::new(["awake", "asleep", "schläfrig, „müde“"])?;
    for (name, architecture, classes, temperature) in [
        ("cnn", json!({"arch": "cnn"}), &eight, Some(1.5)),
        ("cnn-of-three", json!({"arch": "cnn"}), &three, None),
        (
            "vgg",
            json!({"arch": "vgg", "width": 16}),
            &eight,
            Some(0.7),
        ),
        ("resnet", json!({"arch": "resnet"}), &eight, None),
        (
            "resnet-squeezed",
            json!({"arch": "resnet", "squeeze": 4}),
            &eight,
            None,
        ),
        (
            "resvgg",
            json!({"arch": "resvgg", "width": 16}),
            &eight,
            None,
        ),
        (
            "resvgg-squeezed",
            json!({"arch": "resvgg", "width": 8, "squeeze": 8}),
            &three,
            None,
        ),
        ("mobile", json!({"arch": "mobile"}), &eight, Some(1.2)),
        (
            "mobile-squeezed",
            json!({"arch": "mobile", "squeeze": 8}),
            &eight,
            None,
        ),
    ] {
        let architecture = serde_json::from_value(architecture)?;
        save_trained(&path(name), architecture, classes, temperature)?;
        models.push((name.into(), file::load(&path(name), &Device::Cpu, engine)?));
    }
    let half = models.iter().find(|(name, _)| name == "mobile");
    let half = half.context("no mobile")?.1.halved(&Device::Cpu)?;
    file::save(&path("mobile-f16"), &half.weights, &half.description)?;
    models.push((
        "mobile-f16".into(),
        file::load(&path("mobile-f16"), &Device::Cpu, engine)?,
    ));
    let vgg = models.iter().find(|(name, _)| name == "vgg");
    let vgg = &vgg.context("no vgg")?.1;
    let (mut description, weights) = (vgg.description.clone(), vgg.weights.clone());
    for views in [Views::Flips, Views::Ten] {
        let name = format!("vgg-{views}");
        description.preprocessing.views = views;
        file::save(&path(&name), &weights, &description)?;
        let model = file::load(&path(&name), &Device::Cpu, engine)?;
        models.push((name, model));
    }
    Ok(models)
}

fn assets() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets")
}

fn save_trained(
    path: &Path,
    architecture: Architecture,
    classes: &ClassNames,
    temperature: Option<f64>,
) -> Result<()> {
    let parameters = Parameters::new(5, &Device::Cpu);
    let network =
        architecture.build(classes.len(), Engine::available()[0], parameters.builder())?;
    train(&network, &parameters)?;
    let face = faces(&DrawnFaces::new(2), 0..1)?.remove(0);
    let description = Description {
        format: Description::FORMAT,
        library: Description::library_name(),
        architecture,
        classes: classes.clone(),
        preprocessing: Preprocessing::default(),
        training: TrainingSummary {
            data: "drawn faces".into(),
            ..TrainingSummary::default()
        },
        calibration: temperature.map(|temperature| Calibration {
            temperature,
            origin: TemperatureOrigin::CarriedOver {
                from: "a test".into(),
            },
        }),
        abstention: None,
        judged: None,
        self_test: SelfTest::record(&network, &face, &Device::Cpu)?,
    };
    Ok(file::save(path, &parameters.snapshot()?, &description)?)
}

/// A few steps on drawn faces; expressions go round the classes.
fn train(network: &Sequential, parameters: &Parameters) -> Result<()> {
    let (engine, classes) = (network.engine(), network.outputs());
    let drawn = DrawnFaces::new(3);
    let mut adam = Optimiser::new(parameters, AdamSettings::default(), engine)?;
    let tape = Tape::new(network)?;
    for step in 0..STEPS {
        let places = step * BATCH..(step + 1) * BATCH;
        let pictures = pictures_to_tensor(&faces(&drawn, places.clone())?, &Device::Cpu)?;
        let mut targets = vec![0f32; BATCH * classes];
        for (row, place) in places.enumerate() {
            let class = drawn.expression(place).index() % classes;
            targets[row * classes + class] = 1.0;
        }
        let targets = Tensor::from_vec(targets, (BATCH, classes), &Device::Cpu)?;
        let mode = Mode::Train {
            seed: 1,
            step: step as u64,
        };
        let loss = cross_entropy(&tape.forward(&pictures, mode)?, &targets, engine)?;
        adam.step(&tape.backward(&loss)?, 1e-3)?;
    }
    Ok(())
}

/// A network that no architecture describes: large windows and steps, biases, odd sides, a pool that
/// leaves a row out, gates, a residual that begins at once, and maps that are flattened.
fn stack() -> Result<(Sequential, ClassNames)> {
    let parameters = Parameters::new(6, &Device::Cpu);
    let coarse = ConvolutionSettings {
        kernel: 5,
        stride: 2,
        padding: 2,
        relu: false,
        ..ConvolutionSettings::valid(1, 6)
    };
    let pooled = ConvolutionSettings {
        pool: true,
        ..ConvolutionSettings::valid(6, 10)
    };
    let striding = DepthwiseSettings {
        padding: 0,
        norm: false,
        ..DepthwiseSettings::normalised(10, 2)
    };
    let gated = ResidualSettings { squeeze: 3 };
    let network = Stack::new([1, 48, 48], Engine::available()[0], parameters.builder())
        .residual("first", |body| body.convolution("coarse", coarse))?
        .convolution("pooled", pooled)?
        .depthwise("striding", striding)?
        .residual_with("gated", gated, |body| {
            body.depthwise("depthwise", DepthwiseSettings::normalised(10, 1))?
                .convolution("wide", ConvolutionSettings::normalised(10, 12))
        })?
        .flatten()?
        .dense("hidden", 20, true)?
        .dropout("dropout", 0.3)?
        .dense("logits", 5, false)?
        .finish()?;
    train(&network, &parameters)?;
    let classes = ClassNames::new(["one", "two", "three", "four", "five"])?;
    Ok((network, classes))
}
