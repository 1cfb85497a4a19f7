use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use clap::Args;
use fer_data::{Dataset, Split, audit};
use fer_model::Architecture;

use crate::checkpoint::Identity;
use crate::command::Usage;
use crate::command::arguments::{
    DataArguments, DeviceArguments, describe_data, open_by_recipe, say_warnings,
};
use crate::command::beginning::{begin_with, check_resize, learn_from, new_run, open_teachers};
use crate::command::calibration::{carried_over, described};
use crate::command::follower::follow;
use crate::command::launch::Launch;
use crate::command::members;
use crate::command::output::People;
use crate::command::resumption::Resumption;
use crate::command::session::Session;
use crate::command::task::Task;
use crate::config::Config;
use crate::initial::Initial;
use crate::parallel::{Group, Parallel};
use crate::recipe::Recipe;
use crate::run::RunDirectory;

/// What `train` takes.
#[derive(Args, Clone)]
pub(crate) struct TrainArguments {
    #[command(flatten)]
    data: DataArguments,
    #[command(flatten)]
    device: DeviceArguments,
    /// The network [default: the recipe's or that of --init; without them cnn, the source document's]
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
    /// Begin with the weights of this model, or of the one that comes along (the word builtin); the last
    /// layer is new where the classes are others [default: drawn weights]
    #[arg(long, value_name = "MODEL")]
    init: Option<PathBuf>,
    /// With --init, leave these tensors as they are: names or their beginnings (conv1), or patterns
    /// (conv*), several with commas; `summary --tensors` lists the names [default: none]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    freeze: Vec<String>,
    /// Learn from what this model answers, too, or the one that comes along (the word builtin): half of the
    /// training targets is its. May be given again: then it is their mean [default: the labels alone]
    #[arg(long = "teacher", value_name = "MODEL")]
    teachers: Vec<PathBuf>,
    /// A configuration that comes with the program: quick, ferplus, fer2013 or fine-tune; flags go over
    /// it [default: fine-tune with --init; quick with --data, unless there is --arch; none with --config]
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

/// What the flags go over.
struct Foundation {
    config: Config,
    /// Whether it says itself what the network is.
    names_network: bool,
    /// Whether it says itself how pictures become 48×48.
    names_resize: bool,
}

impl TrainArguments {
    fn foundation(&self) -> Result<Foundation> {
        let left = self.resume.as_ref().map(|run| run.join("config.toml"));
        if let Some(path) = self.config.as_ref().or(left.as_ref()) {
            let config = Config::read(path).map_err(|error| Usage(format!("{error:#}")))?;
            return Ok(Foundation {
                config,
                names_network: Config::says(path, &["model"])?,
                names_resize: Config::says(path, &["data", "resize"])?,
            });
        }
        let config = match self.chosen_recipe() {
            Some(recipe) => recipe.config()?,
            None => Config::default(),
        };
        Ok(Foundation {
            config,
            names_network: false,
            names_resize: false,
        })
    }

    /// The recipe that was named, or the one for a model to begin with or for data of one's own.
    fn chosen_recipe(&self) -> Option<Recipe> {
        if self.config.is_some() || self.resume.is_some() || self.recipe.is_some() {
            return self.recipe;
        }
        if self.init.is_some() {
            return Some(Recipe::FineTune);
        }
        let data = self.data.data.as_deref();
        let own_data = data.is_some_and(|path| path != Path::new("drawn"));
        (own_data && self.arch.is_none()).then_some(Recipe::Quick)
    }

