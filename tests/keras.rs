//! The source document's network against Keras; oracle/keras_cnn.py made the numbers.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor as Values};
use fer_model::ops::{AdamSettings, Engine, Mode, cross_entropy};
use fer_model::{Architecture, CnnSettings, Network, Parameters, Sequential, layer_table};
use fer_train::fit::Optimiser;
use safetensors::SafeTensors;
use serde::Deserialize;

use crate::formula::{checksum, float_checksum, hashed, triangle, uniform};

const FIXTURE: &[u8] = include_bytes!("oracle/keras_cnn.safetensors");

const CLASSES: usize = 8;
const PICTURES: usize = 8;
const SIDE: usize = 48;
const HARD_ROWS: usize = 3;
const BIAS_LIMIT: f32 = 0.05;
const PICTURE_STREAM: u64 = 100;
const TARGET_STREAM: u64 = 101;

/// Name, shape, and fan in and out where Glorot's limit holds.
type Tensor = (&'static str, &'static [usize], Option<(usize, usize)>);

/// In the formula a tensor's number is its position here.
#[rustfmt::skip]
const TENSORS: [Tensor; 8] = [
    ("conv1.weight", &[32, 1, 3, 3], Some((9, 288))),
    ("conv1.bias", &[32], None),
    ("conv2.weight", &[64, 32, 3, 3], Some((288, 576))),
    ("conv2.bias", &[64], None),
    ("dense1.weight", &[128, 6400], Some((6400, 128))),
    ("dense1.bias", &[128], None),
    ("dense2.weight", &[8, 128], Some((128, 8))),
    ("dense2.bias", &[8], None),
];

/// What Keras makes of the formula's weights, pictures and targets.
struct Expected {
    /// (pictures, classes), of the weights as they come from the formula.
    logits: Vec<f32>,
    /// The mean cross-entropy before each of five Adam steps on the whole batch.
    losses: Vec<f32>,
    /// By tensor name.
    tensors: BTreeMap<String, ExpectedTensor>,
    /// The SHA-256 in hexadecimal of what the formulas gave, by tensor name and for `pictures` and
    /// `targets`.
    checksums: BTreeMap<String, String>,
}

/// Of one tensor, in PyTorch's layout and flat, every `stride`-th element.
struct ExpectedTensor {
    stride: usize,
    /// The gradient of the first loss.
    gradient: Vec<f32>,
    /// The largest magnitude in the whole gradient.
    gradient_largest: f32,
    /// The values after five Adam steps.
    after: Vec<f32>,
}

impl ExpectedTensor {
    /// The elements of a whole flat tensor that the fixture keeps.
    fn kept(&self, values: &[f32]) -> Vec<f32> {
        values.iter().copied().step_by(self.stride).collect()
    }
}

/// The fixture's `facts`.
#[derive(Deserialize)]
struct Facts {
    sha256: BTreeMap<String, String>,
    stride: BTreeMap<String, usize>,
}

/// The fixture, read.
fn expected() -> Expected {
    let (_, header) = SafeTensors::read_metadata(FIXTURE).expect("a safetensors fixture");
    let metadata = header.metadata().as_ref().expect("metadata");
    let facts: Facts = serde_json::from_str(&metadata["facts"]).expect("facts");
    let file = SafeTensors::deserialize(FIXTURE).expect("a safetensors fixture");
    let values = |name: &str| floats(file.tensor(name).expect(name).data());
    let tensor = |(name, stride): (&String, &usize)| {
        let tensor = ExpectedTensor {
            stride: *stride,
            gradient: values(&format!("gradient.{name}")),
            gradient_largest: values(&format!("gradient_largest.{name}"))[0],
            after: values(&format!("after.{name}")),
        };
        (name.clone(), tensor)
    };
    Expected {
        logits: values("logits"),
        losses: values("losses"),
        tensors: facts.stride.iter().map(tensor).collect(),
        checksums: facts.sha256,
    }
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    let (words, _) = bytes.as_chunks::<4>();
    words.iter().map(|word| f32::from_le_bytes(*word)).collect()
}

