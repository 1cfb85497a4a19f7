use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, ensure};
use candle_core::Device;
use clap::Args;
use fer_data::drawn::DrawnFaces;
use fer_data::{Dataset, Picture, Split, open};
use fer_model::file::{self, Description, Preprocessing, SelfTest, TrainingSummary};
use fer_model::{Architecture, Network, Parameters, thousands};

use crate::command::Usage;
use crate::command::arguments::{DataArguments, DeviceArguments, describe_data, say_warnings};
use crate::command::output::{People, percent};
use crate::command::progress;
use crate::config::Config;
use crate::evaluation::{Evaluation, evaluate};
use crate::figures;
use crate::fit::{CheckedSettings, Fit, Trainer};
use crate::metrics::Report;
use crate::run::RunDirectory;

/// What `train` takes.
#[derive(Args, Clone)]
pub(crate) struct TrainArguments {
    #[command(flatten)]
    data: DataArguments,
    #[command(flatten)]
    device: DeviceArguments,
    /// The network [default: cnn, the source document's]
    #[arg(long, value_name = "NAME", value_parser = Architecture::NAMES)]
    arch: Option<String>,
    /// Passes over the training pictures [default: 10]
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// Pictures in a batch [default: 32]
    #[arg(long, value_name = "N")]
    batch_size: Option<usize>,
    /// Learning rate [default: 0.001]
    #[arg(long, value_name = "RATE")]
    lr: Option<f64>,
    /// Stop after this many epochs without an improvement on validation [default: never]
    #[arg(long, value_name = "N")]
    patience: Option<usize>,
    /// A configuration in TOML, as a run leaves it; flags go over it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The directory that the run leaves [default: the next free runs/DATA-NETWORK]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl TrainArguments {
    fn config(&self) -> Result<Config> {
        let mut config = match &self.config {
            Some(path) => Config::read(path).map_err(|error| Usage(format!("{error:#}")))?,
            None => Config::default(),
        };
        self.data.apply(&mut config.data);
        if let Some(name) = &self.arch
            && name != config.model.name()
        {
            config.model = Architecture::named(name)?;
        }
        let training = &mut config.training;
        training.seed = self.data.reading.seed.unwrap_or(training.seed);
        training.epochs = self.epochs.unwrap_or(training.epochs);
        training.batch_size = self.batch_size.unwrap_or(training.batch_size);
        training.learning_rate = self.lr.unwrap_or(training.learning_rate);
        training.patience = self.patience.or(training.patience);
        config.model.check()?;
        config.data.split.check()?;
        Ok(config)
    }
}

