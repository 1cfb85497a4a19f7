use candle_core::{DType, Device, Tensor};
use fer_model::ops::{AdamSettings, Engine, Mode, cross_entropy};
use fer_model::{Architecture, Network, Parameters, Tape};
use fer_train::fit::Optimiser;

use super::{flat, random};

/// Gradients of one step, the losses of a few, and a prediction after them.
struct Trained {
    gradients: Vec<f32>,
    losses: Vec<f32>,
    logits: Vec<f32>,
}

fn trained(name: &str, engine: Engine) -> Trained {
    let parameters = Parameters::new(5, &Device::Cpu);
    let architecture = Architecture::named(name).unwrap();
    let network = architecture.build(8, engine, parameters.builder()).unwrap();
    let mut adam = Optimiser::new(&parameters, AdamSettings::default(), engine).unwrap();
    let tape = Tape::new(&network).unwrap();
    let pictures = random(&[8, 1, 48, 48], "pictures");
    let targets = Tensor::eye(8, DType::F32, &Device::Cpu).unwrap();
    let (mut losses, mut gradients) = (Vec::new(), Vec::new());
    for step in 0..6 {
        let mode = Mode::Train { seed: 1, step };
        let logits = tape.forward(&pictures, mode).unwrap();
        let loss = cross_entropy(&logits, &targets, engine).unwrap();
        losses.push(loss.to_scalar::<f32>().unwrap());
        let own = tape.backward(&loss).unwrap();
        if step == 0 {
            let vars = parameters.trainable().into_iter();
            gradients = vars
                .flat_map(|(_, var)| flat(own.get(&var).unwrap()))
                .collect();
        }
        adam.step(&own, 1e-3).unwrap();
    }
    for (name, var) in parameters.vars() {
        assert_eq!(var.dtype(), DType::F32, "{name}");
    }
    let logits = flat(&network.forward(&pictures, Mode::Predict).unwrap());
    Trained {
        gradients,
        losses,
        logits,
    }
}

fn length(values: impl Iterator<Item = f32>) -> f64 {
    values
        .map(|value| f64::from(value).powi(2))
        .sum::<f64>()
        .sqrt()
}

#[test]
fn steps_in_bf16_follow_those_in_f32_about_as_far_as_eight_bits_say() {
    for name in ["cnn", "vgg", "resvgg"] {
        let full = trained(name, Engine::Portable);
        let short = trained(name, Engine::Bf16);
        let pairs = || short.gradients.iter().zip(&full.gradients);
        let apart = length(pairs().map(|(short, full)| short - full))
            / length(pairs().map(|(_, full)| *full));
        assert!(apart > 1e-4, "{name}: nothing was rounded, {apart}");
        assert!(apart < 0.3, "{name}: {apart}");
        assert!(
            short.losses[5] < 0.8 * short.losses[0],
            "{name}: {:?}",
            short.losses
        );
        for (short, full) in short.losses.iter().zip(&full.losses) {
            assert!(
                (short - full).abs() < 0.1 * full.max(0.5),
                "{name}: {short} {full}"
            );
        }
        assert!(short.logits.iter().all(|value| value.is_finite()), "{name}");
    }
}

#[test]
fn predictions_are_not_rounded() {
    for name in Architecture::NAMES {
        let predicted = |engine| {
            let parameters = Parameters::new(5, &Device::Cpu);
            let architecture = Architecture::named(name).unwrap();
            let network = architecture.build(8, engine, parameters.builder()).unwrap();
            let pictures = random(&[2, 1, 48, 48], "pictures");
            flat(&network.forward(&pictures, Mode::Predict).unwrap())
        };
        assert_eq!(
            predicted(Engine::Bf16),
            predicted(Engine::Portable),
            "{name}"
        );
    }
}
