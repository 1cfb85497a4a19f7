use candle_core::Result;
use serde::{Deserialize, Serialize};

use crate::arch::{Sequential, Stack, check_dropout, check_width};
use crate::error::ModelError;
use crate::ops::ConvolutionSettings;

/// Channels of the convolutions in order, in widths, and whether 2×2 max-pooling follows.
const CONVOLUTIONS: [(usize, bool); 7] = [
    (1, true),
    (2, false),
    (2, true),
    (4, false),
    (4, true),
    (8, false),
    (8, false),
];

/// A VGG (Simonyan & Zisserman 2015) for 48×48 with batch normalisation: convolutions of 3×3 with
/// padding 1, 1-P-2-2-P-4-4-P-8-8 times the width, the mean of each channel, dropout, and one output
/// a class.
///
/// At width 32: 1,165,416 trainable parameters for eight classes, about 96 million multiply-adds a
/// picture. Tensors: `conv1` to `conv7`, each with `weight` (outputs, inputs, 3, 3) and the four of
/// its `norm`; `dense.weight` (classes, 8 widths) and `dense.bias`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VggSettings {
    /// Channels of the first convolution, 1 to 256; the last has eight times as many. Default 32.
    pub width: usize,
    /// Probability that a mean is dropped in training, 0 to below 1. Default 0.4.
    pub dropout: f32,
}

impl Default for VggSettings {
    fn default() -> Self {
        VggSettings {
            width: 32,
            dropout: 0.4,
        }
    }
}

impl VggSettings {
    pub(crate) fn check(&self) -> std::result::Result<(), ModelError> {
        check_width(self.width)?;
        check_dropout(self.dropout)
    }

    pub(crate) fn build(&self, classes: usize, mut stack: Stack<'_>) -> Result<Sequential> {
        let mut inputs = 1;
        for (place, (widths, pool)) in CONVOLUTIONS.into_iter().enumerate() {
            let outputs = widths * self.width;
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
