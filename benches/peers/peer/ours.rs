use anyhow::{Context, Result, ensure};
use candle_core::{DType, Device, Tensor};
use candle_nn::encoding::one_hot;
use fer_data::{Expression, Picture};
use fer_model::file::{self, Description, Preprocessing, SelfTest, TrainingSummary};
use fer_model::ops::{
    AdamForm, AdamSettings, ConvolutionSettings, DepthwiseSettings, Engine, Mode, cross_entropy,
};
use fer_model::{
    Architecture, CnnSettings, Network, Parameters, Plan, Sequential, Stack, Tape, VggSettings,
};
use fer_train::fit::Optimiser;
use serde_json::{Value, json};

use crate::exchange::{Block, Exchange};
use crate::{Side, Work, timed};

const CLASSES: usize = 8;
const RATE: f64 = 1e-3;
/// PyTorch's, so that the losses can be compared.
const ADAM: AdamSettings = AdamSettings {
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    form: AdamForm::PyTorch,
    weight_decay: 0.0,
};

/// This project, with the fastest engine of the machine.
pub(crate) struct Fer(pub(crate) Exchange);

impl Side for Fer {
    fn trainer(&self, network: &str, batch: usize, dropout: bool) -> Result<Work> {
        let (parameters, network) = build(&self.0, network, dropout)?;
        let engine = network.engine();
        let mut adam = Optimiser::new(&parameters, ADAM, engine)?;
        let batches = self
            .0
            .batches(batch)?
            .into_iter()
            .map(|(pictures, labels)| Ok((pictures, one_hot(labels, CLASSES, 1f32, 0f32)?)))
            .collect::<Result<Vec<_>>>()?;
        let mut step = 0;
        Ok(Box::new(move |iterations| {
            let tape = Tape::new(&network)?;
            timed(iterations, |number| {
                let (pictures, targets) = &batches[number % batches.len()];
                let logits = tape.forward(pictures, Mode::Train { seed: 0, step })?;
                let loss = cross_entropy(&logits, targets, engine)?;
                adam.step(&tape.backward(&loss)?, RATE)?;
                step += 1;
                Ok(loss)
            })
        }))
    }

    fn predictor(&self, network: &str, batch: usize) -> Result<Work> {
        let (_, network) = build(&self.0, network, false)?;
        let plan = Plan::new(&network)?.context("there is no plan")?;
        let batches = self.0.batches(batch)?;
        Ok(Box::new(move |iterations| {
            timed(iterations, |number| {
                Ok(plan.forward(&batches[number % batches.len()].0)?)
            })
        }))
    }

    fn right_steps(&self) -> usize {
        usize::MAX
    }
}

/// A network with the shared weights.
fn build(exchange: &Exchange, name: &str, dropout: bool) -> Result<(Parameters, Sequential)> {
    let parameters = Parameters::new(0, &Device::Cpu);
    let engine = Engine::detect();
    let network = match architecture(name, dropout) {
        Some(architecture) => architecture.build(CLASSES, engine, parameters.builder())?,
        None => {
            let stack = Stack::new([1, 48, 48], engine, parameters.builder());
            stacked(stack, exchange.blocks(name)?)?
        }
    };
    let weights = exchange.weights(name)?;
    let ours = parameters.vars();
    ensure!(
        ours.iter().map(|(name, _)| name).eq(weights.keys()),
        "weights of other names than the network's"
    );
    parameters.restore(&weights)?;
    Ok((parameters, network))
}

/// The networks that have a name; in the benchmark only `cnn` drops anything out.
fn architecture(name: &str, dropout: bool) -> Option<Architecture> {
    match name {
        "cnn" => {
            let dropout = if dropout { 0.5 } else { 0.0 };
            Some(Architecture::Cnn(CnnSettings { dropout }))
        }
        "vgg" => Some(Architecture::Vgg(VggSettings {
            dropout: 0.0,
            ..VggSettings::default()
        })),
        "resnet" => Architecture::named(name).ok(),
        _ => None,
    }
}

/// A network that is only a list of blocks.
fn stacked(mut stack: Stack<'_>, blocks: Vec<Block>) -> Result<Sequential> {
    let mut inputs = 1;
    for block in blocks {
        stack = match block {
            Block::Convolution {
                name,
                outputs,
                window,
                stride,
                padding,
                norm,
                relu,
                pool,
            } => {
                let settings = ConvolutionSettings {
                    inputs,
                    outputs,
                    kernel: window,
                    stride,
                    padding,
                    norm,
                    relu,
                    pool,
                };
                inputs = outputs;
                stack.convolution(&name, settings)?
            }
            Block::Residual {
                name,
                outputs,
                stride,
            } => {
                let first = ConvolutionSettings {
                    stride,
                    ..ConvolutionSettings::normalised(inputs, outputs)
                };
                inputs = outputs;
                stack.residual(&name, |body| {
                    body.convolution("conv1", first)?
                        .convolution("conv2", ConvolutionSettings::normalised(outputs, outputs))
                })?
            }
            Block::Depthwise { name, stride } => {
                stack.depthwise(&name, DepthwiseSettings::normalised(inputs, stride))?
            }
            Block::Mean => stack.global_mean()?,
            Block::Flatten => stack.flatten()?,
            Block::Dense {
                name,
                outputs,
                relu,
            } => stack.dense(&name, outputs, relu)?,
            Block::Dropout { share } => stack.dropout("dropout", share)?,
        };
    }
    Ok(stack.finish()?)
}

/// Writes NETWORK-model.safetensors, as a training run would leave it.
pub(crate) fn save_model(exchange: &Exchange, name: &str) -> Result<Value> {
    let (parameters, network) = build(exchange, name, true)?;
    let pictures: Tensor = exchange.batches(1)?.swap_remove(0).0;
    let pixels = (pictures.flatten_all()? * 255.0)?
        .round()?
        .to_dtype(DType::U8)?;
    let face = Picture::from_pixels(&pixels.to_vec1::<u8>()?, "drawn")?;
    let description = Description {
        format: Description::FORMAT,
        library: Description::library_name(),
        architecture: architecture(name, true).context("no architecture of this name")?,
        classes: Expression::class_names(),
        preprocessing: Preprocessing::default(),
        training: TrainingSummary::default(),
        calibration: None,
        abstention: None,
        judged: None,
        self_test: SelfTest::record(&network, &face, &Device::Cpu)?,
    };
    let path = exchange.path(&format!("{name}-model.safetensors"));
    file::save(&path, &parameters.snapshot()?, &description)?;
    Ok(json!({ "file": path }))
}
