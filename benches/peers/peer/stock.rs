use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use candle_core::{Tensor, Var};
use candle_nn::{
    AdamW, Conv2d, Conv2dConfig, Dropout, Linear, Module, Optimizer, ParamsAdamW, loss,
};

use crate::exchange::{Block, Exchange};
use crate::{Side, Work, timed};

/// candle as it comes, layer by layer; networks without normalisation only.
pub(crate) struct Candle(pub(crate) Exchange);

impl Side for Candle {
    fn trainer(&self, network: &str, batch: usize, dropout: bool) -> Result<Work> {
        let network = Layers::new(&self.0, network, dropout)?;
        let batches = self.0.batches(batch)?;
        let settings = ParamsAdamW {
            lr: 1e-3,
            weight_decay: 0.0,
            ..ParamsAdamW::default()
        };
        let mut adam = AdamW::new(network.vars.clone(), settings)?;
        Ok(Box::new(move |iterations| {
            timed(iterations, |number| {
                let (pictures, labels) = &batches[number % batches.len()];
                let loss = loss::cross_entropy(&network.forward(pictures, true)?, labels)?;
                adam.backward_step(&loss)?;
                Ok(loss)
            })
        }))
    }

    fn predictor(&self, network: &str, batch: usize) -> Result<Work> {
        let network = Layers::new(&self.0, network, false)?;
        let batches = self.0.batches(batch)?;
        Ok(Box::new(move |iterations| {
            timed(iterations, |number| {
                network.forward(&batches[number % batches.len()].0, false)
            })
        }))
    }

    /// candle's max-pooling has a wrong gradient over odd sides, so the second loss differs.
    fn right_steps(&self) -> usize {
        1
    }
}

enum Layer {
    Convolution(Conv2d),
    Relu,
    Pool,
    Flatten,
    Linear(Linear),
    Dropout(Dropout),
}

struct Layers {
    layers: Vec<Layer>,
    vars: Vec<Var>,
}

impl Layers {
    fn new(exchange: &Exchange, network: &str, dropout: bool) -> Result<Self> {
        let mut weights = exchange.weights(network)?;
        let mut made = Layers {
            layers: Vec::new(),
            vars: Vec::new(),
        };
        for block in exchange.blocks(network)? {
            made.push(block, &mut weights, dropout)?;
        }
        Ok(made)
    }

    fn push(
        &mut self,
        block: Block,
        weights: &mut BTreeMap<String, Tensor>,
        dropout: bool,
    ) -> Result<()> {
        let relu = match block {
            Block::Convolution {
                name,
                stride,
                padding,
                norm: false,
                relu,
                pool,
                ..
            } => {
                let (weight, bias) = self.variables(&name, weights)?;
                let settings = Conv2dConfig {
                    padding,
                    stride,
                    ..Conv2dConfig::default()
                };
                let convolution = Conv2d::new(weight, Some(bias), settings);
                self.layers.push(Layer::Convolution(convolution));
                self.layers.extend(relu.then_some(Layer::Relu));
                self.layers.extend(pool.then_some(Layer::Pool));
                false
            }
            Block::Flatten => {
                self.layers.push(Layer::Flatten);
                false
            }
            Block::Dense { name, relu, .. } => {
                let (weight, bias) = self.variables(&name, weights)?;
                self.layers
                    .push(Layer::Linear(Linear::new(weight, Some(bias))));
                relu
            }
            Block::Dropout { share } => {
                let share = if dropout { share } else { 0.0 };
                self.layers.push(Layer::Dropout(Dropout::new(share)));
                false
            }
            Block::Convolution { .. }
            | Block::Residual { .. }
            | Block::Depthwise { .. }
            | Block::Mean => {
                bail!("candle runs networks without normalisation here")
            }
        };
        self.layers.extend(relu.then_some(Layer::Relu));
        Ok(())
    }

    /// The weight and the bias of this name, as variables.
    fn variables(
        &mut self,
        name: &str,
        weights: &mut BTreeMap<String, Tensor>,
    ) -> Result<(Tensor, Tensor)> {
        let mut variable = |part: &str| {
            let name = format!("{name}.{part}");
            let value = weights
                .remove(&name)
                .with_context(|| format!("no {name}"))?;
            let var = Var::from_tensor(&value)?;
            self.vars.push(var.clone());
            Ok::<_, anyhow::Error>(var.as_tensor().clone())
        };
        Ok((variable("weight")?, variable("bias")?))
    }

    fn forward(&self, pictures: &Tensor, train: bool) -> Result<Tensor> {
        let mut values = pictures.clone();
        for layer in &self.layers {
            values = match layer {
                Layer::Convolution(convolution) => convolution.forward(&values)?,
                Layer::Relu => values.relu()?,
                Layer::Pool => values.max_pool2d(2)?,
                Layer::Flatten => values.flatten_from(1)?,
                Layer::Linear(linear) => linear.forward(&values)?,
                Layer::Dropout(dropout) => dropout.forward(&values, train)?,
            };
        }
        Ok(values)
    }
}
