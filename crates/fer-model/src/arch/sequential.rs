use candle_core::{Device, Result, Tensor, bail};

use crate::arch::block::Block;
use crate::arch::{Layer, Network};
use crate::ops::{Engine, Mode};

/// A network of blocks one after the other, some of them around a residual: what a
/// [`Stack`](crate::Stack) builds, and what every network of this crate is.
pub struct Sequential {
    pub(crate) input: [usize; 3],
    pub(crate) outputs: usize,
    pub(crate) blocks: Vec<Block>,
    pub(crate) layers: Vec<Layer>,
    pub(crate) engine: Engine,
}

impl Sequential {
    /// Channels, height and width of the pictures that it takes.
    pub fn input(&self) -> [usize; 3] {
        self.input
    }

    /// The rows of its layer table.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// How many logits it gives for a picture.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Where its weights are; the CPU, where it has none.
    pub(crate) fn device(&self) -> Device {
        self.weight()
            .map_or(Device::Cpu, |weight| weight.device().clone())
    }

    /// Pictures (pictures, channels, rows, columns) as the blocks take maps: (pictures, rows, columns,
    /// channels).
    pub(crate) fn enter(&self, pictures: &Tensor) -> Result<Tensor> {
        let (_, channels, height, width) = pictures.dims4()?;
        if [channels, height, width] != self.input {
            bail!(
                "the network takes pictures of {:?} (channels, rows, columns), got {:?}",
                self.input,
                [channels, height, width]
            );
        }
        if channels == 1 {
            pictures.reshape(((), height, width, 1))
        } else {
            pictures.permute((0, 2, 3, 1))?.contiguous()
        }
    }

    /// The last variable, if the network is to be trained.
    pub(crate) fn anchor(&self) -> Option<&Tensor> {
        let tensors = self.blocks.iter().rev().flat_map(|block| {
            let tensors = block.tensors();
            tensors.into_iter().rev()
        });
        tensors.into_iter().find(|tensor| tensor.is_variable())
    }

    /// Any weight, which tells where the network lies.
    pub(crate) fn weight(&self) -> Option<&Tensor> {
        self.blocks.iter().find_map(Block::weight)
    }
}

impl Network for Sequential {
    fn forward(&self, pictures: &Tensor, mode: Mode) -> Result<Tensor> {
        let mut output = self.enter(pictures)?;
        for block in &self.blocks {
            output = block.forward(&output, mode, self.engine)?;
        }
        Ok(output)
    }

    fn sequential(&self) -> Option<&Sequential> {
        Some(self)
    }

    fn engine(&self) -> Engine {
        self.engine
    }
}
