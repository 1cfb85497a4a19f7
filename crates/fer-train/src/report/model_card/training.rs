use anyhow::{Context, Result};
use fer_model::Architecture;
use serde::Serialize;

use super::ModelCard;
use crate::fit::FitSettings;

impl ModelCard<'_> {
    /// How it was trained.
    pub(super) fn training(&self) -> Result<String> {
        let training = &self.description.training;
        let kept = match &training.epoch_chosen_on {
            Some(split) => format!("the best on the {split} pictures"),
            None => "the last".into(),
        };
        let settings = toml::to_string(&Settings {
            model: &self.config.model,
            training: &self.config.training,
        })
        .context("the settings cannot be written as TOML")?;
        Ok(format!(
            "## Training\n\n\
             {} epochs from seed {}; the weights are those of epoch {}, {kept}. The settings:\n\n\
             ```toml\n{}```\n",
            training.epochs, training.seed, training.epoch, settings
        ))
    }
}

/// The part of a configuration that decides what is learned, without paths.
#[derive(Serialize)]
struct Settings<'a> {
    model: &'a Architecture,
    training: &'a FitSettings,
}
