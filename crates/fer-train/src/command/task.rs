//! What a process of a run trains, and on what.

use anyhow::Result;
use candle_core::Device;
use fer_data::Dataset;
use fer_model::ops::Engine;
use fer_model::{Parameters, Sequential};

use crate::config::Config;
use crate::distillation::Teachers;
use crate::fit::{CheckedSettings, Trainer};
use crate::initial::Transfer;
use crate::parallel::Parallel;

/// What is the same for all the processes of a run.
pub(crate) struct Task<'a> {
    pub(crate) config: &'a Config,
    pub(crate) settings: &'a CheckedSettings,
    pub(crate) dataset: &'a Dataset,
    pub(crate) device: &'a Device,
    pub(crate) engine: Engine,
    /// What it takes of a trained model, where it begins with one.
    pub(crate) transfer: Option<&'a Transfer>,
    /// What teaches it beside the labels.
    pub(crate) teachers: Option<&'a Teachers>,
    pub(crate) parallel: &'a Parallel,
}

/// A network with its variables.
pub(crate) struct Built {
    pub(crate) parameters: Parameters,
    pub(crate) network: Sequential,
}

impl Task<'_> {
    /// The network at the beginning.
    pub(crate) fn build(&self) -> Result<Built> {
        let parameters = match self.transfer {
            Some(transfer) => transfer.parameters(self.settings.seed, self.device)?,
            None => Parameters::new(self.settings.seed, self.device),
        };
        let classes = self.dataset.class_names().len();
        let builder = parameters.builder();
        let network = self.config.model.build(classes, self.engine, builder)?;
        Ok(Built {
            parameters,
            network,
        })
    }

    /// What trains it.
    pub(crate) fn trainer<'b>(&'b self, built: &'b Built) -> Trainer<'b> {
        Trainer {
            network: &built.network,
            teachers: self.teachers,
            parameters: &built.parameters,
            dataset: self.dataset,
            settings: self.settings,
            device: self.device,
        }
    }
}
