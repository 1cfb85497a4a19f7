use candle_core::{Result, Tensor, bail};
use candle_nn::VarBuilder;

use crate::ops::{Dense, Engine, global_mean};

/// Squeeze-and-excitation (Hu et al. 2018): what all positions of a picture say together decides how
/// much each channel counts. gates = sigmoid(W₂ relu(W₁ mean + b₁) + b₂), where `mean` is the mean of
/// each channel over all positions.
#[derive(Clone, Debug)]
pub struct SqueezeBlock {
    narrow: Dense,
    wide: Dense,
    engine: Engine,
}

impl SqueezeBlock {
    /// Takes from the builder `dense1.weight` (channels / reduction, channels), rounded up, and
    /// `dense2.weight` (channels, channels / reduction), Glorot uniform, each with its `bias`, zero.
    ///
    /// # Errors
    /// No channels, a reduction of zero, or a stored tensor that is missing or has another shape.
    pub fn new(
        channels: usize,
        reduction: usize,
        engine: Engine,
        builder: VarBuilder<'_>,
    ) -> Result<Self> {
        if channels == 0 || reduction == 0 {
            bail!(
                "squeeze-and-excitation needs channels and a reduction of at least 1, got {channels} and {reduction}"
            );
        }
        let hidden = channels.div_ceil(reduction);
        Ok(SqueezeBlock {
            narrow: Dense::new([channels, hidden], true, engine, builder.pp("dense1"))?,
            wide: Dense::new([hidden, channels], false, engine, builder.pp("dense2"))?,
            engine,
        })
    }

    /// Maps (pictures, rows, columns, channels) to gates (pictures, channels), 0 to 1.
    ///
    /// # Errors
    /// Maps of other channels, or without a position.
    pub fn gates(&self, maps: &Tensor) -> Result<Tensor> {
        let means = global_mean(maps, self.engine)?;
        let logits = self.wide.forward(&self.narrow.forward(&means)?)?;
        candle_nn::ops::sigmoid(&logits)
    }

    /// The two dense layers, before and after the ReLU between them.
    pub(crate) fn layers(&self) -> [&Dense; 2] {
        [&self.narrow, &self.wide]
    }
}
