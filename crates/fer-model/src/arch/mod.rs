//! The networks: one file each.

mod block;
mod layer;
mod residual;
mod sequential;
mod stack;

mod cnn;
mod mobile;
mod resnet;
mod resvgg;
mod vgg;

use std::collections::{BTreeMap, BTreeSet};

use candle_core::Tensor;
use candle_nn::VarBuilder;
use fer_data::SIDE;
use serde::{Deserialize, Serialize};

use crate::error::ModelError;
use crate::ops::{Engine, Mode};
use crate::parameters::Shapes;

pub(crate) use block::Block;
pub use cnn::CnnSettings;
pub use layer::Layer;
pub use mobile::MobileSettings;
pub(crate) use residual::Residual;
pub use residual::ResidualSettings;
pub use resnet::ResNetSettings;
pub use resvgg::ResVggSettings;
pub use sequential::Sequential;
pub use stack::{Shape, Stack};
pub use vgg::VggSettings;

/// A network from pictures to logits.
pub trait Network: Send + Sync {
    /// Pictures, f32 of shape (pictures, channels, rows, columns), for the networks of this crate
    /// (pictures, 1, 48, 48) with values 0 to 1, to logits, f32 of shape (pictures, classes).
    /// Probabilities are the softmax of the logits.
    ///
    /// # Errors
    /// Pictures of another shape or on another device than the weights.
    fn forward(&self, pictures: &Tensor, mode: Mode) -> candle_core::Result<Tensor>;

    /// The network as blocks one after the other, from which a [`Plan`](crate::Plan) and a
    /// [`Tape`](crate::Tape) are made; `None` where it is something else and candle's graph does the
    /// work.
    fn sequential(&self) -> Option<&Sequential> {
        None
    }

    /// What computes it where its tensors are on the CPU.
    fn engine(&self) -> Engine {
        Engine::Portable
    }
}

impl<N: Network + ?Sized> Network for &N {
    fn forward(&self, pictures: &Tensor, mode: Mode) -> candle_core::Result<Tensor> {
        (**self).forward(pictures, mode)
    }

    fn sequential(&self) -> Option<&Sequential> {
        (**self).sequential()
    }

    fn engine(&self) -> Engine {
        (**self).engine()
    }
}

/// Which network, with its settings; what a model file and a configuration name it by.
///
/// Trainable parameters and multiply-adds a picture, for eight classes; settings that are not named
/// have their defaults, which the rows without any show.
///
/// | network | settings | parameters | multiply-adds |
/// |---|---|---|---|
/// | `cnn` | | 839,176 | 9,558,144 |
/// | `vgg` | | 1,165,416 | 96,217,088 |
/// | `vgg` | width 16 | 292,408 | 24,220,672 |
/// | `vgg` | width 40 | 1,819,648 | 150,131,200 |
/// | `resnet` | | 700,920 | 78,189,568 |
/// | `resnet` | width 24 | 1,574,384 | 175,676,928 |
/// | `resnet` | width 32 | 2,796,520 | 312,092,672 |
/// | `resnet` | squeeze 16 | 706,870 | 78,195,008 |
/// | `resvgg` | | 1,903,464 | 138,684,416 |
/// | `resvgg` | width 24 | 1,071,632 | 78,134,784 |
/// | `resvgg` | squeeze 16 | 1,914,112 | 138,694,656 |
/// | `mobile` | | 87,880 | 11,488,512 |
/// | `mobile` | width 24 | 52,088 | 6,874,560 |
/// | `mobile` | squeeze 8 | 96,576 | 11,496,704 |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "arch", rename_all = "lowercase")]
pub enum Architecture {
    /// The source document's network.
    Cnn(CnnSettings),
    /// A VGG with batch normalisation.
    Vgg(VggSettings),
    /// A residual network.
    ResNet(ResNetSettings),
    /// A VGG with two residuals.
    ResVgg(ResVggSettings),
    /// A network for small devices.
    Mobile(MobileSettings),
}

impl Default for Architecture {
    fn default() -> Self {
        Architecture::Cnn(CnnSettings::default())
    }
}

impl Architecture {
    /// Every name that [`named`](Self::named) knows.
    pub const NAMES: [&str; 5] = ["cnn", "vgg", "resnet", "resvgg", "mobile"];

    /// The architecture of this name, with its default settings.
    ///
    /// # Errors
    /// [`ModelError::UnknownArchitecture`].
    pub fn named(name: &str) -> Result<Self, ModelError> {
        match name {
            "cnn" => Ok(Architecture::Cnn(CnnSettings::default())),
            "vgg" => Ok(Architecture::Vgg(VggSettings::default())),
            "resnet" => Ok(Architecture::ResNet(ResNetSettings::default())),
            "resvgg" => Ok(Architecture::ResVgg(ResVggSettings::default())),
            "mobile" => Ok(Architecture::Mobile(MobileSettings::default())),
            _ => Err(ModelError::UnknownArchitecture(name.to_string())),
        }
    }