    /// The whole configuration, and the model that the run begins with, if it begins with one.
    fn config(&self) -> Result<(Config, Option<Initial>)> {
        let Foundation {
            mut config,
            names_network,
            names_resize,
        } = self.foundation()?;
        self.data.apply(&mut config.data);
        let of_init = |assignment: &&String| assignment.trim_start().starts_with("init");
        let (first, rest): (Vec<_>, Vec<_>) = self.assignments.iter().partition(of_init);
        self.assign(&mut config, first)?;
        self.apply_init(&mut config)?;
        let initial = config.init.as_ref().map(Initial::open).transpose()?;
        if let Some(initial) = &initial {
            config.init = Some(initial.settings().clone());
            if !names_network {
                config.model = initial.architecture().clone();
            }
            if !names_resize && self.data.reading.resize.is_none() {
                config.data.resize = initial.resize();
            }
        }
        if let Some(name) = &self.arch
            && name != config.model.name()
        {
            config.model = Architecture::named(name)?;
        }
        self.assign(&mut config, rest)?;
        if !self.teachers.is_empty() {
            let distillation = config.distillation.get_or_insert_default();
            distillation.teachers.clone_from(&self.teachers);
            // A resumed run's teachers may lie elsewhere; their digests tell whether they are the same.
            let resumed = self.resume.is_some();
            if !resumed || distillation.sha256.len() != self.teachers.len() {
                distillation.sha256.clear();
            }
        }
        if let Some(distillation) = &config.distillation {
            distillation.check()?;
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
        Ok((config, initial))
    }

    fn assign(&self, config: &mut Config, assignments: Vec<&String>) -> Result<()> {
        for assignment in assignments {
            let set = config.set(assignment);
            set.map_err(|error| Usage(format!("--set: {error:#}")))?;
            if assignment.trim_start().starts_with("training.epochs") {
                config.training.least_steps = None;
            }
        }
        Ok(())
    }

    /// The model to begin with and what stays of it as it is.
    fn apply_init(&self, config: &mut Config) -> Result<()> {
        if let Some(model) = &self.init {
            let init = config.init.get_or_insert_default();
            init.model.clone_from(model);
            init.sha256 = None;
        }
        match (&mut config.init, self.freeze.as_slice()) {
            (_, []) => (),
            (Some(init), freeze) => init.freeze = freeze.to_vec(),
            (None, _) => bail!(Usage(
                "--freeze is for a run that begins with a trained model: name one with --init, such as \
                 --init builtin"
                    .into()
            )),
        }
        Ok(())
    }

    fn open_data(&self, config: &mut Config) -> Result<Dataset> {
        let share = match self.chosen_recipe() {
            Some(recipe) => recipe.config()?.data.split.validation_fraction,
            None => None,
        };
        let typed = self.data.reading.validation_fraction.is_some();
        let share = share.filter(|_| !typed && !self.assigns("data.split.validation_fraction"));
        open_by_recipe(&mut config.data, share)
    }

    /// Whether `--set` gives the setting `name`, or the table that it is in, a value.
    fn assigns(&self, name: &str) -> bool {
        let mut assigned = self.assignments.iter().filter_map(|it| it.split_once('='));
        assigned.any(|(assigned, _)| {
            let rest = name.strip_prefix(assigned.trim());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }
}

pub(crate) fn run(arguments: &TrainArguments) -> Result<ExitCode> {
    Launch::join()?.carry_out(|group| run_in(arguments, group))
}

/// The part of one process among those of `group`.
fn run_in(arguments: &TrainArguments, group: &Arc<dyn Group>) -> Result<ExitCode> {
    let leads = group.leads();
    let people = if leads {
        People::Stdout
    } else {
        People::Nobody
    };
    let resumed = arguments.resume.as_deref().filter(|_| leads);
    let left = resumed
        .map(|path| Resumption::open(path, people))
        .transpose()?;
    let (mut config, initial) = members::share_config(&**group, || arguments.config())?;
    members::count(&**group, &mut config, arguments.resume.is_some())?;
    config.training.clone().check()?;
    config
        .check_paths()
        .map_err(|error| Usage(error.to_string()))?;
    if let Some(initial) = &initial {
        check_resize(initial, &config)?;
        // What does not depend on the data is refused before they are read.
        initial.transfer(&config.model, &initial.description().classes)?;
    }
    match (&left, &arguments.out) {
        (Some(left), _) => left.check_settings(&config)?,
        (None, Some(path)) if leads => RunDirectory::check_free(path)?,
        (None, _) => (),
    }
    let (selected, engine) = arguments.device.select(people)?;
    members::check_statistics(&config, &selected.device, engine)?;
    let teachers = open_teachers(&mut config, &selected.device, engine)?;
    if group.size() > 1 {
        people.say(&format!("processes   {}", group.size()))?;
    }
    let dataset = arguments.open_data(&mut config)?;
    if let Some(recipe) = arguments.chosen_recipe() {
        people.say(&format!("recipe      {recipe}"))?;
    }
    if let Some(path) = &config.calibration.abstention {
        let views = config.output.views;
        carried_over(path, described(path, dataset.class_names(), views)?)?;
    }
    describe_data(&dataset, people)?;
    let pictures = dataset.indices(Split::Train).len();
    let audit = match leads {
        true => Some(audit::without_near_copies(&dataset)?),
        false => None,
    };
    if let Some(audit) = &audit {
        say_warnings(audit, &dataset, people)?;
    }
    ensure!(
        pictures > 0,
        "{} ({}) have no picture to train on",
        config.data.path.display(),
        dataset.name()
    );
    config.training = config.training.for_pictures(pictures);
    let settings = config.training.clone().check()?;
    settings.check_for(&dataset)?;
    let transfer = match &initial {
        Some(initial) => Some(begin_with(initial, &config, &dataset, people)?),
        None => None,
    };
    if let Some(teachers) = &teachers {
        learn_from(teachers, &config, &dataset, people)?;
    }
    let identity = Identity::new(&config, &dataset, &selected.device, engine)?;
    members::check_same_data(&**group, &identity)?;
    let parallel = Parallel::new(group.clone(), config.parallel.synchronised_statistics);
    let task = Task {
        config: &config,
        settings: &settings,
        dataset: &dataset,
        device: &selected.device,
        engine,
        transfer: transfer.as_ref(),
        teachers: teachers.as_ref(),
        parallel: &parallel,
    };
    let Some(audit) = audit else {
        return follow(&task);
    };
    let (run, start) = match left {
        Some(left) => left.go_on(&identity, (&config, &dataset), people)?,
        None => (new_run(arguments.out.as_deref(), &config, &dataset)?, None),
    };
    let session = Session {
        task: &task,
        run: &run,
        people,
    };
    session.prepare(&audit)?;
    session.train(identity, start)
}
