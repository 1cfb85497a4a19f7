use candle_core::{Result, Tensor, bail};

use crate::arch::block::Block;
use crate::arch::{Shape, Stack};
use crate::ops::{
    ConvolutionBlock, ConvolutionSettings, Dense, Engine, Mode, SqueezeBlock, dropout_mask,
    gated_sum,
};

/// What a residual does besides adding its input.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ResidualSettings {
    /// Squeeze-and-excitation (Hu et al. 2018) of the branch before the sum: how many times fewer
    /// values than channels lie between its two dense layers. 0, the default, for none.
    pub squeeze: usize,
    /// Stochastic depth (Huang et al. 2016): the probability, 0 to below 1, that a picture's branch
    /// is left out of a training step. The branches that stay are divided by 1 - `drop`, so nothing
    /// changes when predicting. Default 0.
    pub drop: f32,
}

impl ResidualSettings {
    /// Those of residual `number`, counted from 1, of `count`: the probability of being left out
    /// grows in proportion to the depth, up to `greatest` in the last.
    pub fn at_depth(squeeze: usize, greatest: f32, [number, count]: [usize; 2]) -> Self {
        ResidualSettings {
            squeeze,
            drop: greatest * number as f32 / count as f32,
        }
    }
}

/// Blocks whose input is added to the output of their last convolution.
#[derive(Clone, Debug)]
pub(crate) struct Residual {
    pub(crate) body: Vec<Block>,
    pub(crate) last: ConvolutionBlock,
    pub(crate) squeeze: Option<SqueezeBlock>,
    pub(crate) depth: Option<StochasticDepth>,
    /// What brings the input to the output's shape, where they differ.
    pub(crate) shortcut: Option<ConvolutionBlock>,
}

/// The chance that a branch is left out.
#[derive(Clone, Debug)]
pub(crate) struct StochasticDepth {
    name: String,
    rate: f32,
}

impl StochasticDepth {
    /// What each picture's branch is multiplied by: zero, or the inverse of the share that stays;
    /// `None` where nothing changes.
    pub(crate) fn factors(&self, pictures: usize, mode: Mode) -> Option<Vec<f32>> {
        dropout_mask([pictures, 1], self.rate, &self.name, mode)
    }
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
        let (pictures, ..) = input.dims4()?;
        let depth = self.depth.as_ref();
        let factors = depth.and_then(|depth| depth.factors(pictures, mode));
        if self.squeeze.is_none() && factors.is_none() {
            return self.last.forward_adding(&maps, Some(&around), mode);
        }
        let maps = self.last.bare().forward(&maps, mode)?;
        let gates = self.gates(&maps, factors)?;
        gated_sum(&maps, &gates, &around, self.last.finish())
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

    /// What each picture's channels are multiplied by.
    fn gates(&self, maps: &Tensor, factors: Option<Vec<f32>>) -> Result<Tensor> {
        let (pictures, _, _, channels) = maps.dims4()?;
        let factors = match factors {
            Some(factors) => Some(Tensor::from_vec(factors, (pictures, 1), maps.device())?),
            None => None,
        };
        match (&self.squeeze, factors) {
            (Some(squeeze), Some(factors)) => squeeze.gates(maps)?.broadcast_mul(&factors),
            (Some(squeeze), None) => squeeze.gates(maps),
            (None, Some(factors)) => factors.broadcast_as((pictures, channels)),
            (None, None) => Tensor::ones((pictures, channels), maps.dtype(), maps.device()),
        }
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
    /// As [`residual`](Self::residual), and a probability out of range.
    pub fn residual_with(
        mut self,
        name: &str,
        settings: ResidualSettings,
        body: impl FnOnce(Self) -> Result<Self>,
    ) -> Result<Self> {
        let ResidualSettings { squeeze, drop } = settings;
        if !(0.0..1.0).contains(&drop) {
            bail!("{name}: a branch is left out with at least 0 and below 1, got {drop}");
        }
        let before = self.shape;
        let builder = self.builder.pp(name);
        let depth = (drop > 0.0).then(|| StochasticDepth {
            name: builder.prefix(),
            rate: drop,
        });
        let mut inner = body(Stack {
            builder,
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
        let squeeze = match squeeze {
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
            depth,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chance_of_being_left_out_grows_with_the_depth() {
        let drops = [1, 2, 4].map(|number| ResidualSettings::at_depth(0, 0.2, [number, 4]).drop);
        assert_eq!(drops, [0.05, 0.1, 0.2]);
    }
}