    /// The name that [`named`](Self::named) takes.
    pub fn name(&self) -> &'static str {
        match self {
            Architecture::Cnn(_) => "cnn",
            Architecture::Vgg(_) => "vgg",
            Architecture::ResNet(_) => "resnet",
            Architecture::ResVgg(_) => "resvgg",
            Architecture::Mobile(_) => "mobile",
        }
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// [`ModelError::Setting`], naming the one out of range.
    pub fn check(&self) -> Result<(), ModelError> {
        match self {
            Architecture::Cnn(settings) => settings.check(),
            Architecture::Vgg(settings) => settings.check(),
            Architecture::ResNet(settings) => settings.check(),
            Architecture::ResVgg(settings) => settings.check(),
            Architecture::Mobile(settings) => settings.check(),
        }
    }

    /// Builds the network for a number of classes with the tensors of `builder`, to be computed by
    /// `engine` where they are on the CPU.
    ///
    /// # Errors
    /// Settings out of range, or a tensor that is missing or has another shape.
    pub fn build(
        &self,
        classes: usize,
        engine: Engine,
        builder: VarBuilder<'_>,
    ) -> Result<Sequential, ModelError> {
        self.check()?;
        let stack = Stack::new([1, SIDE, SIDE], engine, builder);
        Ok(match self {
            Architecture::Cnn(settings) => settings.build(classes, stack),
            Architecture::Vgg(settings) => settings.build(classes, stack),
            Architecture::ResNet(settings) => settings.build(classes, stack),
            Architecture::ResVgg(settings) => settings.build(classes, stack),
            Architecture::Mobile(settings) => settings.build(classes, stack),
        }?)
    }

    /// The layers in order, for a number of classes.
    ///
    /// # Errors
    /// Settings out of range.
    pub fn layers(&self, classes: usize) -> Result<Vec<Layer>, ModelError> {
        let shapes = Shapes::default();
        let network = self.build(classes, Engine::Portable, shapes.builder())?;
        Ok(network.layers().to_vec())
    }

    /// The tensors by name with their shapes, in PyTorch's layout, for a number of classes: what a model
    /// file holds, running statistics included.
    ///
    /// ```
    /// use fer_model::Architecture;
    ///
    /// let tensors = Architecture::named("cnn")?.tensors(8)?;
    /// assert_eq!(tensors["conv1.weight"], [32, 1, 3, 3]);
    /// # Ok::<(), fer_model::ModelError>(())
    /// ```
    ///
    /// # Errors
    /// Settings out of range.
    pub fn tensors(&self, classes: usize) -> Result<BTreeMap<String, Vec<usize>>, ModelError> {
        let shapes = Shapes::default();
        self.build(classes, Engine::Portable, shapes.builder())?;
        Ok(shapes.named())
    }

    /// The names of the tensors that depend on the number of classes: those of the last layer.
    ///
    /// ```
    /// use fer_model::Architecture;
    ///
    /// let head = Architecture::named("resvgg")?.head()?;
    /// assert!(head.into_iter().eq(["dense.bias", "dense.weight"]));
    /// # Ok::<(), fer_model::ModelError>(())
    /// ```
    ///
    /// # Errors
    /// Settings out of range.
    pub fn head(&self) -> Result<BTreeSet<String>, ModelError> {
        let (two, three) = (self.tensors(2)?, self.tensors(3)?);
        let depends = two
            .into_iter()
            .filter(|(name, shape)| three[name] != *shape);
        Ok(depends.map(|(name, _)| name).collect())
    }
}

fn check_width(width: usize) -> Result<(), ModelError> {
    if (1..=256).contains(&width) {
        return Ok(());
    }
    Err(ModelError::Setting {
        name: "model.width",
        value: width.to_string(),
        expected: "1 to 256",
    })
}

fn check_squeeze(reduction: usize) -> Result<(), ModelError> {
    if reduction <= 256 {
        return Ok(());
    }
    Err(ModelError::Setting {
        name: "model.squeeze",
        value: reduction.to_string(),
        expected: "0 (none) to 256",
    })
}

fn check_dropout(rate: f32) -> Result<(), ModelError> {
    if (0.0..1.0).contains(&rate) {
        return Ok(());
    }
    Err(ModelError::Setting {
        name: "model.dropout",
        value: rate.to_string(),
        expected: "at least 0 and below 1",
    })
}
