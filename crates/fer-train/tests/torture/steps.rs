use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail, ensure};
use candle_core::Device;
use fer_data::{Dataset, OpenSettings, Split, open};
use fer_model::ops::Engine;
use fer_model::{Architecture, Parameters};
use fer_train::checkpoint::{Identity, decode, encode};
use fer_train::config::Config;
use fer_train::distillation::Teachers;
use fer_train::fit::{
    Ended, EpochRecord, EpochTiming, FitSettings, Keeper, Moment, Position, Progress, RunState,
    Silent, Trainer,
};

use crate::place::{EPOCHS, Place, STEPS, text};
use fer_trials::{Effort, Trial};

pub(crate) const AT_EVERY_STEP: Trial = Trial {
    name: "steps::at_every_step",
    promise: "a run that was stopped goes on to the same bits, at the end of an epoch and in the middle of one",
    run: at_every_step,
};

pub(crate) const COST: Trial = Trial {
    name: "steps::cost",
    promise: "checkpoints take less than 1 % of a run at the default interval",
    run: cost,
};

/// Keeps the bytes of every state, and asks to stop at one of them.
struct Bytes<'a> {
    identity: &'a Identity,
    last: Vec<u8>,
}

impl Keeper for Bytes<'_> {
    fn is_due(&self, _moment: Moment, _position: Position) -> bool {
        false
    }

    fn keep(&mut self, state: &RunState) -> Result<()> {
        self.last = encode(self.identity, state)?;
        Ok(())
    }

    fn recall(&mut self, _epoch: usize) -> Result<Option<RunState>> {
        bail!("nothing diverges here")
    }

    fn forget(&mut self) -> Result<()> {
        bail!("nothing diverges here")
    }

    fn last(&self) -> Option<String> {
        None
    }
}

/// Asks to stop after a number of batches.
struct StopAfter<'a> {
    batches: u64,
    stop: &'a AtomicBool,
}

