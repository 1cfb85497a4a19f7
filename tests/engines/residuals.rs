use candle_core::{Device, Result, Tensor};
use fer_model::ops::{ConvolutionSettings, Engine, Mode};
use fer_model::{Network, Parameters, Plan, ResidualSettings, Sequential, Stack, Tape};

use super::{assert_close, flat, kernels, random, randomise};

const COUNT: usize = 40;

/// relu(maps + convolution(maps)) of two channels, flattened and multiplied by a fixed matrix.
fn network(
    name: &str,
    settings: ResidualSettings,
    engine: Engine,
    parameters: &Parameters,
) -> Result<Sequential> {
    let plain = ConvolutionSettings {
        padding: 1,
        ..ConvolutionSettings::valid(2, 2)
    };
    Stack::new([2, 3, 4], engine, parameters.builder())
        .residual_with(name, settings, |body| body.convolution("conv", plain))?
        .flatten()?
        .dense("dense", 5, false)?
        .finish()
}

fn dropping(drop: f32) -> ResidualSettings {
    ResidualSettings {
        drop,
        ..ResidualSettings::default()
    }
}

/// Logits, picture by picture.
fn logits(name: &str, drop: f32, mode: Mode, engine: Engine) -> Vec<Vec<f32>> {
    let parameters = Parameters::new(3, &Device::Cpu);
    let network = network(name, dropping(drop), engine, &parameters).unwrap();
    randomise(&parameters);
    let logits = network.forward(&random(&[COUNT, 2, 3, 4], "pictures"), mode);
    logits.unwrap().to_vec2().unwrap()
}

/// The logits with the branch times `factor`.
fn multiplied(name: &str, factor: f64) -> Vec<Vec<f32>> {
    let parameters = Parameters::new(3, &Device::Cpu);
    let network = network(name, dropping(0.0), Engine::Portable, &parameters).unwrap();
    randomise(&parameters);
    for (tensor, var) in parameters.vars() {
        if tensor.starts_with(name) {
            var.set(&(var.as_tensor() * factor).unwrap()).unwrap();
        }
    }
    let logits = network.forward(&random(&[COUNT, 2, 3, 4], "pictures"), Mode::Predict);
    logits.unwrap().to_vec2().unwrap()
}

/// Which pictures' branches were left out; the others' are divided by the share that stays.
fn left_out(name: &str, drop: f32, mode: Mode, engine: Engine) -> Vec<bool> {
    let found = logits(name, drop, mode, engine);
    let (without, with) = (
        multiplied(name, 0.0),
        multiplied(name, 1.0 / f64::from(1.0 - drop)),
    );
    let far = |a: &[f32], b: &[f32]| a.iter().zip(b).any(|(a, b)| (a - b).abs() > 1e-4);
    (0..COUNT)
        .map(|picture| {
            let out = !far(&found[picture], &without[picture]);
            assert_ne!(
                out,
                !far(&found[picture], &with[picture]),
                "{engine}, picture {picture}: {:?}",
                found[picture]
            );
            out
        })
        .collect()
}

#[test]
fn stochastic_depth_leaves_a_pictures_whole_branch_out_or_makes_up_for_the_others() {
    let train = |seed, step| Mode::Train { seed, step };
    for engine in Engine::available() {
        let left = |name, mode| left_out(name, 0.4, mode, engine);
        let first = left("block", train(1, 2));
        let count = first.iter().filter(|out| **out).count();
        assert!((8..25).contains(&count), "{count} of {COUNT} at 40 %");
        assert_eq!(first, left("block", train(1, 2)));
        assert_ne!(first, left("block", train(2, 2)), "another seed");
        assert_ne!(first, left("block", train(1, 3)), "another step");
        assert_ne!(first, left("other", train(1, 2)), "another block");
        assert_eq!(
            first,
            left_out("block", 0.4, train(1, 2), Engine::Portable),
            "{engine}"
        );
    }
}

#[test]
fn stochastic_depth_changes_no_prediction() {
    for engine in Engine::available() {
        let found = logits("block", 0.4, Mode::Predict, engine);
        assert_eq!(found, logits("block", 0.0, Mode::Predict, engine));
        let step = Mode::Train { seed: 1, step: 2 };
        assert_ne!(found, logits("block", 0.4, step, engine));
    }
}

#[test]
fn tape_and_graph_leave_out_the_same_branches_to_the_bit() {
    for engine in kernels() {
        for squeeze in [0, 2] {
            let parameters = Parameters::new(3, &Device::Cpu);
            let settings = ResidualSettings { squeeze, drop: 0.5 };
            let network = network("block", settings, engine, &parameters).unwrap();
            randomise(&parameters);
            let pictures = random(&[COUNT, 2, 3, 4], "pictures");
            let tape = Tape::new(&network).unwrap();
            for step in 0..3 {
                let mode = Mode::Train { seed: 5, step };
                let taped = tape.forward(&pictures, mode).unwrap();
                let graph = network.forward(&pictures, mode).unwrap();
                assert_eq!(flat(&taped), flat(&graph), "{engine}, squeeze {squeeze}");
            }
        }
    }
}

#[test]
fn squeeze_and_excitation_is_its_formula() {
    let settings = ResidualSettings {
        squeeze: 2,
        drop: 0.0,
    };
    for engine in Engine::available() {
        let parameters = Parameters::new(3, &Device::Cpu);
        let network = network("block", settings, engine, &parameters).unwrap();
        // The branch is the maps themselves.
        for (name, var) in parameters.vars() {
            let mut values = vec![0.0f32; var.elem_count()];
            match name.as_str() {
                "block.conv.weight" => (values[4], values[31]) = (1.0, 1.0),
                "block.squeeze.dense1.weight" => values.copy_from_slice(&[0.5, -2.0]),
                "block.squeeze.dense1.bias" => values[0] = 0.25,
                "block.squeeze.dense2.weight" => values.copy_from_slice(&[3.0, -1.0]),
                "block.squeeze.dense2.bias" => values[1] = 0.5,
                // The first positions of both channels.
                "dense.weight" => (values[0], values[24 + 12]) = (1.0, 1.0),
                _ => (),
            }
            var.set(&Tensor::from_vec(values, var.shape(), &Device::Cpu).unwrap())
                .unwrap();
        }
        let mut pixels = vec![0.0f32; 24];
        (pixels[0], pixels[1], pixels[12]) = (2.0, 4.0, 1.2);
        let pictures = Tensor::from_vec(pixels, (1, 2, 3, 4), &Device::Cpu).unwrap();
        let hidden = 0.25f32 + 0.5 * 6.0 / 12.0 - 2.0 * 1.2 / 12.0;
        let gate = |logit: f32| 1.0 / (1.0 + (-logit).exp());
        let expected = [
            2.0 * (1.0 + gate(3.0 * hidden)),
            1.2 * (1.0 + gate(0.5 - hidden)),
            0.0,
            0.0,
            0.0,
        ];
        let found = network.forward(&pictures, Mode::Predict).unwrap();
        assert_close(&format!("{engine}"), &flat(&found), &expected, 1e-6);
        if let Some(plan) = Plan::new(&network).unwrap() {
            let planned = plan.forward(&pictures).unwrap();
            assert_close("plan", &flat(&planned), &expected, 1e-6);
        }
    }
}
