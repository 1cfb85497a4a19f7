use candle_core::{Result, Tensor, bail};

use crate::arch::block::Block;
use crate::arch::{Shape, Stack};
use crate::ops::{
    ConvolutionBlock, ConvolutionSettings, Dense, Engine, Mode, SqueezeBlock, gated_sum,
};

/// What a residual does besides adding its input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResidualSettings {
    /// Squeeze-and-excitation (Hu et al. 2018) of the branch before the sum: how many times fewer
    /// values than channels lie between its two dense layers. 0, the default, for none.
    pub squeeze: usize,
}

/// Blocks whose input is added to the output of their last convolution.
#[derive(Clone, Debug)]
pub(crate) struct Residual {
    pub(crate) body: Vec<Block>,
    pub(crate) last: ConvolutionBlock,
    pub(crate) squeeze: Option<SqueezeBlock>,
    /// What brings the input to the output's shape, where they differ.
    pub(crate) shortcut: Option<ConvolutionBlock>,
}

impl Residual {
    pub(crate) fn forward(&self, input: &Tensor, mode: Mode, engine: Engine) -> Result<Tensor> {
        let mut maps = input.clone();
        for block in &self.body {
            maps = block.forward(&maps, mode, engine)?;
        }
        let around = match &self.shortcut {
            Some(shortcut) => shortcut.forward(input, mode)?,
            None => input.clone(),
        };
        let Some(squeeze) = &self.squeeze else {
            return self.last.forward_adding(&maps, Some(&around), mode);
        };
        let maps = self.last.bare().forward(&maps, mode)?;
        gated_sum(&maps, &squeeze.gates(&maps)?, &around, self.last.finish())
    }

    /// The tensors that a gradient could move.
    pub(crate) fn tensors(&self) -> Vec<&Tensor> {
        let squeeze = self.squeeze.iter().flat_map(SqueezeBlock::layers);
        let body = self.body.iter().flat_map(Block::tensors);
        body.chain(self.last.tensors())
            .chain(squeeze.flat_map(Dense::tensors))
            .chain(self.shortcut.iter().flat_map(ConvolutionBlock::tensors))
            .collect()
    }
}

impl Stack<'_> {
    /// Adds the blocks of `body`, whose tensors stand under `name`, and adds their input to the
    /// output of the last, which must be a convolution, before its ReLU and pool. Where the shapes
    /// differ, a normalised 1×1 convolution `shortcut` brings the input to the output's.
    ///
    /// # Errors
    /// Those of `body`; a last block that is no convolution; shapes that no shortcut brings together.
    pub fn residual(self, name: &str, body: impl FnOnce(Self) -> Result<Self>) -> Result<Self> {
        self.residual_with(name, ResidualSettings::default(), body)
    }

    /// As [`residual`](Self::residual), with what `settings` say. The tensors of the
    /// squeeze-and-excitation are `squeeze.dense1` and `squeeze.dense2`, each with `weight` and `bias`.
    ///
    /// # Errors
    /// As [`residual`](Self::residual).
    pub fn residual_with(
        mut self,
        name: &str,
        settings: ResidualSettings,
        body: impl FnOnce(Self) -> Result<Self>,
    ) -> Result<Self> {
        let before = self.shape;
        let mut inner = body(Stack {
            builder: self.builder.pp(name),
            engine: self.engine,
            input: self.input,
            shape: before,
            before_pool: before,
            blocks: Vec::new(),
            layers: std::mem::take(&mut self.layers),
        })?;
        let Some(Block::Convolution(last)) = inner.blocks.pop() else {
            bail!("{name}: the last block under a residual must be a convolution");
        };
        inner.layers.pop_finish();
        let squeeze = match settings.squeeze {
            0 => None,
            reduction => Some(inner.squeeze(last.settings().outputs, reduction)?),
        };
        let shortcut = inner.shortcut(name, before)?;
        inner.layers.push_sum(inner.before_pool.dims());
        let ConvolutionSettings { relu, pool, .. } = *last.settings();
        inner.layers.push_finish(relu, pool);
        self.blocks.push(Block::Residual(Box::new(Residual {
            body: inner.blocks,
            last,
            squeeze,
            shortcut,
        })));
        self.layers = inner.layers;
        self.before_pool = inner.before_pool;
        self.shape = inner.shape;
        Ok(self)
    }

    /// What gates the channels of maps with the shape before the last pool.
    fn squeeze(&mut self, channels: usize, reduction: usize) -> Result<SqueezeBlock> {
        let builder = self.builder.pp("squeeze");
        let block = SqueezeBlock::new(channels, reduction, self.engine, builder)?;
        self.layers.push_mean(channels);
        for layer in block.layers() {
            let (outputs, inputs) = layer.tensors()[0].dims2()?;
            self.layers.push_dense([inputs, outputs]);
        }
        self.layers.push_product(self.before_pool.dims());
        Ok(block)
    }

    /// What brings maps of the shape `before` to those that the last convolution gives.
    fn shortcut(&mut self, name: &str, before: Shape) -> Result<Option<ConvolutionBlock>> {
        let after = self.before_pool;
        if before == after {
            return Ok(None);
        }
        let (
            Shape::Maps {
                channels: inputs,
                height,
                width,
            },
            Shape::Maps {
                channels: outputs,
                height: rows,
                width: columns,
            },
        ) = (before, after)
        else {
            bail!("{name}: a residual goes over maps, got {before:?} and {after:?}");
        };
        let settings = (1..=height.max(width))
            .map(|stride| ConvolutionSettings::projection(inputs, outputs, stride))
            .find(|settings| {
                [height, width].map(|side| settings.before_pool(side)) == [rows, columns]
            });
        let Some(settings) = settings else {
            bail!("{name}: no 1×1 convolution brings {before:?} to {after:?}");
        };
        self.layers.push_convolution(&settings, [rows, columns]);
        let builder = self.builder.pp("shortcut");
        Ok(Some(ConvolutionBlock::new(settings, self.engine, builder)?))
    }
}
