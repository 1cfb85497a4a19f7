use candle_core::Result;
use serde::{Deserialize, Serialize};

use crate::arch::{Sequential, Stack, check_dropout};
use crate::error::ModelError;
use crate::ops::ConvolutionSettings;

/// Channels of the convolutions in order, and whether 2×2 max-pooling follows.
const CONVOLUTIONS: [(usize, bool); 7] = [
    (32, true),
    (64, false),
    (64, true),
    (128, false),
    (128, true),
    (256, false),
    (256, false),
];

/// A VGG (Simonyan & Zisserman 2015) for 48×48 with batch normalisation: convolutions of 3×3 with
/// padding 1, 32-P-64-64-P-128-128-P-256-256, the mean of each channel, dropout, and one output a
/// class.
///
/// 1,165,416 trainable parameters for eight classes, about 96 million multiply-adds a picture.
/// Tensors: `conv1` to `conv7`, each with `weight` (outputs, inputs, 3, 3) and the four of its
/// `norm`; `dense.weight` (classes, 256) and `dense.bias`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VggSettings {
    /// Probability that a mean is dropped in training, 0 to below 1. Default 0.4.
    pub dropout: f32,
}

impl Default for VggSettings {
    fn default() -> Self {
        VggSettings { dropout: 0.4 }
    }
}

impl VggSettings {
    pub(crate) fn check(&self) -> std::result::Result<(), ModelError> {
        check_dropout(self.dropout)
    }

    pub(crate) fn build(&self, classes: usize, mut stack: Stack<'_>) -> Result<Sequential> {
        let mut inputs = 1;
        for (place, (outputs, pool)) in CONVOLUTIONS.into_iter().enumerate() {
            let settings = ConvolutionSettings {
                pool,
                ..ConvolutionSettings::normalised(inputs, outputs)
            };
            stack = stack.convolution(&format!("conv{}", place + 1), settings)?;
            inputs = outputs;
        }
        stack
            .global_mean()?
            .dropout("dropout", self.dropout)?
            .dense("dense", classes, false)?
            .finish()
    }
}
