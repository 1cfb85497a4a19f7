use candle_core::Result;
use serde::{Deserialize, Serialize};

use crate::arch::{ResidualSettings, Sequential, Stack, check_dropout, check_squeeze, check_width};
use crate::error::ModelError;
use crate::ops::{ConvolutionSettings, DepthwiseSettings};

/// Residual blocks at one, two and three times the width.
const BLOCKS: [usize; 3] = [2, 3, 2];

/// A network for small devices, of convolutions of each channel by itself followed by convolutions of
/// 1×1 (MobileNet, Howard et al. 2017), with residuals around two such pairs (Xception, Chollet
/// 2017).
///
/// For 48×48: a convolution of 3×3 and a 2×2 max-pool; two residual blocks; one pair to twice the
/// width, pooled; three residual blocks; one pair to three times the width, pooled; two residual
/// blocks; the mean of each channel, dropout, and one output a class. Every convolution has batch
/// normalisation and a ReLU.
///
/// At width 32: 87,880 trainable parameters for eight classes, about 11.5 million multiply-adds a
/// picture. Tensors: `stem`; `stageS.blockB.depthwise1`, `pointwise1`, `depthwise2` and `pointwise2`,
/// and `squeeze`, where asked for; `stageS.depthwise` and `pointwise` of what widens; each with its
/// `weight` and the four of its `norm`; `dense.weight` and `dense.bias`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MobileSettings {
    /// Channels of the stem, 1 to 256; the last blocks have three times as many. Default 32.
    pub width: usize,
    /// Probability that a mean is dropped in training, 0 to below 1. Default 0.2.
    pub dropout: f32,
    /// Squeeze-and-excitation in every residual block, as [`ResidualSettings::squeeze`]: 0 (none) to
    /// 256. Default 0.
    pub squeeze: usize,
}

impl Default for MobileSettings {
    fn default() -> Self {
        MobileSettings {
            width: 32,
            dropout: 0.2,
            squeeze: 0,
        }
    }
}

impl MobileSettings {
    pub(crate) fn check(&self) -> std::result::Result<(), ModelError> {
        check_width(self.width)?;
        check_dropout(self.dropout)?;
        check_squeeze(self.squeeze)
    }

    pub(crate) fn build(&self, classes: usize, stack: Stack<'_>) -> Result<Sequential> {
        let stem = ConvolutionSettings {
            pool: true,
            ..ConvolutionSettings::normalised(1, self.width)
        };
        let mut stack = stack.convolution("stem", stem)?;
        let residual = ResidualSettings {
            squeeze: self.squeeze,
        };
        for (stage, blocks) in BLOCKS.into_iter().enumerate() {
            let name = format!("stage{}", stage + 1);
            let channels = (stage + 1) * self.width;
            if stage > 0 {
                stack = widen(stack, &name, [stage * self.width, channels])?;
            }
            for block in 1..=blocks {
                let name = format!("{name}.block{block}");
                stack = stack.residual_with(&name, residual, |body| pairs(body, channels))?;
            }
        }
        stack
            .global_mean()?
            .dropout("dropout", self.dropout)?
            .dense("dense", classes, false)?
            .finish()
    }
}

/// To other channels and half the side.
fn widen<'a>(stack: Stack<'a>, name: &str, [inputs, outputs]: [usize; 2]) -> Result<Stack<'a>> {
    let pooled = ConvolutionSettings {
        pool: true,
        ..pointwise(inputs, outputs)
    };
    stack
        .depthwise(
            &format!("{name}.depthwise"),
            DepthwiseSettings::normalised(inputs, 1),
        )?
        .convolution(&format!("{name}.pointwise"), pooled)
}

fn pairs(mut body: Stack<'_>, channels: usize) -> Result<Stack<'_>> {
    for pair in 1..=2 {
        let depthwise = DepthwiseSettings::normalised(channels, 1);
        body = body
            .depthwise(&format!("depthwise{pair}"), depthwise)?
            .convolution(&format!("pointwise{pair}"), pointwise(channels, channels))?;
    }
    Ok(body)
}

/// 1×1 with batch normalisation and a ReLU.
fn pointwise(inputs: usize, outputs: usize) -> ConvolutionSettings {
    ConvolutionSettings {
        relu: true,
        ..ConvolutionSettings::projection(inputs, outputs, 1)
    }
}
