//! What a run begins with: weights of another model, and a directory of its own.

use std::path::Path;

use anyhow::{Result, bail};
use fer_data::Dataset;
use fer_model::Device;
use fer_model::file::TrainingSummary;
use fer_model::ops::Engine;

use crate::command::Usage;
use crate::command::output::People;
use crate::config::Config;
use crate::distillation::Teachers;
use crate::initial::{Initial, Transfer};
use crate::run::RunDirectory;

/// Refuses pictures that are made otherwise than those that the model learned from.
pub(crate) fn check_resize(initial: &Initial, config: &Config) -> Result<()> {
    let (learned, asked) = (initial.resize(), config.data.resize);
    if learned == asked {
        return Ok(());
    }
    bail!(Usage(format!(
        "{} learned from pictures resized by {learned}, and data.resize is {asked}: leave --resize out",
        initial.name()
    )))
}

/// What the run takes of the model, told to people.
pub(crate) fn begin_with(
    initial: &Initial,
    config: &Config,
    dataset: &Dataset,
    people: People,
) -> Result<Transfer> {
    let transfer = initial.transfer(&config.model, dataset.class_names())?;
    let training = &initial.description().training;
    let head = match transfer.summary().head_kept {
        true => "its last layer kept".into(),
        false => format!(
            "a new last layer for {} classes in place of its {}",
            dataset.class_names().len(),
            initial.description().classes.len()
        ),
    };
    people.say(&format!(
        "begins with {}, trained on {}; {head}",
        initial.name(),
        training.data
    ))?;
    warn_of_seen_pictures(&initial.name(), training, dataset, people)?;
    Ok(transfer)
}

/// Opens the models that teach, whose digests go into the configuration.
pub(crate) fn open_teachers(
    config: &mut Config,
    device: &Device,
    engine: Engine,
) -> Result<Option<Teachers>> {
    let Some(settings) = &mut config.distillation else {
        return Ok(None);
    };
    let teachers = Teachers::open(settings, device, engine)?;
    settings.clone_from(teachers.settings());
    Ok(Some(teachers))
}

/// Refuses teachers of other classes, and tells people of whom the run learns.
pub(crate) fn learn_from(
    teachers: &Teachers,
    config: &Config,
    dataset: &Dataset,
    people: People,
) -> Result<()> {
    teachers.check_for(dataset.class_names(), config.data.resize)?;
    let share = 100.0 * teachers.settings().share / teachers.members().len() as f64;
    for teacher in teachers.members() {
        let training = &teacher.description().training;
        people.say(&format!(
            "taught by   {}, trained on {}: {share:.0} % of each target",
            teacher.name(),
            training.data
        ))?;
        warn_of_seen_pictures(teacher.name(), training, dataset, people)?;
    }
    Ok(())
}

/// Warns where a model may have been trained on pictures that validate or test here.
fn warn_of_seen_pictures(
    model: &str,
    training: &TrainingSummary,
    dataset: &Dataset,
    people: People,
) -> Result<()> {
    let same = training.data_hash == dataset.hash()
        || (training.data.contains("FER2013") && dataset.name().contains("FER2013"));
    if same && training.division_hash != dataset.division_hash() {
        people.say(&format!(
            "warning     {model} was trained on these data divided otherwise: pictures that validate or test \
             here may have trained it, which flatters the figures"
        ))?;
    }
    Ok(())
}

/// The directory that was asked for, or the next free one.
pub(crate) fn new_run(
    out: Option<&Path>,
    config: &Config,
    dataset: &Dataset,
) -> Result<RunDirectory> {
    match out {
        Some(path) => RunDirectory::create(path),
        None => {
            let data = short_name(&config.data.path, dataset);
            RunDirectory::create_next(&format!("{data}-{}", config.model.name()))
        }
    }
}

/// What a run's directory is called after: the data, in letters and digits.
fn short_name(path: &Path, dataset: &Dataset) -> String {
    match dataset.name() {
        "drawn faces" => return "drawn".into(),
        "FER2013" => return "fer2013".into(),
        "FER2013 with FER+ votes" => return "ferplus".into(),
        _ => (),
    }
    let last = path
        .components()
        .next_back()
        .map(|part| part.as_os_str().to_string_lossy());
    let letters: String = last
        .unwrap_or_default()
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() {
                letter.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    match letters.trim_matches('-') {
        "" => "data".into(),
        name => name.into(),
    }
}
