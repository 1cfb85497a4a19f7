use candle_core::{Result, Tensor, bail};

use crate::arch::block::Block;
use crate::arch::{Layer, Network};
use crate::ops::{Engine, Mode};

/// A network of blocks one after the other, some of them around a residual: what a
/// [`Stack`](crate::Stack) builds, and what every network of this crate is.
pub struct Sequential {
    pub(crate) input: [usize; 3],
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

    /// The smallest variable near the end, if the network is to be trained.
    pub(crate) fn anchor(&self) -> Option<&Tensor> {
        let bias = self.blocks.iter().rev().find_map(Block::bias);
        bias.filter(|bias| bias.is_variable())
    }

    /// Any weight, which tells where the network lies.
    pub(crate) fn weight(&self) -> Option<&Tensor> {
        self.blocks.iter().find_map(Block::weight)
    }
}

impl Network for Sequential {
    fn forward(&self, pictures: &Tensor, mode: Mode) -> Result<Tensor> {
        let (_, channels, height, width) = pictures.dims4()?;
        if [channels, height, width] != self.input {
            bail!(
                "the network takes pictures of {:?} (channels, rows, columns), got {:?}",
                self.input,
                [channels, height, width]
            );
        }
        let mut output = if channels == 1 {
            pictures.reshape(((), height, width, 1))?
        } else {
            pictures.permute((0, 2, 3, 1))?.contiguous()?
        };
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