impl Progress for StopAfter<'_> {
    fn epoch_starts(&mut self, _epoch: usize, _batches: usize) {}

    fn batch_done(&mut self, _pictures: usize, _loss: f64, _accuracy: f64) {
        self.batches = self.batches.saturating_sub(1);
        if self.batches == 0 {
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    fn epoch_done(&mut self, _record: &EpochRecord, _best: bool, _timing: &EpochTiming) {}
}

struct Setting {
    architecture: Architecture,
    dataset: Dataset,
    identity: Identity,
    settings: FitSettings,
    teachers: Option<Teachers>,
}

impl Setting {
    /// Augmentation is on, so that its random streams are tried too; `more` goes over the settings.
    fn new(architecture: &str, more: &[&str]) -> Result<Self> {
        let place = Place::new()?;
        let mut config = Config::default();
        config.training.epochs = EPOCHS;
        config.training.batch_size = 8;
        config.training.augmentation.rotation = 10.0;
        config.training.augmentation.erasing = 0.5;
        config.set(&format!("model.arch={architecture}"))?;
        for assignment in more {
            config.set(assignment)?;
        }
        let dataset = open(&place.file("faces"), &OpenSettings::default())?;
        let teachers = config.distillation.as_ref();
        let teachers = teachers
            .map(|settings| Teachers::open(settings, &Device::Cpu, Engine::detect()))
            .transpose()?;
        ensure!(dataset.indices(Split::Train).len() as u64 == 8 * STEPS);
        Ok(Setting {
            architecture: config.model.clone(),
            identity: Identity::new(&config, &dataset, &Device::Cpu, Engine::detect())?,
            dataset,
            settings: config.training,
            teachers,
        })
    }

    /// Trains from a state, or from the beginning, until `stop_after` batches and the group of
    /// batches that the last of them belongs to are done; gives the bytes of the last state that
    /// was kept, and whether the run is finished.
    fn train(&self, from: Option<&[u8]>, stop_after: Option<u64>) -> Result<(Vec<u8>, bool)> {
        let parameters = Parameters::new(self.settings.seed, &Device::Cpu);
        let network = self
            .architecture
            .build(8, Engine::detect(), parameters.builder())?;
        let checked = self.settings.clone().check()?;
        let trainer = Trainer {
            network: &network,
            teachers: self.teachers.as_ref(),
            parameters: &parameters,
            dataset: &self.dataset,
            settings: &checked,
            device: &Device::Cpu,
        };
        let mut keeper = Bytes {
            identity: &self.identity,
            last: from.unwrap_or_default().to_vec(),
        };
        let start = from.map(decode).transpose()?.map(|found| found.state);
        let stop = AtomicBool::new(false);
        let ended = match stop_after {
            Some(batches) => {
                let mut progress = StopAfter {
                    batches,
                    stop: &stop,
                };
                trainer.run_from(start, &mut keeper, &mut progress, &stop)?
            }
            None => trainer.run_from(start, &mut keeper, &mut Silent, &stop)?,
        };
        Ok((keeper.last, matches!(ended, Ended::Finished(_))))
    }
}

/// Every option of training that does not exclude another.
const EVERYTHING: [&str; 14] = [
    "model.width=4",
    "model.squeeze=4",
    "training.schedule={kind = \"cosine\", warmup = 0.2}",
    "training.plateau={patience = 0, threshold = 0.5}",
    "training.averaging={decay = 0.9}",
    "training.adam.weight_decay=0.1",
    "training.clip_norm=0.5",
    "training.loss.label_smoothing=0.1",
    "training.sampling.balanced=0.5",
    "training.augmentation.flip=0.5",
    "training.augmentation.scale=0.1",
    "training.augmentation.contrast=0.2",
    "training.augmentation.brightness=0.1",
    "distillation.teachers=[\"builtin\"]",
];

/// Those that do.
const EVERYTHING_ELSE: [&str; 5] = [
    "training.loss.class_weights=balanced",
    "model.width=4",
    "training.optimiser=sgd",
    "training.accumulate=2",
    "training.monitor=nothing",
];

fn at_every_step(effort: &Effort) -> Result<String> {
    let stride = |short| if effort.long { 1 } else { short };
    let settings = [
        (Setting::new("cnn", &[])?, stride(4)),
        // One with normalisations, whose running statistics are no trained weights.
        (
            Setting::new(
                "vgg",
                &["model.width=8", "training.loss.logit_adjustment=0.5"],
            )?,
            stride(13),
        ),
        (Setting::new("resvgg", &EVERYTHING)?, stride(5)),
        (Setting::new("vgg", &EVERYTHING_ELSE)?, stride(7)),
    ];
    let mut places = 0;
    for (setting, stride) in &settings {
        places += stop_everywhere(setting, *stride)?;
    }
    let runs = places + settings.len();
    Ok(format!(
        "stopped at {places} places of {} runs, two with every option of training switched on, and at every step of each: {runs} of {runs} ended with the same bytes",
        settings.len()
    ))
}

/// Stops a run at each `stride`-th step, and another one at all; gives the number of places.
fn stop_everywhere(setting: &Setting, stride: u64) -> Result<usize> {
    let (whole, finished) = setting.train(None, None)?;
    ensure!(finished, "a run that nobody stops does not finish");
    let group = setting.settings.accumulate as u64;
    // Told to stop in the last group of all, there is nothing left to go on with.
    let last = EPOCHS as u64 * STEPS - group;
    let steps: Vec<u64> = (1..=last).filter(|step| step % stride == 0).collect();
    for &step in &steps {
        let (stopped, finished) = setting.train(None, Some(step))?;
        let position = decode(&stopped)?.state.record.position;
        ensure!(!finished, "told to stop at step {step}, it finished");
        ensure!(
            (step..step + group).contains(&position.step),
            "stopped at {position}, not at step {step}"
        );
        ensure!(
            stopped != whole,
            "the state at step {step} is that at the end"
        );
        let (resumed, _) = setting.train(Some(&stopped), None)?;
        ensure!(resumed == whole, "stopped at {position}, the end differs");
    }
    let (mut resumed, mut finished) = setting.train(None, Some(1))?;
    while !finished {
        (resumed, finished) = setting.train(Some(&resumed), Some(1))?;
    }
    ensure!(resumed == whole, "stopped at every step, the end differs");
    Ok(steps.len())
}

/// A run on the built-in faces, as the README has it.
fn cost(effort: &Effort) -> Result<String> {
    if !effort.long {
        return Ok("not measured in the short form".into());
    }
    let place = Place::new()?;
    let output = place.output(&["--out", "run"])?;
    let said = text(&output);
    ensure!(output.status.success(), "{said}");
    let line = said
        .lines()
        .find_map(|line| line.strip_prefix("checkpoints "))
        .context("it says what checkpoints took")?;
    let (count, seconds) = line
        .trim_end_matches(" s")
        .split_once(" in ")
        .context("a count")?;
    let seconds: f64 = seconds.parse()?;
    let timing = std::fs::read_to_string(place.file("run/timing.csv"))?;
    let training: f64 = timing
        .lines()
        .skip(1)
        .filter_map(|row| row.split(',').nth(1)?.parse::<f64>().ok())
        .sum();
    let share = 100.0 * seconds / training;
    ensure!(share < 1.0, "{seconds} s of {training} s");
    Ok(format!(
        "{count} checkpoints in {seconds:.2} s of {training:.1} s of training on the built-in faces: {share:.2} %"
    ))
}
