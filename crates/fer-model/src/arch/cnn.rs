use candle_core::Result;
use serde::{Deserialize, Serialize};

use crate::arch::{Sequential, Stack, check_dropout};
use crate::error::ModelError;
use crate::ops::ConvolutionSettings;

/// The network of the source document: two convolutions of 3×3 with ReLU and max-pooling, a hidden
/// layer of 128 with dropout, and one output a class.
///
/// 839,176 parameters for eight classes, about 9.6 million multiply-adds a picture. Tensors:
/// `conv1.weight` (32, 1, 3, 3), `conv2.weight` (64, 32, 3, 3), `dense1.weight` (128, 6400),
/// `dense2.weight` (classes, 128), each with its `bias`; `dense1` sees channels, rows, columns in
/// that order, as PyTorch flattens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CnnSettings {
    /// Probability that a hidden value is dropped in training, 0 to below 1. Default 0.5.
    pub dropout: f32,
}

impl Default for CnnSettings {
    fn default() -> Self {
        CnnSettings { dropout: 0.5 }
    }
}

impl CnnSettings {
    pub(crate) fn check(&self) -> std::result::Result<(), ModelError> {
        check_dropout(self.dropout)
    }

    pub(crate) fn build(&self, classes: usize, stack: Stack<'_>) -> Result<Sequential> {
        let pooled = |inputs, outputs| ConvolutionSettings {
            pool: true,
            ..ConvolutionSettings::valid(inputs, outputs)
        };
        stack
            .convolution("conv1", pooled(1, 32))?
            .convolution("conv2", pooled(32, 64))?
            .flatten()?
            .dense("dense1", 128, true)?
            .dropout("dropout", self.dropout)?
            .dense("dense2", classes, false)?
            .finish()
    }
}