/// Shape and values by name, in PyTorch's layout: uniform in [-limit, limit), the limit Glorot's.
pub(crate) fn weights() -> BTreeMap<String, (Vec<usize>, Vec<f32>)> {
    let tensor = |(number, (name, shape, fans)): (u64, &Tensor)| {
        let limit = match *fans {
            None => BIAS_LIMIT,
            Some((fan_in, fan_out)) => (6.0 / (fan_in + fan_out) as f64).sqrt() as f32,
        };
        let count = shape.iter().product::<usize>() as u64;
        let values = (0..count)
            .map(|index| uniform(number, index) * limit)
            .collect();
        (name.to_string(), (shape.to_vec(), values))
    };
    (0..).zip(&TENSORS).map(tensor).collect()
}

/// (pictures, 48, 48) grey values from 0 to 255; the network takes them divided by 255 in f32.
fn pictures() -> Vec<u8> {
    let pixel = |index: usize| {
        let (picture, y, x) = (index / (SIDE * SIDE), index / SIDE % SIDE, index % SIDE);
        let [p, y, x] = [picture, y, x].map(|value| value as i64);
        let noise = (hashed(PICTURE_STREAM, index as u64) >> 56) as i64;
        let waves = triangle(x * (3 + p) + 2 * y) + triangle(y * (9 - p) + 40 * p);
        ((3 * waves + 2 * noise) / 8) as u8
    };
    (0..PICTURES * SIDE * SIDE).map(pixel).collect()
}

/// (pictures, classes) targets, rows sum to 1: three one-hot rows, then soft ones.
fn targets() -> Vec<f32> {
    let byte = |row, class| hashed(TARGET_STREAM, (row * CLASSES + class) as u64) >> 56;
    let target = |row: usize, class: usize| {
        if row < HARD_ROWS {
            return f32::from(class == (3 * row + 1) % CLASSES);
        }
        let sum: u64 = (0..CLASSES).map(|class| byte(row, class)).sum();
        byte(row, class) as f32 / sum as f32
    };
    (0..PICTURES * CLASSES)
        .map(|index| target(index / CLASSES, index % CLASSES))
        .collect()
}

#[test]
fn weights_pictures_and_targets_are_those_that_keras_was_given() {
    let mut ours: BTreeMap<String, String> = weights()
        .iter()
        .map(|(name, (_, values))| (name.clone(), float_checksum(values)))
        .collect();
    ours.insert("pictures".to_string(), checksum(&pictures()));
    ours.insert("targets".to_string(), float_checksum(&targets()));
    assert_eq!(ours, expected().checksums);
}

#[test]
fn the_fixture_is_whole_and_five_steps_moved_every_tensor() {
    let expected = expected();
    assert_eq!(
        (expected.logits.len(), expected.losses.len()),
        (PICTURES * CLASSES, 5)
    );
    assert!(
        expected
            .losses
            .is_sorted_by(|earlier, later| earlier > later)
    );
    let mut parameters = 0;
    for (name, (shape, values)) in weights() {
        assert_eq!(shape.iter().product::<usize>(), values.len(), "{name}");
        parameters += values.len();
        let theirs = &expected.tensors[&name];
        let before = theirs.kept(&values);
        assert_eq!(theirs.gradient.len(), before.len(), "{name}");
        let moved = before.iter().zip(&theirs.after).map(|(a, b)| (a - b).abs());
        assert!(moved.fold(0.0, f32::max) > 1e-3, "{name}");
        let largest = theirs
            .gradient
            .iter()
            .fold(0.0, |most: f32, value| most.max(value.abs()));
        assert!(
            largest > 0.0 && largest <= theirs.gradient_largest,
            "{name}"
        );
    }
    assert_eq!(parameters, 839_176);
}

