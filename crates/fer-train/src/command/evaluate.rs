use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Args;
use fer_data::{Dataset, Split, open};
use fer_model::file::{Calibration, Description, TrainingSummary};
use fer_model::{ClassNames, ModelError, thousands};

use crate::command::Usage;
use crate::command::arguments::{DataArguments, DeviceArguments, describe_data};
use crate::command::calibration::what_was_chosen;
use crate::command::judgement::Judgement;
use crate::command::model;
use crate::command::output::{self, People, percent};
use crate::config::DataConfig;
use crate::evaluation::evaluate;
use crate::metrics::Report;
use crate::run::{RunDirectory, report_json};

/// What `evaluate` takes.
#[derive(Args)]
pub(crate) struct EvaluateArguments {
    /// The saved model [default: the built-in one]
    model: Option<PathBuf>,
    #[command(flatten)]
    data: DataArguments,
    /// The pictures to judge on: train, validation, test or all [default: test or else validation
    /// of the data it was trained on, all of other data]
    #[arg(long, value_name = "SPLIT", value_parser = ["train", "validation", "test", "all"])]
    split: Option<String>,
    /// A directory for the figures, one row a picture and what is hard: a run, or one to be made
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print the figures as JSON on stdout, and everything else on stderr
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    device: DeviceArguments,
}

pub(crate) fn run(arguments: &EvaluateArguments) -> Result<ExitCode> {
    if arguments.data.data.is_none() {
        return Err(Usage("evaluate needs --data PATH (or --data drawn)".into()).into());
    }
    let people = People::beside_json(arguments.json);
    let (selected, engine) = arguments.device.select(people)?;
    let model = model::load(arguments.model.as_deref(), &selected.device, engine)?;
    let (dataset, same) = open_as_trained(&arguments.data, &model.description)?;
    check_classes(&model.description.classes, &dataset)?;
    describe_data(&dataset, people)?;

    let split = choose_split(arguments.split.as_deref(), &dataset, same)?;
    if same {
        check_division(&dataset, &model.description.training, split, people)?;
    }
    let indices = match split {
        Some(split) => dataset.indices(split),
        None => (0..dataset.len()).collect(),
    };
    ensure!(
        !indices.is_empty(),
        "{} has no {} pictures",
        dataset.name(),
        split.map_or("", Split::name)
    );
    let chosen = if same {
        chosen_on(&model.description, split)
    } else {
        None
    };
    let calibration = model.description.calibration.as_ref();
    let temperature = calibration.map(|calibration| calibration.temperature);
    let run = arguments.out.as_deref().map(RunDirectory::for_results);
    let run = run.transpose()?;
    let evaluation = evaluate(&model.network, &dataset, indices, &selected.device)?;
    let report = evaluation.report(&dataset, split, temperature, chosen.is_some())?;
    let judgement = Judgement::new(&dataset, &evaluation, &report, same)?;
    if let Some(run) = &run {
        judgement.write(run, model.description.training.seed)?;
    }
    if arguments.json {
        output::data(&report_json(&report)?)?;
    } else {
        say(&report, people)?;
        judgement.say_hardest(people)?;
        if let Some(chosen) = chosen {
            people.say(&format!("note: some of these pictures {chosen}"))?;
        }
    }
    if let Some(run) = &run {
        people.say(&format!("results     {}", run.path().display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What of the model was chosen on pictures of this split of its own data.
fn chosen_on(description: &Description, split: Option<Split>) -> Option<&'static str> {
    let is_judged = |name: &str| split.is_none_or(|split| split.name() == name);
    let epoch = description.training.epoch_chosen_on.as_deref();
    let fitted = description
        .calibration
        .as_ref()
        .and_then(Calibration::fitted_on);
    what_was_chosen(epoch.is_some_and(is_judged), fitted.is_some_and(is_judged))
}

/// Opens the data with the settings of the training run where flags leave them open, and tells
/// whether they are the data that the model was trained on. Other data get the defaults instead.
pub(crate) fn open_as_trained(
    arguments: &DataArguments,
    description: &Description,
) -> Result<(Dataset, bool)> {
    let training = &description.training;
    let mut plain = DataConfig {
        resize: description.preprocessing.resize,
        ..DataConfig::default()
    };
    let mut as_trained = DataConfig {
        dedup: training.dedup,
        ..plain.clone()
    };
    as_trained.ferplus_target = training.ferplus_target.unwrap_or_default();
    as_trained.split.seed = training.split_seed;
    as_trained.split.validation_fraction = training.validation_fraction;
    as_trained.split.test_fraction = training.test_fraction;
    arguments.apply(&mut as_trained);
    arguments.apply(&mut plain);
    let opened = open(&as_trained.path, &as_trained.open_settings());
    match opened {
        Ok(dataset) if dataset.hash() == training.data_hash => Ok((dataset, true)),
        Ok(dataset) if as_trained == plain => Ok((dataset, false)),
        _ => Ok((open(&plain.path, &plain.open_settings())?, false)),
    }
}

fn check_classes(model: &ClassNames, dataset: &Dataset) -> Result<(), ModelError> {
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
        "the model was trained on these very pictures, divided otherwise, so some of the {} pictures may have trained it; leave out --seed, --validation-fraction, --test-fraction and --dedup to divide them as then ({}, seed {}), or ask for --split all",
        split.map_or("chosen", Split::name),
        training.split_rule,
        training.split_seed,
    );
    Ok(())
}

fn choose_split(word: Option<&str>, dataset: &Dataset, same: bool) -> Result<Option<Split>> {
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

fn say(report: &Report, people: People) -> Result<()> {
    people.say(&format!(
        "judged on   {} ({} pictures)",
        report.split,
        thousands(report.n as usize)
    ))?;
    people.say(&format!("accuracy    {}", percent(report.accuracy)))?;
    if let Some(copies) = &report.copies_of_train {
        people.say(&format!(
            "            {} without the {} exact copies of train pictures",
            percent(copies.accuracy_without),
            thousands(copies.n as usize)
        ))?;
    }
    say_probabilities(report, people)?;
    people.say(&format!("macro F1    {:.3}", report.macro_f1))?;
    people.say(&format!("weighted F1 {:.3}", report.weighted_f1))?;
    people.say(&format!(
        "balanced    {}",
        percent(report.balanced_accuracy)
    ))?;
    let width = report
        .classes
        .iter()
        .map(|class| class.name.chars().count())
        .max()
        .unwrap_or(0)
        .max(5);
    people.say(&format!(
        "{:width$}  precision  recall     f1  support",
        "class"
    ))?;
    for class in &report.classes {
        let score = &class.score;
        let figures = format!(
            "{:9.3} {:7.3} {:6.3} {:8}",
            score.precision, score.recall, score.f1, score.support
        );
        people.say(&format!("{:width$}  {figures}", class.name))?;
    }
    Ok(())
}

fn say_probabilities(report: &Report, people: People) -> Result<()> {
    people.say(&format!("loss        {:.4}", report.loss))?;
    people.say(&format!(
        "ECE         {} (expected calibration error)",
        percent(report.ece)
    ))?;
    if let Some(without) = &report.uncalibrated {
        people.say(&format!(
            "            at temperature {:.3}; without it loss {:.4}, ECE {}",
            report.temperature,
            without.loss,
            percent(without.ece)
        ))?;
    }
    Ok(())
}
