use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use candle_core::Device;
use fer_data::Picture;
use serde::{Deserialize, Serialize};

use crate::arch::Network;
use crate::error::{ModelError, Refusal};
use crate::input::pictures_to_tensor;
use crate::ops::Mode;

/// How far a logit may lie from what was saved: devices and engines round differently.
const TOLERANCE: f32 = 1e-3;

/// A picture and the logits that the network gave for it when it was saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SelfTest {
    /// 48×48 grey values, row by row, in base64.
    picture: String,
    /// One logit a class.
    logits: Vec<f32>,
}

impl SelfTest {
    /// Asks `network` for its logits of `picture`.
    ///
    /// # Errors
    /// A network that cannot take the picture.
    pub fn record(
        network: &dyn Network,
        picture: &Picture,
        device: &Device,
    ) -> Result<Self, ModelError> {
        let logits = logits(network, picture, device)?;
        Ok(SelfTest {
            picture: STANDARD.encode(picture.pixels()),
            logits,
        })
    }

    /// The same picture, with what `network` says of it.
    ///
    /// # Errors
    /// A network that cannot take the picture, or no picture.
    pub(crate) fn again(&self, network: &dyn Network, device: &Device) -> Result<Self, ModelError> {
        let pixels = STANDARD.decode(&self.picture).unwrap_or_default();
        let picture = Picture::from_pixels(&pixels, "the self-test's picture")?;
        SelfTest::record(network, &picture, device)
    }

    /// Asks again and compares.
    pub(crate) fn check(&self, network: &dyn Network, device: &Device) -> Result<(), CheckError> {
        let unreadable = |reason: String| {
            CheckError::Refused(Refusal::Description(format!("self_test: {reason}")))
        };
        let pixels = STANDARD
            .decode(&self.picture)
            .map_err(|error| unreadable(error.to_string()))?;
        let picture = Picture::from_pixels(&pixels, "picture")
            .map_err(|error| unreadable(error.to_string()))?;
        let found = logits(network, &picture, device).map_err(CheckError::Model)?;
        if found.len() != self.logits.len() {
            return Err(unreadable(format!(
                "{} logits, the network gives {}",
                self.logits.len(),
                found.len()
            )));
        }
        for (index, (&found, &expected)) in found.iter().zip(&self.logits).enumerate() {
            let close = (found - expected).abs() <= TOLERANCE * expected.abs().max(1.0);
            if !close {
                return Err(CheckError::Refused(Refusal::SelfTest {
                    index,
                    found,
                    expected,
                }));
            }
        }
        Ok(())
    }
}

/// Why a self-test did not pass.
pub(crate) enum CheckError {
    Refused(Refusal),
    Model(ModelError),
}

fn logits(
    network: &dyn Network,
    picture: &Picture,
    device: &Device,
) -> Result<Vec<f32>, ModelError> {
    let input = pictures_to_tensor(std::slice::from_ref(picture), device)?;
    Ok(network
        .forward(&input, Mode::Predict)?
        .squeeze(0)?
        .to_vec1()?)
}
