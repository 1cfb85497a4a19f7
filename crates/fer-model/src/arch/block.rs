use candle_core::{Result, Tensor};

use crate::ops::{
    ConvolutionBlock, Dense, DepthwiseBlock, Engine, Mode, dropout, flatten, global_mean,
};

/// One step of a [`Sequential`](crate::Sequential) network.
#[derive(Clone, Debug)]
pub(crate) enum Block {
    Convolution(ConvolutionBlock),
    Depthwise(DepthwiseBlock),
    Residual(Residual),
    GlobalMean,
    Flatten,
    Dense(Dense),
    Dropout { name: String, rate: f32 },
}

/// Blocks whose input is added to the output of their last convolution.
#[derive(Clone, Debug)]
pub(crate) struct Residual {
    pub(crate) body: Vec<Block>,
    pub(crate) last: ConvolutionBlock,
    /// What brings the input to the output's shape, where they differ.
    pub(crate) shortcut: Option<ConvolutionBlock>,
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
    /// Its bias, if it is a dense layer.
    pub(crate) fn bias(&self) -> Option<&Tensor> {
        match self {
            Block::Dense(dense) => Some(dense.tensors()[1]),
            _ => None,
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

impl Residual {
    fn forward(&self, input: &Tensor, mode: Mode, engine: Engine) -> Result<Tensor> {
        let mut maps = input.clone();
        for block in &self.body {
            maps = block.forward(&maps, mode, engine)?;
        }
        let around = match &self.shortcut {
            Some(shortcut) => shortcut.forward(input, mode)?,
            None => input.clone(),
        };
        self.last.forward_adding(&maps, Some(&around), mode)
    }
}
