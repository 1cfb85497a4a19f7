use candle_core::{Result, Tensor};

use crate::arch::residual::Residual;
use crate::ops::{
    ConvolutionBlock, Dense, DepthwiseBlock, Engine, Mode, dropout, flatten, global_mean,
};

/// One step of a [`Sequential`](crate::Sequential) network.
#[derive(Clone, Debug)]
pub(crate) enum Block {
    Convolution(ConvolutionBlock),
    Depthwise(DepthwiseBlock),
    Residual(Box<Residual>),
    GlobalMean,
    Flatten,
    Dense(Dense),
    Dropout { name: String, rate: f32 },
}

impl Block {
    pub(crate) fn forward(&self, input: &Tensor, mode: Mode, engine: Engine) -> Result<Tensor> {
        match self {
            Block::Convolution(block) => block.forward(input, mode),
            Block::Depthwise(block) => block.forward(input, mode),
            Block::Residual(block) => block.forward(input, mode, engine),
            Block::GlobalMean => global_mean(input, engine),
            Block::Flatten => flatten(input, engine),
            Block::Dense(dense) => dense.forward(input),
            Block::Dropout { name, rate } => dropout(input, *rate, name, mode),
        }
    }
}

impl Block {
    /// The tensors that a gradient could move, in their order.
    pub(crate) fn tensors(&self) -> Vec<&Tensor> {
        match self {
            Block::Convolution(block) => block.tensors(),
            Block::Depthwise(block) => block.tensors(),
            Block::Residual(block) => block.tensors(),
            Block::Dense(dense) => dense.tensors().to_vec(),
            Block::GlobalMean | Block::Flatten | Block::Dropout { .. } => Vec::new(),
        }
    }

    /// Its weight, if it has one.
    pub(crate) fn weight(&self) -> Option<&Tensor> {
        match self {
            Block::Convolution(block) => Some(block.weight()),
            Block::Depthwise(block) => Some(block.weight()),
            Block::Residual(block) => Some(block.last.weight()),
            Block::Dense(dense) => Some(dense.tensors()[0]),
            Block::GlobalMean | Block::Flatten | Block::Dropout { .. } => None,
        }
    }
}
