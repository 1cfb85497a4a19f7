use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use candle_core::Tensor;
use fer_data::ClassNames;
use fer_model::file::InitialModel;
use fer_model::ops::Engine;
use fer_model::{Architecture, Device, Parameters};

use crate::initial::freezing::{frozen, frozen_parameters};
use crate::initial::{Initial, InitialError};

/// What a run takes of a model.
pub struct Transfer {
    architecture: Architecture,
    classes: usize,
    /// By name, on the CPU.
    weights: BTreeMap<String, Tensor>,
    frozen: BTreeSet<String>,
    summary: InitialModel,
}

impl Initial {
    /// What a run takes of this model for a network of its own settings that tells `class_names` apart:
    /// all tensors; without those of the last layer, unless the classes are the same in the same order.
    ///
    /// # Errors
    /// [`InitialError`]: another network or other shapes, or patterns that freeze nothing, the new last
    /// layer or everything.
    pub fn transfer(
        &self,
        architecture: &Architecture,
        class_names: &ClassNames,
    ) -> Result<Transfer> {
        self.check_network(architecture)?;
        let head = architecture.head()?;
        let head_kept = self.description().classes == *class_names;
        let is_taken = |name: &String| head_kept || !head.contains(name);
        let weights: BTreeMap<String, Tensor> = self
            .model
            .weights
            .iter()
            .filter(|(name, _)| is_taken(name))
            .map(|(name, tensor)| (name.clone(), tensor.clone()))
            .collect();
        let names: BTreeSet<String> = self.model.weights.keys().cloned().collect();
        let new = match head_kept {
            true => BTreeSet::new(),
            false => head,
        };
        let frozen = frozen(&self.settings.freeze, &names, &new, &self.name())?;
        let training = &self.description().training;
        let mut transfer = Transfer {
            architecture: architecture.clone(),
            classes: class_names.len(),
            weights,
            frozen,
            summary: InitialModel {
                sha256: self.sha256.clone(),
                builtin: self.settings.is_builtin(),
                data: training.data.clone(),
                data_hash: training.data_hash.clone(),
                head_kept,
                frozen: self.settings.freeze.clone(),
                frozen_parameters: 0,
            },
        };
        let parameters = transfer.parameters(0, &Device::Cpu)?;
        if parameters.trainable().is_empty() {
            return Err(InitialError::Everything { model: self.name() }.into());
        }
        transfer.summary.frozen_parameters = frozen_parameters(&parameters);
        Ok(transfer)
    }

    /// Compares the network's tensors with the model's, both for the model's classes.
    fn check_network(&self, architecture: &Architecture) -> Result<()> {
        if architecture.name() != self.architecture().name() {
            return Err(InitialError::Network {
                model: self.name(),
                found: self.architecture().name(),
                asked: architecture.name().into(),
            }
            .into());
        }
        let asked = architecture.tensors(self.description().classes.len())?;
        let weights = &self.model.weights;
        let names: BTreeSet<&String> = asked.keys().chain(weights.keys()).collect();
        for name in names {
            let found = weights.get(name).map(Tensor::dims);
            let expected = asked.get(name).map(Vec::as_slice);
            if found != expected {
                let words = |shape: Option<&[usize]>, none: &str| match shape {
                    Some(shape) => format!("{shape:?}"),
                    None => none.into(),
                };
                return Err(InitialError::Tensor {
                    model: self.name(),
                    tensor: name.clone(),
                    found: match found {
                        Some(shape) => format!("has shape {shape:?}"),
                        None => "is not in it".into(),
                    },
                    expected: words(expected, "none"),
                }
                .into());
            }
        }
        Ok(())
    }
}

impl Transfer {
    /// The variables to begin with on `device`: the model's values, a new last layer drawn under `seed`,
    /// and those frozen that are to be. A network of the same settings is built with them.
    ///
    /// # Errors
    /// A device that fails.
    pub fn parameters(&self, seed: u64, device: &Device) -> Result<Parameters> {
        let parameters = Parameters::new(seed, device).frozen(self.frozen.iter().cloned());
        // Makes the variables.
        self.architecture
            .build(self.classes, Engine::Portable, parameters.builder())?;
        for (name, var) in parameters.vars() {
            if let Some(value) = self.weights.get(&name) {
                var.set(&value.to_device(device)?.copy()?)?;
            }
        }
        Ok(parameters)
    }

    /// What a model file says of it.
    pub fn summary(&self) -> &InitialModel {
        &self.summary
    }
}
