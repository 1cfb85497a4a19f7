use candle_core::Result;
use serde::{Deserialize, Serialize};

use crate::arch::{ResidualSettings, Sequential, Stack, check_dropout, check_squeeze, check_width};
use crate::error::ModelError;
use crate::ops::ConvolutionSettings;

/// A VGG with two residuals for 48×48: the kind of the "ResNet-9" with which D. Page led DAWNBench's
/// list for CIFAR-10 (2018), with the residuals at the third and fourth width (his stand at the second
/// and fourth).
///
/// Convolutions of 3×3 with padding 1 and batch normalisation, 1-P-2-2-P-4-R(4,4)-P-8-R(8,8) times
/// the width, where R(n,n) are two convolutions whose input is added to their output and P is 2×2
/// max-pooling; the mean of each channel, dropout, and one output a class.
///
/// At width 32: 1,903,464 trainable parameters for eight classes, about 139 million multiply-adds a
/// picture. Tensors: `conv1` to `conv5`, `residual1.conv1` and `conv2`, `residual2.conv1` and `conv2`,
/// each with its `weight` and the four of its `norm`; `dense.weight` (classes, 8 widths) and
/// `dense.bias`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ResVggSettings {
    /// Channels of the first convolution, 1 to 256; the last has eight times as many. Default 32.
    pub width: usize,
    /// Probability that a mean is dropped in training, 0 to below 1. Default 0.4.
    pub dropout: f32,
    /// Squeeze-and-excitation in both residuals, as [`ResidualSettings::squeeze`]: 0 (none) to 256.
    /// Default 0.
    pub squeeze: usize,
}

impl Default for ResVggSettings {
    fn default() -> Self {
        ResVggSettings {
            width: 32,
            dropout: 0.4,
            squeeze: 0,
        }
    }
}

impl ResVggSettings {
    pub(crate) fn check(&self) -> std::result::Result<(), ModelError> {
        check_width(self.width)?;
        check_dropout(self.dropout)?;
        check_squeeze(self.squeeze)
    }

    pub(crate) fn build(&self, classes: usize, stack: Stack<'_>) -> Result<Sequential> {
        let width = self.width;
        let plain = |inputs: usize, outputs: usize| {
            ConvolutionSettings::normalised(inputs * width, outputs * width)
        };
        let pooled = |settings| ConvolutionSettings {
            pool: true,
            ..settings
        };
        let residual = ResidualSettings {
            squeeze: self.squeeze,
        };
        stack
            .convolution("conv1", pooled(ConvolutionSettings::normalised(1, width)))?
            .convolution("conv2", plain(1, 2))?
            .convolution("conv3", pooled(plain(2, 2)))?
            .convolution("conv4", plain(2, 4))?
            .residual_with("residual1", residual, |body| {
                body.convolution("conv1", plain(4, 4))?
                    .convolution("conv2", pooled(plain(4, 4)))
            })?
            .convolution("conv5", plain(4, 8))?
            .residual_with("residual2", residual, |body| {
                body.convolution("conv1", plain(8, 8))?
                    .convolution("conv2", plain(8, 8))
            })?
            .global_mean()?
            .dropout("dropout", self.dropout)?
            .dense("dense", classes, false)?
            .finish()
    }
}
