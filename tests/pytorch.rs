//! Fifty training steps of each network against PyTorch; oracle/pytorch_training.py made the numbers.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};
use fer_model::ops::{AdamForm, AdamSettings, Engine, Mode, cross_entropy};
use fer_model::{Architecture, Network, Parameters, Plan, Sequential, Tape};
use fer_train::fit::Optimiser;
use safetensors::SafeTensors;
use serde::Deserialize;
use serde_json::json;

use crate::formula::{checksum, float_checksum, hashed, triangle, uniform};

const FIXTURE: &[u8] = include_bytes!("oracle/pytorch_training.safetensors");

const CLASSES: usize = 8;
const PICTURES: usize = 64;
const BATCH: usize = 16;
const SIDE: usize = 48;
const STEPS: usize = 50;
/// Pictures whose gradients are compared.
const FEW: usize = 2;
const TRAIN: Mode = Mode::Train { seed: 0, step: 0 };
const PICTURE_STREAM: u64 = 1133;

/// PyTorch's defaults.
const ADAM: AdamSettings = AdamSettings {
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    form: AdamForm::PyTorch,
    weight_decay: 0.0,
};

/// The fixture's `facts`: what the formulas gave, and the distance of the kept elements.
#[derive(Deserialize)]
struct Facts {
    sha256: BTreeMap<String, String>,
    stride: BTreeMap<String, usize>,
}

fn facts() -> Facts {
    let (_, header) = SafeTensors::read_metadata(FIXTURE).unwrap();
    serde_json::from_str(&header.metadata().as_ref().unwrap()["facts"]).unwrap()
}

/// A stored tensor, flat.
fn stored(name: &str) -> Vec<f32> {
    let file = SafeTensors::deserialize(FIXTURE).unwrap();
    let (words, _) = file.tensor(name).unwrap().data().as_chunks::<4>();
    words.iter().map(|word| f32::from_le_bytes(*word)).collect()
}

/// A network without dropout, with its name and the learning rate of the script's `RATES`.
struct Case {
    name: &'static str,
    architecture: Architecture,
    rate: f64,
}

fn cases() -> [Case; 6] {
    let case = |name, settings, rate| Case {
        name,
        architecture: serde_json::from_value(settings).unwrap(),
        rate,
    };
    let plain = |name| json!({"arch": name, "dropout": 0.0});
    let squeezed = json!({"arch": "resnet", "dropout": 0.0, "squeeze": 4});
    [
        case("cnn", plain("cnn"), 1e-4),
        case("vgg", plain("vgg"), 3e-5),
        case("resnet", plain("resnet"), 1e-4),
        case("squeezed", squeezed, 1e-4),
        case("resvgg", plain("resvgg"), 3e-5),
        case("mobile", plain("mobile"), 5e-5),
    ]
}

/// The script's `value`: element `index` of the tensor at place `number` among the sorted names.
fn value(number: u64, name: &str, shape: &[usize], index: u64) -> f32 {
    let ends = |part: &str| name.ends_with(part);
    let (centre, limit) = match shape {
        [_] if ends("norm.bias") && !name.contains("pointwise") && index.is_multiple_of(3) => {
            (-3.0, 0.1)
        }
        [_] if ends("norm.bias") => (3.0, 0.1),
        [_] if ends("norm.weight") || ends("running_var") => (1.0, 0.1),
        [_] => (0.0, 0.1),
        _ => {
            let fan_in: usize = shape[1..].iter().product();
            (0.0, (6.0 / fan_in as f64).sqrt() as f32)
        }
    };
    uniform(number, index) * limit + centre
}

fn label(picture: usize) -> usize {
    picture * 5 % CLASSES
}

/// (pictures, 48, 48) grey values.
fn pictures() -> Vec<u8> {
    let pixel = |index: usize| {
        let (picture, y, x) = (index / (SIDE * SIDE), index / SIDE % SIDE, index % SIDE);
        let class = label(picture) as i64;
        let [p, y, x] = [picture, y, x].map(|value| value as i64);
        let noise = (hashed(PICTURE_STREAM, index as u64) >> 56) as i64;
        let waves =
            triangle(x * (3 + class) + 2 * y + 11 * p) + triangle(y * (12 - class) + 40 * p);
        ((3 * waves + 2 * noise) / 8) as u8
    };
    (0..PICTURES * SIDE * SIDE).map(pixel).collect()
}

/// Pictures and one-hot targets of every batch.
fn batches() -> Vec<(Tensor, Tensor)> {
    let pixels: Vec<f32> = pictures()
        .iter()
        .map(|&grey| f32::from(grey) / 255.0)
        .collect();
    let batch = |number: usize| {
        let first = number * BATCH;
        let pixels = &pixels[first * SIDE * SIDE..][..BATCH * SIDE * SIDE];
        let targets: Vec<f32> = (0..BATCH * CLASSES)
            .map(|place| f32::from(label(first + place / CLASSES) == place % CLASSES))
            .collect();
        (
            Tensor::from_slice(pixels, (BATCH, 1, SIDE, SIDE), &Device::Cpu).unwrap(),
            Tensor::from_vec(targets, (BATCH, CLASSES), &Device::Cpu).unwrap(),
        )
    };
    (0..PICTURES / BATCH).map(batch).collect()
}

