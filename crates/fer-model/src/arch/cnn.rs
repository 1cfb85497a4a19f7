use candle_core::{Result, Tensor};
use candle_nn::VarBuilder;
use fer_data::SIDE;
use serde::{Deserialize, Serialize};

use crate::arch::{Layer, Network};
use crate::error::ModelError;
use crate::ops::{ConvolutionBlock, Dense, Mode, dropout};

const FIRST: usize = 32;
const SECOND: usize = 64;
const HIDDEN: usize = 128;
/// Side of the maps after each convolution and pooling: 46, 23, 21, 10.
const SIDES: [usize; 4] = {
    let first = SIDE - 2;
    let second = first / 2 - 2;
    [first, first / 2, second, second / 2]
};
const FLAT: usize = SECOND * SIDES[3] * SIDES[3];

/// Settings of the [`Cnn`].
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
        if (0.0..1.0).contains(&self.dropout) {
            return Ok(());
        }
        Err(ModelError::Setting {
            name: "model.dropout",
            value: self.dropout.to_string(),
            expected: "at least 0 and below 1",
        })
    }
}

/// The network of the source document: two convolutions of 3×3 with ReLU and max-pooling, a hidden
/// layer of 128 with dropout, and one output a class.
///
/// 839,176 parameters for eight classes, about 9.6 million multiply-adds a picture. Tensors:
/// `conv1.weight` (32, 1, 3, 3), `conv2.weight` (64, 32, 3, 3), `dense1.weight` (128, 6400),
/// `dense2.weight` (classes, 128), each with its `bias`; `dense1` sees channels, rows, columns in
/// that order, as PyTorch flattens.
pub struct Cnn {
    conv1: ConvolutionBlock,
    conv2: ConvolutionBlock,
    dense1: Dense,
    dense2: Dense,
    dropout: f32,
}

impl Cnn {
    /// Takes the tensors from the builder.
    ///
    /// # Errors
    /// A tensor that is missing or has another shape.
    pub fn new(settings: &CnnSettings, classes: usize, builder: VarBuilder<'_>) -> Result<Self> {
        Ok(Cnn {
            conv1: ConvolutionBlock::new(1, FIRST, true, builder.pp("conv1"))?,
            conv2: ConvolutionBlock::new(FIRST, SECOND, true, builder.pp("conv2"))?,
            dense1: Dense::new(FLAT, HIDDEN, true, builder.pp("dense1"))?,
            dense2: Dense::new(HIDDEN, classes, false, builder.pp("dense2"))?,
            dropout: settings.dropout,
        })
    }

    pub(crate) fn layers(classes: usize) -> Vec<Layer> {
        let square = |side, channels| vec![side, side, channels];
        vec![
            Layer::new("conv2d", "Conv2D", square(SIDES[0], FIRST), (9 + 1) * FIRST),
            Layer::new("max_pooling2d", "MaxPooling2D", square(SIDES[1], FIRST), 0),
            Layer::new(
                "conv2d_1",
                "Conv2D",
                square(SIDES[2], SECOND),
                (9 * FIRST + 1) * SECOND,
            ),
            Layer::new(
                "max_pooling2d_1",
                "MaxPooling2D",
                square(SIDES[3], SECOND),
                0,
            ),
            Layer::new("flatten", "Flatten", vec![FLAT], 0),
            Layer::new("dense", "Dense", vec![HIDDEN], (FLAT + 1) * HIDDEN),
            Layer::new("dropout", "Dropout", vec![HIDDEN], 0),
            Layer::new("dense_1", "Dense", vec![classes], (HIDDEN + 1) * classes),
        ]
    }
}

impl Network for Cnn {
    fn forward(&self, pictures: &Tensor, mode: Mode) -> Result<Tensor> {
        let (count, _, height, width) = pictures.dims4()?;
        let maps = self
            .conv1
            .forward(&pictures.reshape((count, height, width, 1))?)?;
        let maps = self.conv2.forward(&maps)?;
        let flat = maps.permute((0, 3, 1, 2))?.flatten_from(1)?;
        let hidden = self.dense1.forward(&flat)?;
        let hidden = dropout(&hidden, self.dropout, "dropout", mode)?;
        self.dense2.forward(&hidden)
    }
}