pub(crate) fn run(arguments: &TrainArguments) -> Result<ExitCode> {
    let config = arguments.config()?;
    let settings = config.training.clone().check()?;
    let people = People::Stdout;
    let toml = config.to_toml()?;
    if let Some(path) = &arguments.out {
        RunDirectory::check_free(path)?;
    }
    let (selected, engine) = arguments.device.select(people)?;
    let dataset = open(&config.data.path, &config.data.open_settings())?;
    describe_data(&dataset, people)?;
    say_warnings(&dataset, people)?;
    ensure!(
        !dataset.indices(Split::Train).is_empty(),
        "{} ({}) have no picture to train on",
        config.data.path.display(),
        dataset.name()
    );
    let run = match &arguments.out {
        Some(path) => RunDirectory::create(path)?,
        None => {
            let data = short_name(&config.data.path, &dataset);
            RunDirectory::create_next(&format!("{data}-{}", config.model.name()))?
        }
    };
    run.write("config.toml", toml.as_bytes())?;
    run.write_skipped(dataset.skipped())?;

    let parameters = Parameters::new(settings.seed, &selected.device);
    let network = config
        .model
        .build(dataset.class_names().len(), engine, parameters.builder())?;
    say_network(&config.model, &parameters, &run, people)?;
    let trainer = Trainer {
        network: &network,
        parameters: &parameters,
        dataset: &dataset,
        settings: &settings,
        device: &selected.device,
    };
    let stop = stop_on_interrupt()?;
    let fit = trainer.run(
        progress::for_terminal(settings.epochs, people).as_mut(),
        &stop,
    )?;
    if fit.interrupted {
        people.say("interrupted: the run ends with this epoch")?;
    }

    run.write_history(&fit, dataset.indices(Split::Train).len())?;
    let description = describe(
        &config,
        &settings,
        &dataset,
        &fit,
        &network,
        &selected.device,
    )?;
    file::save(&run.file("model.safetensors"), &fit.weights, &description)?;
    figures::write_curves(&run, &fit)?;
    if let Some(report) = judge(
        &run,
        &dataset,
        &fit,
        &network,
        &selected.device,
        settings.seed,
    )? {
        say_result(&report, &fit, people)?;
    } else {
        people.say(
            "result      none: no picture validates and none tests, so metrics.json is not written",
        )?;
    }
    let model = run.file("model.safetensors");
    people.say(&format!("run         {}", run.path().display()))?;
    people.say(&format!(
        "to predict  fer-train predict --model {} FACE.png",
        model.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// The first interruption ends the epoch at work; a second one ends the process.
fn stop_on_interrupt() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let installed = ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
    installed.context("cannot listen for Ctrl-C")?;
    Ok(stop)
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

fn say_network(
    architecture: &Architecture,
    parameters: &Parameters,
    run: &RunDirectory,
    people: People,
) -> Result<()> {
    let count = parameters
        .trainable()
        .iter()
        .map(|(_, var)| var.elem_count())
        .sum();
    people.say(&format!(
        "network     {}, {} parameters",
        architecture.name(),
        thousands(count)
    ))?;
    people.say(&format!("run         {}", run.path().display()))?;
    Ok(())
}

fn describe(
    config: &Config,
    settings: &CheckedSettings,
    dataset: &Dataset,
    fit: &Fit,
    network: &dyn Network,
    device: &Device,
) -> Result<Description> {
    let face = DrawnFaces::new(0).draw(0);
    let picture = Picture::from_pixels(&face.pixels, "the self-test's drawn face")?;
    let split = dataset.split_settings();
    let counts: BTreeMap<String, Vec<usize>> = Split::ALL
        .into_iter()
        .map(|split| (split.name().to_string(), dataset.counts(split)))
        .collect();
    let target = config
        .data
        .ferplus
        .is_some()
        .then_some(config.data.ferplus_target);
    Ok(Description {
        format: Description::FORMAT,
        library: Description::library_name(),
        architecture: config.model.clone(),
        classes: dataset.class_names().clone(),
        preprocessing: Preprocessing {
            resize: config.data.resize,
            ..Preprocessing::default()
        },
        training: TrainingSummary {
            data: dataset.name().to_string(),
            data_hash: dataset.hash().to_string(),
            ferplus_target: target,
            division_hash: dataset.division_hash(),
            split_rule: dataset.split_rule().to_string(),
            split_seed: split.seed,
            validation_fraction: split.validation_fraction,
            test_fraction: split.test_fraction,
            dedup: config.data.dedup,
            counts,
            seed: settings.seed,
            epochs: fit.history.len(),
            epoch: fit.epoch,
            epoch_chosen_on: fit
                .chosen_on_validation
                .then(|| Split::Validation.name().to_string()),
            batch_size: settings.batch_size,
            learning_rate: settings.learning_rate,
        },
        self_test: SelfTest::record(network, &picture, device)?,
    })
}

/// Writes the figures of validation, and of test where there is one; gives those that
/// `metrics.json` holds.
fn judge(
    run: &RunDirectory,
    dataset: &Dataset,
    fit: &Fit,
    network: &dyn Network,
    device: &Device,
    seed: u64,
) -> Result<Option<Report>> {
    let mut judged: Option<(Report, Evaluation)> = None;
    for split in [Split::Validation, Split::Test] {
        let indices = dataset.indices(split);
        if indices.is_empty() {
            continue;
        }
        let evaluation = evaluate(network, dataset, indices, device)?;
        let chosen = split == Split::Validation && fit.chosen_on_validation;
        let report = evaluation.report(dataset, Some(split), chosen)?;
        if split == Split::Validation {
            run.write_report("validation.json", &report)?;
        }
        judged = Some((report, evaluation));
    }
    let Some((report, evaluation)) = judged else {
        return Ok(None);
    };
    run.write_report("metrics.json", &report)?;
    figures::write_confusion_matrix(run, &report)?;
    figures::write_samples(run, dataset, &evaluation, seed)?;
    Ok(Some(report))
}

fn say_result(report: &Report, fit: &Fit, people: People) -> Result<()> {
    let chosen = match report.chosen_on_this_split {
        true => " (these pictures chose the epoch, which flatters the figure)",
        false => "",
    };
    people.say(&format!(
        "result      {} of {} {} pictures right, macro F1 {:.3}, weights of epoch {}{chosen}",
        percent(report.accuracy),
        thousands(report.n as usize),
        report.split,
        report.macro_f1,
        fit.epoch,
    ))?;
    Ok(())
}
