//! Test-time flips.

use candle_core::{Result, Tensor};

use crate::arch::Network;
use crate::ops::{Engine, Mode};
use crate::plan::Plan;

/// A network that is asked about every picture and its mirror image: its logits are the mean of the two
/// (test-time augmentation by horizontal flips, of which Krizhevsky et al. 2012, "ImageNet classification
/// with deep convolutional neural networks", average ten views). It takes twice as long, and a face and
/// its mirror image get the same answer, to the bit. In training it is the network alone.
///
/// A model file says in its [preprocessing](crate::file::Preprocessing::flips) whether its answers are
/// meant so; [`Model::answering`](crate::file::Model::answering) heeds it.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use fer_model::ops::{Engine, Mode};
/// use fer_model::{Architecture, Flips, Network, Parameters};
///
/// let parameters = Parameters::new(7, &Device::Cpu);
/// let network = Architecture::named("cnn")?.build(3, Engine::detect(), parameters.builder())?;
/// let pictures = Tensor::rand(0f32, 1f32, (2, 1, 48, 48), &Device::Cpu)?;
/// let logits = Flips::new(&network)?.forward(&pictures, Mode::Predict)?;
/// assert_eq!(logits.dims(), [2, 3]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Flips<'a> {
    network: &'a dyn Network,
    plan: Option<Plan>,
}

impl<'a> Flips<'a> {
    /// Flips for a network with its weights as they are now.
    ///
    /// # Errors
    /// Weights that cannot be read.
    pub fn new(network: &'a dyn Network) -> Result<Self> {
        Ok(Flips {
            plan: Plan::new(network)?,
            network,
        })
    }
}

impl Network for Flips<'_> {
    fn forward(&self, pictures: &Tensor, mode: Mode) -> Result<Tensor> {
        match mode {
            Mode::Predict => mean_of_both(pictures, |pictures| {
                Plan::logits(self.plan.as_ref(), self.network, pictures)
            }),
            Mode::Train { .. } | Mode::TrainPart { .. } => self.network.forward(pictures, mode),
        }
    }

    fn engine(&self) -> Engine {
        self.network.engine()
    }
}

/// The network as it answers: with flips, or as it is.
///
/// # Errors
/// Weights that cannot be read.
pub fn answering(network: &dyn Network, flips: bool) -> Result<Box<dyn Network + '_>> {
    Ok(match flips {
        true => Box::new(Flips::new(network)?),
        false => Box::new(network),
    })
}

/// The mean of what `logits` says of pictures (…, columns) and of their mirror images.
pub(crate) fn mean_of_both(
    pictures: &Tensor,
    logits: impl Fn(&Tensor) -> Result<Tensor>,
) -> Result<Tensor> {
    let mirrored = pictures.flip(&[pictures.dims().len() - 1])?.contiguous()?;
    (logits(pictures)? + logits(&mirrored)?)? * 0.5
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::{Architecture, Parameters};

    fn network(engine: Engine) -> impl Network {
        let parameters = Parameters::new(3, &Device::Cpu);
        let resvgg = Architecture::named("resvgg").unwrap();
        resvgg.build(4, engine, parameters.builder()).unwrap()
    }

    fn pictures() -> Tensor {
        let values: Vec<f32> = (0..2 * 48 * 48)
            .map(|at| (at * 7919 % 256) as f32 / 255.0)
            .collect();
        Tensor::from_vec(values, (2, 1, 48, 48), &Device::Cpu).unwrap()
    }

    /// Column by column, in another way than [`mean_of_both`].
    fn mirrored(pictures: &Tensor) -> Tensor {
        let mut values = pictures.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        values.chunks_exact_mut(48).for_each(|row| row.reverse());
        Tensor::from_vec(values, pictures.shape(), pictures.device()).unwrap()
    }

    fn rows(logits: &Tensor) -> Vec<Vec<f32>> {
        logits.to_vec2().unwrap()
    }

    #[test]
    fn the_answer_is_the_mean_of_a_picture_and_its_mirror_image_by_every_engine() {
        let pictures = pictures();
        for engine in Engine::available() {
            let network = network(engine);
            let logits = |pictures| rows(&network.forward(pictures, Mode::Predict).unwrap());
            let (own, other) = (logits(&pictures), logits(&mirrored(&pictures)));
            assert_ne!(own, other);
            let flips = Flips::new(&network).unwrap();
            let both = rows(&flips.forward(&pictures, Mode::Predict).unwrap());
            let places = both.iter().flatten().zip(own.iter().flatten());
            for ((both, own), other) in places.zip(other.iter().flatten()) {
                let mean = (own + other) / 2.0;
                assert!((both - mean).abs() < 1e-5, "{engine:?}: {both}, {mean}");
            }
        }
    }

    #[test]
    fn a_face_and_its_mirror_image_get_the_same_bits() {
        let network = network(Engine::detect());
        let flips = Flips::new(&network).unwrap();
        let logits = |pictures| rows(&flips.forward(pictures, Mode::Predict).unwrap());
        assert_eq!(logits(&pictures()), logits(&mirrored(&pictures())));
    }

    #[test]
    fn a_network_without_flips_answers_as_it_is() {
        let network = network(Engine::detect());
        let alone = answering(&network, false).unwrap();
        let logits = |network: &dyn Network| {
            let logits = network.forward(&pictures(), Mode::Predict).unwrap();
            rows(&logits)
        };
        assert_eq!(logits(&*alone), logits(&network));
        assert_ne!(
            logits(&*answering(&network, true).unwrap()),
            logits(&network)
        );
    }
}