/// The network with the formula's weights and running statistics.
fn network(case: &Case, engine: Engine) -> (Parameters, Sequential) {
    let parameters = Parameters::new(0, &Device::Cpu);
    let network = case
        .architecture
        .build(CLASSES, engine, parameters.builder())
        .unwrap();
    let values = (0..).zip(parameters.vars()).map(|(number, (name, var))| {
        let values: Vec<f32> = (0..var.elem_count() as u64)
            .map(|index| value(number, &name, var.dims(), index))
            .collect();
        let tensor = Tensor::from_vec(values, var.dims(), &Device::Cpu).unwrap();
        (name, tensor)
    });
    parameters.restore(&values.collect()).unwrap();
    (parameters, network)
}

fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// The largest difference, over the largest magnitude of `theirs`.
fn distance(ours: &[f32], theirs: &[f32]) -> f32 {
    let largest = theirs
        .iter()
        .fold(0.0f32, |most, value| most.max(value.abs()));
    difference(ours, theirs) / largest
}

fn difference(ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    let differences = ours
        .iter()
        .zip(theirs)
        .map(|(one, other)| (one - other).abs());
    differences.fold(0.0, |most, value| {
        if value > most || value.is_nan() {
            value
        } else {
            most
        }
    })
}

#[test]
fn weights_and_pictures_are_those_that_pytorch_was_given() {
    let mut ours = BTreeMap::from([("pictures".to_string(), checksum(&pictures()))]);
    for case in cases() {
        let (parameters, _) = network(&case, Engine::Portable);
        for (name, var) in parameters.vars() {
            ours.insert(format!("{}.{name}", case.name), float_checksum(&flat(&var)));
        }
    }
    assert_eq!(ours, facts().sha256);
}

#[test]
fn logits_with_running_statistics_agree() {
    let (first, _) = batches().swap_remove(0);
    for case in cases() {
        let (_parameters, network) = network(&case, Engine::available()[0]);
        let theirs = stored(&format!("{}.logits", case.name));
        let plan = Plan::new(&network).unwrap().unwrap();
        for ours in [
            network.forward(&first, Mode::Predict).unwrap(),
            plan.forward(&first).unwrap(),
        ] {
            let distance = distance(&flat(&ours), &theirs);
            assert!(distance < 1e-4, "{}: {distance}", case.name);
        }
    }
}

/// Of the loss of the first few pictures, to a thousandth of each tensor's largest.
#[test]
fn gradients_agree_with_every_engine() {
    let (pictures, targets) = batches().swap_remove(0);
    let pictures = pictures.narrow(0, 0, FEW).unwrap();
    let targets = targets.narrow(0, 0, FEW).unwrap();
    let strides = facts().stride;
    for case in cases() {
        for engine in Engine::available() {
            let (parameters, network) = network(&case, engine);
            let tape = Tape::new(&network).unwrap();
            let logits = tape.forward(&pictures, TRAIN).unwrap();
            let loss = cross_entropy(&logits, &targets, engine).unwrap();
            let gradients = tape.backward(&loss).unwrap();
            for (name, var) in parameters.trainable() {
                let ours = flat(gradients.get(&var).unwrap());
                let stride = strides[&format!("{}.gradient.{name}", case.name)];
                let kept: Vec<f32> = ours.into_iter().step_by(stride).collect();
                let theirs = stored(&format!("{}.gradient.{name}", case.name));
                let largest = stored(&format!("{}.gradient_largest.{name}", case.name))[0];
                let share = difference(&kept, &theirs) / largest;
                assert!(share < 1e-3, "{} {name} by {engine}: {share}", case.name);
            }
        }
    }
}

#[test]
fn fifty_steps_agree() {
    for case in cases() {
        let (parameters, network) = network(&case, Engine::detect());
        let tape = Tape::new(&network).unwrap();
        let mut adam = Optimiser::new(&parameters, ADAM, network.engine()).unwrap();
        let batches = batches();
        let losses = stored(&format!("{}.losses", case.name));
        assert_eq!(losses.len(), STEPS);
        assert!(
            losses[STEPS - 1] < 0.9 * losses[0],
            "{}: {losses:?}",
            case.name
        );
        for (step, theirs) in losses.iter().enumerate() {
            let (pictures, targets) = &batches[step % batches.len()];
            let logits = tape.forward(pictures, TRAIN).unwrap();
            let loss = cross_entropy(&logits, targets, network.engine()).unwrap();
            let ours = loss.to_scalar::<f32>().unwrap();
            assert!(
                (ours / theirs - 1.0).abs() < 1e-3,
                "{}, step {step}: {ours} {theirs}",
                case.name
            );
            if step == 0 {
                statistics_agree(&case, "first", &parameters, 3e-5);
            }
            let gradients = tape.backward(&loss).unwrap();
            adam.step(&gradients, case.rate).unwrap();
        }
        // Weights whose gradients nearly vanish go by the sign of rounding errors.
        statistics_agree(&case, "after", &parameters, 2e-2);
    }
}

/// Running statistics to a share of each tensor's largest.
fn statistics_agree(case: &Case, when: &str, parameters: &Parameters, bound: f32) {
    for (name, var) in parameters.vars() {
        if name.contains("running_") {
            let name = format!("{}.{when}.{name}", case.name);
            let distance = distance(&flat(&var), &stored(&name));
            assert!(distance < bound, "{name}: {distance}");
        }
    }
}
