//! Test-time views: what a network is asked about beside the picture as it is.

mod warp;

use std::fmt;
use std::str::FromStr;

use candle_core::{Result, Tensor};
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};

use crate::arch::Network;
use crate::error::ModelError;
use crate::ops::{Engine, Mode};
use crate::plan::Plan;
use warp::Sampler;
#[cfg(feature = "onnx")]
pub(crate) use warp::TAPS;
pub(crate) use warp::WARPS;

/// What a network is asked about for one answer: its logits are the mean over these views of a picture
/// (test-time augmentation; Krizhevsky et al. 2012, "ImageNet classification with deep convolutional neural
/// networks", average ten views).
///
/// A model file says in its [preprocessing](crate::file::Preprocessing::views) for which its answers are
/// meant; [`Model::answering`](crate::file::Model::answering) heeds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Views {
    /// The picture as it is.
    #[default]
    One,
    /// The picture and its mirror image, in twice the time.
    Flips,
    /// The picture as it is, 8 % larger, smaller by as much, and turned by 5° both ways, and the same of its
    /// mirror image, in ten times the time. Pixels are interpolated bilinearly, and what lies outside is
    /// reflected.
    Ten,
}

impl Views {
    /// All three.
    pub const ALL: [Views; 3] = [Views::One, Views::Flips, Views::Ten];

    /// How many they are.
    pub fn count(self) -> usize {
        match self {
            Views::One => 1,
            Views::Flips => 2,
            Views::Ten => 2 * WARPS.len(),
        }
    }

    /// Whether it is the picture alone.
    pub fn is_one(&self) -> bool {
        *self == Views::One
    }

    /// What it is called in files and flags.
    pub fn name(self) -> &'static str {
        match self {
            Views::One => "one",
            Views::Flips => "flips",
            Views::Ten => "ten",
        }
    }

    /// The mean of what `logits` says of all views of pictures of shape (pictures, channels, rows, columns).
    pub(crate) fn mean(
        self,
        pictures: &Tensor,
        logits: impl Fn(&Tensor) -> Result<Tensor>,
    ) -> Result<Tensor> {
        match self {
            Views::One => logits(pictures),
            Views::Flips => mean_of_both(pictures, logits),
            Views::Ten => {
                let samplers = WARPS.map(|warp| Sampler::of(warp, pictures));
                let samplers = samplers.into_iter().collect::<Result<Vec<_>>>()?;
                mean_of_both(pictures, |pictures| {
                    mean_of_warps(pictures, &samplers, &logits)
                })
            }
        }
    }
}

impl fmt::Display for Views {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Views {
    type Err = ModelError;

    fn from_str(word: &str) -> std::result::Result<Self, ModelError> {
        let mut all = Views::ALL.into_iter();
        all.find(|views| views.name() == word)
            .ok_or_else(|| ModelError::Setting {
                name: "views",
                value: word.into(),
                expected: "one, flips or ten",
            })
    }
}

/// By its name; earlier versions wrote whether there are flips.
impl<'de> Deserialize<'de> for Views {
    fn deserialize<D: Deserializer<'de>>(written: D) -> std::result::Result<Self, D::Error> {
        struct Named;
        impl Visitor<'_> for Named {
            type Value = Views;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("one, flips or ten")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> std::result::Result<Views, E> {
                word.parse().map_err(E::custom)
            }

            fn visit_bool<E: de::Error>(self, flips: bool) -> std::result::Result<Views, E> {
                Ok(if flips { Views::Flips } else { Views::One })
            }
        }
        written.deserialize_any(Named)
    }
}

/// A network that is asked about several [`Views`] of every picture. A face and its mirror image get the same
/// answer, to the bit, but from one view. In training it is the network alone.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use fer_model::ops::{Engine, Mode};
/// use fer_model::{Architecture, Network, Parameters, Viewed, Views};
///
/// let parameters = Parameters::new(7, &Device::Cpu);
/// let network = Architecture::named("cnn")?.build(3, Engine::detect(), parameters.builder())?;
/// let pictures = Tensor::rand(0f32, 1f32, (2, 1, 48, 48), &Device::Cpu)?;
/// let logits = Viewed::new(&network, Views::Ten)?.forward(&pictures, Mode::Predict)?;
/// assert_eq!(logits.dims(), [2, 3]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Viewed<'a> {
    network: &'a dyn Network,
    plan: Option<Plan>,
    views: Views,
}

impl<'a> Viewed<'a> {
    /// A network with its weights as they are now, and these views.
    ///
    /// # Errors
    /// Weights that cannot be read.
    pub fn new(network: &'a dyn Network, views: Views) -> Result<Self> {
        Ok(Viewed {
            plan: Plan::new(network)?,
            network,
            views,
        })
    }
}

impl Network for Viewed<'_> {
    fn forward(&self, pictures: &Tensor, mode: Mode) -> Result<Tensor> {
        match mode {
            Mode::Predict => self.views.mean(pictures, |pictures| {
                Plan::logits(self.plan.as_ref(), self.network, pictures)
            }),
            Mode::Train { .. } | Mode::TrainPart { .. } => self.network.forward(pictures, mode),
        }
    }

    fn engine(&self) -> Engine {
        self.network.engine()
    }
}

/// The network as it answers: by these views, or as it is.
///
/// # Errors
/// Weights that cannot be read.
pub fn answering(network: &dyn Network, views: Views) -> Result<Box<dyn Network + '_>> {
    Ok(match views {
        Views::One => Box::new(network),
        Views::Flips | Views::Ten => Box::new(Viewed::new(network, views)?),
    })
}

/// The mean of what `logits` says of pictures (…, columns) and of their mirror images.
fn mean_of_both(pictures: &Tensor, logits: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
    let mirrored = pictures.flip(&[pictures.dims().len() - 1])?.contiguous()?;
    (logits(pictures)? + logits(&mirrored)?)? * 0.5
}

fn mean_of_warps(
    pictures: &Tensor,
    samplers: &[Option<Sampler>],
    logits: impl Fn(&Tensor) -> Result<Tensor>,
) -> Result<Tensor> {
    let mut sum: Option<Tensor> = None;
    for sampler in samplers {
        let logits = match sampler {
            Some(sampler) => logits(&sampler.view(pictures)?)?,
            None => logits(pictures)?,
        };
        sum = Some(match sum {
            Some(sum) => (sum + logits)?,
            None => logits,
        });
    }
    match sum {
        Some(sum) => sum * (1.0 / samplers.len() as f64),
        None => logits(pictures),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
