//! A network of one's own out of blocks: `cargo run -p fer-model --example own_network`.

#![expect(clippy::print_stdout, reason = "a program of its own")]

use fer_model::candle_core::{self, DType, Device, Tensor};
use fer_model::ops::{ConvolutionSettings, DepthwiseSettings, Engine, Mode};
use fer_model::{Network, Parameters, Plan, Sequential, Stack};

/// From 48×48 grey pictures to the logits of so many classes.
fn network(classes: usize, parameters: &Parameters) -> candle_core::Result<Sequential> {
    let stem = ConvolutionSettings {
        pool: true,
        ..ConvolutionSettings::normalised(1, 16)
    };
    let halving = ConvolutionSettings {
        stride: 2,
        ..ConvolutionSettings::normalised(16, 32)
    };
    Stack::new([1, 48, 48], Engine::detect(), parameters.builder())
        .convolution("stem", stem)?
        .residual("block", |block| {
            block
                .convolution("conv1", halving)?
                .convolution("conv2", ConvolutionSettings::normalised(32, 32))
        })?
        .depthwise("depthwise", DepthwiseSettings::normalised(32, 1))?
        .global_mean()?
        .dropout("dropout", 0.2)?
        .dense("head", classes, false)?
        .finish()
}

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let parameters = Parameters::new(7, &Device::Cpu);
    let network = network(3, &parameters)?;
    for layer in network.layers() {
        println!("{:24} {:?}", layer.name, layer.output);
    }
    for (name, var) in parameters.vars() {
        println!("{name:32} {:?}", var.dims());
    }

    // It predicts by candle's graph, and faster by a plan, where the engine has kernels: to rounding the same.
    let pictures = Tensor::zeros((2, 1, 48, 48), DType::F32, &Device::Cpu)?;
    let logits = network.forward(&pictures, Mode::Predict)?;
    println!("{:?}", logits.dims());
    if let Some(plan) = Plan::new(&network)? {
        let difference = (plan.forward(&pictures)? - &logits)?.abs()?.max_all()?;
        println!("by the plan within {difference}");
        assert!(difference.to_scalar::<f32>()? < 1e-4);
    }
    Ok(())
}
