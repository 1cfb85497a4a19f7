//! Weights in 16 bits.

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::error::ModelError;
use crate::file::{Model, network};

/// How a model file holds its weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WeightFormat {
    /// In 32 bits, as they were trained.
    #[default]
    F32,
    /// In 16 bits, see [`halve`].
    F16,
}

/// Weights rounded to 16 bits (IEEE 754 binary16: 11 significant bits, up to 65,504), each to the
/// nearest value and between two to the even one.
///
/// Running variances stay as they are, since small ones would lose their digits and are divided by;
/// so does a tensor with a value too large for 16 bits. [`save`](crate::file::save) writes each
/// tensor in the type it has.
///
/// # Errors
/// None for tensors on the CPU.
pub fn halve(weights: &BTreeMap<String, Tensor>) -> Result<BTreeMap<String, Tensor>, ModelError> {
    let mut halved = BTreeMap::new();
    for (name, tensor) in weights {
        let rounded = tensor.to_dtype(DType::F16)?;
        let keeps = name.ends_with("running_var") || !is_finite(&rounded)?;
        let kept = if keeps { tensor.clone() } else { rounded };
        halved.insert(name.clone(), kept);
    }
    Ok(halved)
}

/// The same weights in 32 bits, those that have fewer widened: no value changes.
pub(crate) fn widen(
    weights: &BTreeMap<String, Tensor>,
) -> candle_core::Result<BTreeMap<String, Tensor>> {
    weights
        .iter()
        .map(|(name, tensor)| Ok((name.clone(), tensor.to_dtype(DType::F32)?)))
        .collect()
}

pub(crate) fn is_finite(tensor: &Tensor) -> candle_core::Result<bool> {
    let values: Vec<f32> = tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
    Ok(values.iter().all(|value| value.is_finite()))
}

impl Model {
    /// This model with its weights rounded as [`halve`] does it, and its self-test taken again with
    /// them. [`Agreement`](crate::Agreement) tells how far the two are apart.
    ///
    /// # Errors
    /// A device that fails.
    pub fn halved(&self, device: &Device) -> Result<Self, ModelError> {
        let weights = halve(&self.weights)?;
        let mut description = self.description.clone();
        let engine = crate::Network::engine(&self.network);
        let network = network(
            &description.architecture,
            description.classes.len(),
            &weights,
            device,
            engine,
        )?;
        description.self_test = description.self_test.again(&network, device)?;
        Ok(Model {
            description,
            network,
            weights,
        })
    }
}