/// Our network with the formula's weights and without dropout.
fn network() -> (Parameters, Sequential) {
    let parameters = Parameters::new(0, &Device::Cpu);
    let architecture = Architecture::Cnn(CnnSettings { dropout: 0.0 });
    let network = architecture
        .build(CLASSES, Engine::detect(), parameters.builder())
        .unwrap();
    let given = weights().into_iter().map(|(name, (shape, values))| {
        (name, Values::from_vec(values, shape, &Device::Cpu).unwrap())
    });
    parameters.restore(&given.collect()).unwrap();
    (parameters, network)
}

fn inputs() -> (Values, Values) {
    let pixels: Vec<f32> = pictures()
        .iter()
        .map(|&value| f32::from(value) / 255.0)
        .collect();
    let pictures = Values::from_vec(pixels, (PICTURES, 1, SIDE, SIDE), &Device::Cpu);
    let targets = Values::from_vec(targets(), (PICTURES, CLASSES), &Device::Cpu);
    (pictures.unwrap(), targets.unwrap())
}

fn flat(tensor: &Values) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn largest_difference(ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    let differences = ours
        .iter()
        .zip(theirs)
        .map(|(one, other)| (one - other).abs());
    differences.fold(0.0, f32::max)
}

const TRAIN: Mode = Mode::Train { seed: 0, step: 0 };

#[test]
fn logits_agree() {
    let (_parameters, network) = network();
    let (pictures, _) = inputs();
    for mode in [TRAIN, Mode::Predict] {
        let ours = flat(&network.forward(&pictures, mode).unwrap());
        let difference = largest_difference(&ours, &expected().logits);
        assert!(difference < 1e-5, "{difference}");
    }
}

#[test]
fn gradients_agree() {
    let (parameters, network) = network();
    let (pictures, targets) = inputs();
    let logits = network.forward(&pictures, TRAIN).unwrap();
    let loss = cross_entropy(&logits, &targets, network.engine()).unwrap();
    let gradients = loss.backward().unwrap();
    let expected = expected();
    for (name, var) in parameters.vars() {
        let theirs = &expected.tensors[&name];
        let ours = flat(gradients.get(&var).unwrap());
        let largest = ours
            .iter()
            .fold(0.0f32, |most, value| most.max(value.abs()));
        let bound = 1e-4 * theirs.gradient_largest;
        assert!(
            (largest - theirs.gradient_largest).abs() < bound,
            "{name}: {largest}"
        );
        let difference = largest_difference(&theirs.kept(&ours), &theirs.gradient);
        assert!(difference < bound, "{name}: {difference} of {largest}");
    }
}

#[test]
fn five_adam_steps_agree() {
    let (parameters, network) = network();
    let (pictures, targets) = inputs();
    let mut adam = Optimiser::new(&parameters, AdamSettings::default(), network.engine()).unwrap();
    let expected = expected();
    for theirs in &expected.losses {
        let logits = network.forward(&pictures, TRAIN).unwrap();
        let loss = cross_entropy(&logits, &targets, network.engine()).unwrap();
        let ours = loss.to_scalar::<f32>().unwrap();
        assert!((ours - theirs).abs() < 1e-5, "{ours} {theirs}");
        adam.step(&loss.backward().unwrap(), 1e-3).unwrap();
    }
    for (name, var) in parameters.vars() {
        let theirs = &expected.tensors[&name];
        let difference = largest_difference(&theirs.kept(&flat(&var)), &theirs.after);
        assert!(difference < 1e-4, "{name}: {difference}");
    }
}

#[test]
fn the_layer_table_is_the_one_that_keras_prints() {
    let keras = include_str!("oracle/keras_summary.txt");
    assert_eq!(
        layer_table(&Architecture::default(), CLASSES)
            .unwrap()
            .trim_end(),
        keras.trim_end()
    );
}
