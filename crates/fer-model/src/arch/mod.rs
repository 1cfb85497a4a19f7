//! The networks: one file each.

mod cnn;
mod layer;

use candle_core::Tensor;
use candle_nn::VarBuilder;
use serde::{Deserialize, Serialize};

use crate::error::ModelError;
use crate::ops::Mode;

pub use cnn::{Cnn, CnnSettings};
pub use layer::Layer;

/// A network from pictures to logits.
pub trait Network: Send + Sync {
    /// Pictures, f32 of shape (pictures, 1, 48, 48) with values 0 to 1, to logits, f32 of shape
    /// (pictures, classes). Probabilities are the softmax of the logits.
    ///
    /// # Errors
    /// Pictures of another shape or on another device than the weights.
    fn forward(&self, pictures: &Tensor, mode: Mode) -> candle_core::Result<Tensor>;
}

/// Which network, with its settings; what a model file and a configuration name it by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "arch", rename_all = "lowercase")]
pub enum Architecture {
    /// The source document's network.
    Cnn(CnnSettings),
}

impl Default for Architecture {
    fn default() -> Self {
        Architecture::Cnn(CnnSettings::default())
    }
}

impl Architecture {
    /// Every name that [`named`](Self::named) knows.
    pub const NAMES: [&str; 1] = ["cnn"];

    /// The architecture of this name, with its default settings.
    ///
    /// # Errors
    /// [`ModelError::UnknownArchitecture`].
    pub fn named(name: &str) -> Result<Self, ModelError> {
        match name {
            "cnn" => Ok(Architecture::Cnn(CnnSettings::default())),
            _ => Err(ModelError::UnknownArchitecture(name.to_string())),
        }
    }

    /// The name that [`named`](Self::named) takes.
    pub fn name(&self) -> &'static str {
        match self {
            Architecture::Cnn(_) => "cnn",
        }
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// [`ModelError::Setting`], naming the one out of range.
    pub fn check(&self) -> Result<(), ModelError> {
        match self {
            Architecture::Cnn(settings) => settings.check(),
        }
    }

    /// Builds the network for a number of classes with the tensors of `builder`.
    ///
    /// # Errors
    /// Settings out of range, or a tensor that is missing or has another shape.
    pub fn build(
        &self,
        classes: usize,
        builder: VarBuilder<'_>,
    ) -> Result<Box<dyn Network>, ModelError> {
        self.check()?;
        match self {
            Architecture::Cnn(settings) => Ok(Box::new(Cnn::new(settings, classes, builder)?)),
        }
    }

    /// The layers in order, for a number of classes.
    pub fn layers(&self, classes: usize) -> Vec<Layer> {
        match self {
            Architecture::Cnn(_) => Cnn::layers(classes),
        }
    }
}
