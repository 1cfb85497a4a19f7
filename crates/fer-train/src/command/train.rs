use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Args;
use fer_data::{Dataset, Split, open};
use fer_model::Architecture;

use crate::checkpoint::Identity;
use crate::command::Usage;
use crate::command::arguments::{DataArguments, DeviceArguments, describe_data, say_warnings};
use crate::command::output::People;
use crate::command::resumption::Resumption;
use crate::command::session::Session;
use crate::config::Config;
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
    /// Go on with the run in this directory, to the same result as if it had never stopped
    #[arg(long, value_name = "DIR", conflicts_with = "out")]
    resume: Option<PathBuf>,
    /// Steps from one checkpoint to the next [default: by the clock, for 0.25 % of the time]
    #[arg(long, value_name = "STEPS")]
    checkpoint_every: Option<u64>,
}

impl TrainArguments {
    fn config(&self) -> Result<Config> {
        let left = self.resume.as_ref().map(|run| run.join("config.toml"));
        let mut config = match self.config.as_ref().or(left.as_ref()) {
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
        config.checkpoint.every = self.checkpoint_every.or(config.checkpoint.every);
        config.checkpoint.check()?;
        config.calibration.check()?;
        config.model.check()?;
        config.data.split.check()?;
        Ok(config)
    }
}

pub(crate) fn run(arguments: &TrainArguments) -> Result<ExitCode> {
    let people = People::Stdout;
    let left = arguments
        .resume
        .as_deref()
        .map(|path| Resumption::open(path, people))
        .transpose()?;
    let config = arguments.config()?;
    let settings = config.training.clone().check()?;
    match (&left, &arguments.out) {
        (Some(left), _) => left.check_settings(&config)?,
        (None, Some(path)) => RunDirectory::check_free(path)?,
        (None, None) => (),
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
    let identity = Identity::new(&config, &dataset, &selected.device, engine)?;
    let (run, start) = match left {
        Some(left) => left.go_on(&identity, (&config, &dataset), people)?,
        None => (new_run(arguments, &config, &dataset)?, None),
    };
    let session = Session {
        config: &config,
        settings: &settings,
        dataset: &dataset,
        device: &selected.device,
        engine,
        run: &run,
        people,
    };
    session.prepare()?;
    session.train(identity, start)
}

fn new_run(arguments: &TrainArguments, config: &Config, dataset: &Dataset) -> Result<RunDirectory> {
    match &arguments.out {
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
