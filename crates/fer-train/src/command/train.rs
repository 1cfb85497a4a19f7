use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Args;
use fer_data::{Dataset, Split, audit};
use fer_model::{Architecture, Parameters};

use crate::checkpoint::Identity;
use crate::command::Usage;
use crate::command::arguments::{
    DataArguments, DeviceArguments, describe_data, open_by_recipe, say_warnings,
};
use crate::command::calibration::carried_over;
use crate::command::output::People;
use crate::command::resumption::Resumption;
use crate::command::session::Session;
use crate::config::Config;
use crate::fit::smaller_networks;
use crate::recipe::Recipe;
use crate::run::RunDirectory;

/// What `train` takes.
#[derive(Args, Clone)]
pub(crate) struct TrainArguments {
    #[command(flatten)]
    data: DataArguments,
    #[command(flatten)]
    device: DeviceArguments,
    /// The network [default: the recipe's; without one cnn, the source document's]
    #[arg(long, value_name = "NAME", value_parser = Architecture::NAMES)]
    arch: Option<String>,
    /// Passes over the training pictures [default: the recipe's; without one 10]
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// Pictures in a batch [default: the recipe's; without one 32]
    #[arg(long, value_name = "N")]
    batch_size: Option<usize>,
    /// Learning rate, the highest of the schedule [default: the recipe's; without one 0.001]
    #[arg(long, value_name = "RATE")]
    lr: Option<f64>,
    /// Stop after this many epochs without an improvement on validation [default: never]
    #[arg(long, value_name = "N")]
    patience: Option<usize>,
    /// A configuration that comes with the program: quick, ferplus or fer2013; flags go over it
    /// [default: quick with --data, unless there is --arch or --config; else none]
    #[arg(long, value_name = "NAME", conflicts_with_all = ["config", "resume"])]
    recipe: Option<Recipe>,
    /// A configuration in TOML, as a run leaves it; flags go over it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A value of the configuration, such as training.augmentation.flip=0.5; none for its default.
    /// May be given again
    #[arg(long = "set", value_name = "KEY=VALUE")]
    assignments: Vec<String>,
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
    /// The configuration that the flags go over.
    fn foundation(&self) -> Result<Config> {
        let left = self.resume.as_ref().map(|run| run.join("config.toml"));
        if let Some(path) = self.config.as_ref().or(left.as_ref()) {
            return Ok(Config::read(path).map_err(|error| Usage(format!("{error:#}")))?);
        }
        match self.chosen_recipe() {
            Some(recipe) => recipe.config(),
            None => Ok(Config::default()),
        }
    }

    /// The recipe that was named, or the one for data of one's own.
    fn chosen_recipe(&self) -> Option<Recipe> {
        let data = self.data.data.as_deref();
        let own_data = data.is_some_and(|path| path != Path::new("drawn"));
        let plain = self.arch.is_some() || self.config.is_some() || self.resume.is_some();
        self.recipe
            .or((own_data && !plain).then_some(Recipe::Quick))
    }

    fn config(&self) -> Result<Config> {
        let mut config = self.foundation()?;
        self.data.apply(&mut config.data);
        if let Some(name) = &self.arch
            && name != config.model.name()
        {
            config.model = Architecture::named(name)?;
        }
        for assignment in &self.assignments {
            let set = config.set(assignment);
            set.map_err(|error| Usage(format!("--set: {error:#}")))?;
            if assignment.trim_start().starts_with("training.epochs") {
                config.training.least_steps = None;
            }
        }
        config.calibration.check()?;
        let training = &mut config.training;
        training.seed = self.data.reading.seed.unwrap_or(training.seed);
        if let Some(epochs) = self.epochs {
            training.epochs = epochs;
            training.least_steps = None;
        }
        training.batch_size = self.batch_size.unwrap_or(training.batch_size);
        training.learning_rate = self.lr.unwrap_or(training.learning_rate);
        training.patience = self.patience.or(training.patience);
        config.checkpoint.every = self.checkpoint_every.or(config.checkpoint.every);
        config.checkpoint.check()?;
        config.model.check()?;
        config.data.split.check()?;
        Ok(config)
    }

    fn open_data(&self, config: &mut Config) -> Result<Dataset> {
        let share = match self.chosen_recipe() {
            Some(recipe) => recipe.config()?.data.split.validation_fraction,
            None => None,
        };
        let typed = self.data.reading.validation_fraction;
        open_by_recipe(&mut config.data, share, typed)
    }
}

pub(crate) fn run(arguments: &TrainArguments) -> Result<ExitCode> {
    let people = People::Stdout;
    let left = arguments
        .resume
        .as_deref()
        .map(|path| Resumption::open(path, people))
        .transpose()?;
    let mut config = arguments.config()?;
    config.training.clone().check()?;
    match (&left, &arguments.out) {
        (Some(left), _) => left.check_settings(&config)?,
        (None, Some(path)) => RunDirectory::check_free(path)?,
        (None, None) => (),
    }
    let (selected, engine) = arguments.device.select(people)?;
    let dataset = arguments.open_data(&mut config)?;
    if let Some(recipe) = arguments.chosen_recipe() {
        people.say(&format!("recipe      {recipe}"))?;
    }
    if let Some(path) = &config.calibration.abstention {
        carried_over(path, dataset.class_names())?;
    }
    describe_data(&dataset, people)?;
    let audit = audit::without_near_copies(&dataset)?;
    say_warnings(&audit, &dataset, people)?;
    let pictures = dataset.indices(Split::Train).len();
    ensure!(
        pictures > 0,
        "{} ({}) have no picture to train on",
        config.data.path.display(),
        dataset.name()
    );
    config.training = config.training.for_pictures(pictures);
    let settings = config.training.clone().check()?;
    settings.check_for(&dataset)?;
    let (stages, classes) = (&settings.resolution, dataset.class_names().len());
    let nothing = Parameters::new(0, &selected.device);
    smaller_networks(stages, &config.model, classes, engine, &nothing)?;
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
    session.prepare(&audit)?;
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
