use candle_core::Result;
use serde::{Deserialize, Serialize};

use crate::arch::{ResidualSettings, Sequential, Stack, check_dropout, check_squeeze, check_width};
use crate::error::ModelError;
use crate::ops::ConvolutionSettings;

/// Widths.
const STAGES: usize = 4;
/// Residual blocks at each width.
const BLOCKS: usize = 2;

/// ResNet-18's shape (He et al. 2016) for 48×48: a stem of 3×3 with stride 1, two residual blocks of
/// two convolutions at each of four widths, the last three of which start with stride 2, the mean of
/// each channel, dropout, and one output a class.
///
/// At width 16: 700,920 trainable parameters for eight classes, about 78 million multiply-adds a
/// picture. Tensors: `stem`, then `stageS.blockB.conv1` and `conv2` and, where the shape changes,
/// `shortcut`, each with its `weight` and the four of its `norm`, and `squeeze`, where asked for;
/// `dense.weight` and `dense.bias`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ResNetSettings {
    /// Channels of the stem and the first stage, 1 to 256; each later stage doubles them. Default 16.
    pub width: usize,
    /// Probability that a mean is dropped in training, 0 to below 1. Default 0.
    pub dropout: f32,
    /// Squeeze-and-excitation in every residual block, as
    /// [`ResidualSettings::squeeze`]: 0 (none) to 256; Hu et al. take 16. Default 0.
    pub squeeze: usize,
}

impl Default for ResNetSettings {
    fn default() -> Self {
        ResNetSettings {
            width: 16,
            dropout: 0.0,
            squeeze: 0,
        }
    }
}

impl ResNetSettings {
    pub(crate) fn check(&self) -> std::result::Result<(), ModelError> {
        check_width(self.width)?;
        check_dropout(self.dropout)?;
        check_squeeze(self.squeeze)
    }

    pub(crate) fn build(&self, classes: usize, stack: Stack<'_>) -> Result<Sequential> {
        let residual = ResidualSettings {
            squeeze: self.squeeze,
        };
        let mut inputs = self.width;
        let stem = ConvolutionSettings::normalised(1, inputs);
        let mut stack = stack.convolution("stem", stem)?;
        for stage in 0..STAGES {
            let outputs = self.width << stage;
            for block in 0..BLOCKS {
                let stride = if stage > 0 && block == 0 { 2 } else { 1 };
                let first = ConvolutionSettings {
                    stride,
                    ..ConvolutionSettings::normalised(inputs, outputs)
                };
                let second = ConvolutionSettings::normalised(outputs, outputs);
                let name = format!("stage{}.block{}", stage + 1, block + 1);
                stack = stack.residual_with(&name, residual, |body| {
                    body.convolution("conv1", first)?
                        .convolution("conv2", second)
                })?;
                inputs = outputs;
            }
        }
        stack
            .global_mean()?
            .dropout("dropout", self.dropout)?
            .dense("dense", classes, false)?
            .finish()
    }
}
