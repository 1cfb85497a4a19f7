//! Which pictures a saved model is judged on, and what they were to its training.

use anyhow::{Result, ensure};
use fer_data::{Dataset, Split, open};
use fer_model::file::{Calibration, Description, TrainingSummary};
use fer_model::{ClassNames, ModelError};

use crate::command::arguments::DataArguments;
use crate::command::calibration::what_was_chosen;
use crate::command::output::People;
use crate::config::DataConfig;

/// What of the model was chosen on pictures of this split of its own data.
pub(super) fn chosen_on(description: &Description, split: Option<Split>) -> Option<&'static str> {
    let is_judged = |name: &str| split.is_none_or(|split| split.name() == name);
    let epoch = description.training.epoch_chosen_on.as_deref();
    let fitted = description
        .calibration
        .as_ref()
        .and_then(Calibration::fitted_on);
    what_was_chosen(epoch.is_some_and(is_judged), fitted.is_some_and(is_judged))
}

/// Opens the data with the settings of the training run where flags leave them open, and tells
/// whether they are the data that the model was trained on, read as then or otherwise. Other data get the
/// defaults instead.
pub(crate) fn open_as_trained(
    arguments: &DataArguments,
    description: &Description,
) -> Result<(Dataset, bool)> {
    let training = &description.training;
    let default = DataConfig {
        resize: description.preprocessing.resize,
        ..DataConfig::default()
    };
    let with_flags = |config: &DataConfig| {
        let mut config = config.clone();
        arguments.apply(&mut config);
        config
    };
    let mut trained = DataConfig {
        dedup: training.dedup,
        ferplus_target: training.ferplus_target.unwrap_or_default(),
        ..default.clone()
    };
    trained.split.seed = training.split_seed;
    trained.split.validation_fraction = training.validation_fraction;
    trained.split.test_fraction = training.test_fraction;
    let (plain, as_trained) = (with_flags(&default), with_flags(&trained));
    let open = |config: &DataConfig| open(&config.path, &config.open_settings());
    let is_own = |dataset: &Dataset| dataset.hash() == training.data_hash;
    let opened = open(&as_trained);
    if opened.as_ref().is_ok_and(is_own) {
        return Ok((opened?, true));
    }
    // Flags may have made other pictures and labels of its own data.
    let untouched = DataConfig {
        resize: trained.resize,
        ferplus_target: trained.ferplus_target,
        split: trained.split,
        dedup: trained.dedup,
        ..as_trained.clone()
    };
    if untouched != as_trained && open(&untouched).is_ok_and(|dataset| is_own(&dataset)) {
        return Ok((opened?, true));
    }
    match opened {
        Ok(dataset) if as_trained == plain => Ok((dataset, false)),
        _ => Ok((open(&plain)?, false)),
    }
}

pub(super) fn check_classes(model: &ClassNames, dataset: &Dataset) -> Result<(), ModelError> {
    let data = dataset.class_names();
    if model == data {
        return Ok(());
    }
    let hint = match (model.len(), dataset.name()) {
        (8, "FER2013") => {
            "; FER2013 has eight classes only with FER+ votes: add --ferplus fer2013new.csv"
        }
        _ => "",
    };
    Err(ModelError::Classes {
        model: model.clone(),
        data: data.clone(),
        hint,
    })
}

/// Tells where data of the same kind as the training data are not the same pictures: they may have been
/// changed since, which nothing shows.
pub(super) fn say_other(
    dataset: &Dataset,
    training: &TrainingSummary,
    people: People,
) -> Result<()> {
    if dataset.name() == training.data {
        people.say(&format!(
            "note        the model was trained on {} too, but not on these with these labels; if they were \
             changed since, some of the pictures trained it",
            training.data
        ))?;
    }
    Ok(())
}

/// Refuses to judge a model on a part of its own data that may have trained it.
pub(crate) fn check_division(
    dataset: &Dataset,
    training: &TrainingSummary,
    split: Option<Split>,
    people: People,
) -> Result<()> {
    if split.is_none() {
        people
            .say("warning     these are all the pictures of its data: most of them trained it")?;
        return Ok(());
    }
    ensure!(
        dataset.division_hash() == training.division_hash,
        "the model was trained on these very pictures, divided otherwise, so some of the {} pictures may have trained it; leave out --seed, --validation-fraction, --test-fraction, --dedup, --resize and --ferplus-target to divide them as then ({}, seed {}), or ask for --split all",
        split.map_or("chosen", Split::name),
        training.split_rule,
        training.split_seed,
    );
    Ok(())
}

pub(super) fn choose_split(
    word: Option<&str>,
    dataset: &Dataset,
    same: bool,
) -> Result<Option<Split>> {
    match word {
        Some("all") => Ok(None),
        Some(word) => Ok(Some(word.parse()?)),
        None if !same => Ok(None),
        None => {
            let judged = [Split::Test, Split::Validation];
            Ok(judged
                .into_iter()
                .find(|&split| !dataset.indices(split).is_empty()))
        }
    }
}
