//! The model that a command works with: a file that was named, or the built-in one.

use std::path::Path;

use anyhow::Result;
use fer_model::file::{self, Description, Model};
use fer_model::ops::Engine;
use fer_model::{Device, thousands};

use crate::statistics::{percent_within, wilson};

/// Loads the model of this name, or the built-in one, and then says on stderr what that is.
pub(crate) fn load(path: Option<&Path>, device: &Device, engine: Engine) -> Result<Model> {
    match path {
        Some(path) => Ok(file::load(path, device, engine)?),
        None => built_in(device, engine),
    }
}

#[cfg(feature = "weights")]
fn built_in(device: &Device, engine: Engine) -> Result<Model> {
    let model = file::builtin(device, engine)?;
    crate::command::output::People::Stderr.say(&introduction(&model.description))?;
    Ok(model)
}

#[cfg(not(feature = "weights"))]
fn built_in(_device: &Device, _engine: Engine) -> Result<Model> {
    Err(crate::command::Usage(
        "this build has no built-in model, so one must be named; to get one, train: `fer-train` alone trains on drawn faces and leaves runs/drawn-cnn/model.safetensors".into(),
    )
    .into())
}

/// Which model this is, what it was trained on and how good it was found.
#[cfg_attr(not(feature = "weights"), expect(dead_code, reason = "there is none"))]
fn introduction(description: &Description) -> String {
    let training = &description.training;
    let trained: usize = training
        .counts
        .get("train")
        .map_or(0, |counts| counts.iter().sum());
    let name = description.architecture.name();
    let mut line = format!(
        "model       built in: {name}, trained on {} pictures of {}",
        thousands(trained),
        training.data
    );
    if let Some(judged) = &description.judged {
        let chosen = match training.epoch_chosen_on.as_ref() == Some(&judged.split) {
            true => " (which chose its epoch)",
            false => "",
        };
        let pictures = judged.pictures as u64;
        let right = (judged.accuracy * pictures as f64).round() as u64;
        line += &format!(
            "; {} of {} {} pictures right{chosen}",
            percent_within(judged.accuracy, wilson(right.min(pictures), pictures)),
            thousands(judged.pictures),
            judged.split
        );
    }
    line
}

#[cfg(all(test, feature = "weights"))]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use fer_model::file::Judged;

    use super::*;

    #[test]
    fn the_introduction_says_which_network_which_data_and_how_good_on_what() {
        let mut description = file::builtin(&Device::Cpu, Engine::detect())
            .unwrap()
            .description;
        description.training.data = "faces".into();
        description.training.counts = [("train".to_string(), vec![1_200, 34])].into();
        description.judged = None;
        description.training.epoch_chosen_on = Some("validation".into());
        let name = description.architecture.name();
        let alone = format!("model       built in: {name}, trained on 1,234 pictures of faces");
        assert_eq!(introduction(&description), alone);
        let judged = Judged {
            split: "validation".into(),
            pictures: 56,
            accuracy: 0.75,
            macro_f1: 0.5,
            chosen_on_this_split: true,
        };
        description.judged = Some(judged);
        assert_eq!(
            introduction(&description),
            alone.clone()
                + "; 75.0 % (62.3–84.5 %) of 56 validation pictures right (which chose its epoch)"
        );
        description.training.epoch_chosen_on = None;
        assert_eq!(
            introduction(&description),
            alone + "; 75.0 % (62.3–84.5 %) of 56 validation pictures right"
        );
    }
}
