use candle_core::{Device, Result, Tensor};
use fer_model::ops::{ConvolutionSettings, Engine, Mode};
use fer_model::{Network, Parameters, Plan, ResidualSettings, Sequential, Stack, Tape};

use super::{assert_close, flat, kernels, random, randomise};

/// relu(maps + gated convolution(maps)) of two channels, flattened and multiplied by a fixed matrix.
fn network(engine: Engine, parameters: &Parameters) -> Result<Sequential> {
    let plain = ConvolutionSettings {
        padding: 1,
        ..ConvolutionSettings::valid(2, 2)
    };
    let gated = ResidualSettings { squeeze: 2 };
    Stack::new([2, 3, 4], engine, parameters.builder())
        .residual_with("block", gated, |body| body.convolution("conv", plain))?
        .flatten()?
        .dense("dense", 5, false)?
        .finish()
}

#[test]
fn tape_and_graph_gate_a_branch_to_the_same_bits() {
    for engine in kernels() {
        let parameters = Parameters::new(3, &Device::Cpu);
        let network = network(engine, &parameters).unwrap();
        randomise(&parameters);
        let tape = Tape::new(&network).unwrap();
        // Several batches, so that buffers of one would show in the next.
        for batch in ["first", "second", "third"] {
            let pictures = random(&[40, 2, 3, 4], batch);
            let mode = Mode::Train { seed: 5, step: 0 };
            let taped = tape.forward(&pictures, mode).unwrap();
            let graph = network.forward(&pictures, mode).unwrap();
            assert_eq!(flat(&taped), flat(&graph), "{engine}, {batch}");
        }
    }
}

#[test]
fn squeeze_and_excitation_is_its_formula() {
    for engine in Engine::available() {
        let parameters = Parameters::new(3, &Device::Cpu);
        let network = network(engine, &parameters).unwrap();
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
