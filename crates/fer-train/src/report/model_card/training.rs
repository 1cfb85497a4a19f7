use anyhow::{Context, Result};
use fer_model::{Architecture, thousands};
use serde::Serialize;

use super::ModelCard;
use crate::fit::FitSettings;
use crate::report::markdown::escaped;

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
             {} epochs from seed {}; the weights are those of epoch {}, {kept}.{}{} The settings:\n\n\
             ```toml\n{}```\n",
            training.epochs,
            training.seed,
            training.epoch,
            self.initial(),
            self.distillation(),
            settings
        ))
    }

    /// The model that it began with.
    fn initial(&self) -> String {
        let Some(initial) = &self.description.training.initial else {
            return String::new();
        };
        let which = match initial.builtin {
            true => "the built-in model",
            false => "a model",
        };
        let head = match initial.head_kept {
            true => "whose last layer was kept",
            false => "with a new last layer",
        };
        let frozen = match initial.frozen.as_slice() {
            [] => "Nothing was frozen".into(),
            patterns => format!(
                "Frozen were `{}`, {} parameters",
                patterns.join("`, `"),
                thousands(initial.frozen_parameters)
            ),
        };
        format!(
            " It began with the weights of {which} that was trained on {} (SHA-256 of the model file \
             `{}`), {head}. {frozen}.",
            escaped(&initial.data),
            initial.sha256
        )
    }

    /// The models that taught it.
    fn distillation(&self) -> String {
        let Some(distillation) = &self.description.training.distillation else {
            return String::new();
        };
        let teachers = distillation.teachers.iter().map(|teacher| {
            let which = match teacher.builtin {
                true => "the built-in model",
                false => "a model",
            };
            format!(
                "{which} that was trained on {} (SHA-256 of the model file `{}`)",
                escaped(&teacher.data),
                teacher.sha256
            )
        });
        let teachers: Vec<String> = teachers.collect();
        format!(
            " {:.0} % of each training target was the answer of {}{}.",
            100.0 * distillation.share,
            match teachers.len() {
                1 => "",
                _ => "these on average: ",
            },
            teachers.join("; ")
        )
    }
}

/// The part of a configuration that decides what is learned, without paths.
#[derive(Serialize)]
struct Settings<'a> {
    model: &'a Architecture,
    training: &'a FitSettings,
}
