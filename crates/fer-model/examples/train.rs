//! Trains from a candle program, on 240 drawn faces and in a few seconds:
//! `cargo run -p fer-model --example train`.

#![expect(clippy::print_stdout, reason = "a program of its own")]

use fer_data::drawn::DrawnFaces;
use fer_model::candle_core::{D, Device, Tensor};
use fer_model::ops::{AdamSettings, AdamState, Engine, Mode, cross_entropy};
use fer_model::{Architecture, Expression, Network, Parameters, Picture, Tape, pictures_to_tensor};

const EPOCHS: u32 = 16;
const BATCH: usize = 24;

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (pictures, labels) = faces()?;
    let (device, engine, classes) = (Device::Cpu, Engine::detect(), Expression::ALL.len());
    let parameters = Parameters::new(7, &device);
    let network = Architecture::named("cnn")?.build(classes, engine, parameters.builder())?;
    let tape = Tape::new(&network)?;
    let trained = parameters.trainable();
    let states = trained.iter().map(|(_, var)| AdamState::new(var, engine));
    let mut states: Vec<AdamState> = states.collect::<Result<_, _>>()?;

    let mut step = 0_u32;
    for epoch in 1..=EPOCHS {
        let mut sum = 0.0;
        for (pictures, labels) in pictures.chunks(BATCH).zip(labels.chunks(BATCH)) {
            let input = pictures_to_tensor(pictures, &device)?;
            let targets = one_hot(labels, classes, &device)?;
            let logits = tape.forward(
                &input,
                Mode::Train {
                    seed: 7,
                    step: u64::from(step),
                },
            )?;
            let loss = cross_entropy(&logits, &targets, engine)?;
            let gradients = tape.backward(&loss)?;
            step += 1;
            for ((name, var), state) in trained.iter().zip(&mut states) {
                let gradient = gradients.get(var).ok_or(name.as_str())?;
                state.step(var, gradient, 1e-3, step, &AdamSettings::default())?;
            }
            sum += loss.to_scalar::<f32>()?;
        }
        println!(
            "epoch {epoch}: loss {:.3}",
            sum * BATCH as f32 / pictures.len() as f32
        );
    }

    let input = pictures_to_tensor(&pictures, &device)?;
    let answers = network.forward(&input, Mode::Predict)?.argmax(D::Minus1)?;
    let answers = answers.to_vec1::<u32>()?;
    let right = answers
        .iter()
        .zip(&labels)
        .filter(|(answer, label)| answer == label);
    let right = right.count();
    println!("{right} of {} training pictures right", labels.len());
    assert!(2 * right > labels.len(), "it has learned");
    Ok(())
}

/// Thirty drawn people with eight expressions each, and the expressions' places.
fn faces() -> Result<(Vec<Picture>, Vec<u32>), Box<dyn std::error::Error>> {
    let drawn = DrawnFaces::new(1).subjects(30).takes(1);
    let faces: Vec<_> = (0..drawn.len()).map(|index| drawn.draw(index)).collect();
    let pictures = faces
        .iter()
        .map(|face| Picture::from_pixels(&face.pixels, "drawn"));
    let labels = faces
        .iter()
        .map(|face| face.expression.index() as u32)
        .collect();
    Ok((pictures.collect::<Result<_, _>>()?, labels))
}

/// Targets, f32 of shape (pictures, classes): one at the label, else zero.
fn one_hot(
    labels: &[u32],
    classes: usize,
    device: &Device,
) -> fer_model::candle_core::Result<Tensor> {
    let row = |label: &u32| {
        (0..classes)
            .map(|class| (class == *label as usize) as u8 as f32)
            .collect::<Vec<_>>()
    };
    let rows: Vec<Vec<f32>> = labels.iter().map(row).collect();
    Tensor::new(rows, device)
}
