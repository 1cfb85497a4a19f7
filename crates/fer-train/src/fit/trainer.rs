use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use anyhow::{Result, bail, ensure};
use candle_core::{Device, Tensor};
use fer_data::{Dataset, Split};
use fer_model::{Network, Parameters};

use crate::distillation::Teachers;
use crate::fit::work::Work;
use crate::fit::{
    CheckedSettings, EpochTiming, History, Keeper, Memory, Position, Progress, RunState,
};
use crate::parallel::{Joint, Parallel, share_state, share_weights};

/// What training leaves.
pub struct Fit {
    /// One record an epoch.
    pub history: History,
    /// How long the epochs took, as far as it is known.
    pub timings: Vec<EpochTiming>,
    /// The epoch whose weights were kept, from 1: the best on validation, or the last without it.
    pub epoch: usize,
    /// Whether the validation pictures chose that epoch.
    pub chosen_on_validation: bool,
    /// The weights of that epoch, by name, on the CPU; the network holds them too.
    pub weights: BTreeMap<String, Tensor>,
}

/// How training ended.
pub enum Ended {
    /// All epochs are through, or early stopping ended them.
    Finished(Fit),
    /// It was told to stop; the state at this place was kept, and training can go on from it.
    Interrupted(Position),
}

/// Trains a network on the train split of a data set and judges each epoch on validation.
pub struct Trainer<'a> {
    /// The network, built with `parameters`.
    pub network: &'a dyn Network,
    /// Networks that make a part of the training targets, if any do.
    pub teachers: Option<&'a Teachers>,
    /// Its variables.
    pub parameters: &'a Parameters,
    /// The data.
    pub dataset: &'a Dataset,
    /// How to train.
    pub settings: &'a CheckedSettings,
    /// Where the network is.
    pub device: &'a Device,
}

impl Trainer<'_> {
    /// Runs all epochs, or fewer when early stopping says so.
    ///
    /// # Errors
    /// No training picture, a picture that cannot be read, a [`Divergence`](crate::fit::Divergence)
    /// that was not mended, or a device that fails.
    pub fn run(&self, progress: &mut dyn Progress) -> Result<Fit> {
        match self.run_from(
            None,
            &mut Memory::default(),
            progress,
            &AtomicBool::new(false),
        )? {
            Ended::Finished(fit) => Ok(fit),
            Ended::Interrupted(position) => bail!("interrupted at {position}"),
        }
    }

    /// Goes on from `start`, or from the beginning, to the same bits as a run that was never
    /// stopped; states are kept by `keeper` whenever it wants one, at the end, and when `stop`
    /// becomes true: then training ends after the step at work.
    ///
    /// A state that could not be kept on the way is told to `progress`, and training goes on.
    ///
    /// # Errors
    /// As [`run`](Self::run), and a state that cannot be kept at the end.
    pub fn run_from(
        &self,
        start: Option<RunState>,
        keeper: &mut dyn Keeper,
        progress: &mut dyn Progress,
        stop: &AtomicBool,
    ) -> Result<Ended> {
        self.run_with(&Parallel::alone(), start, keeper, progress, stop)
    }

    /// As [`run_from`](Self::run_from) together with others who run the same: each goes forward and
    /// back on its part of every batch and judges its part of the validation pictures, and all come to
    /// the same weights, figures and states.
    ///
    /// The leader's weights and `start` are taken, and its `keeper` keeps; training ends when `stop`
    /// becomes true for any member. `progress` is told the same everywhere. A run that goes on from a
    /// state comes to the same bits where there are as many members as before.
    ///
    /// # Errors
    /// As [`run_from`](Self::run_from), and a member that is gone; synchronised statistics of a network
    /// that the kernels do not train.
    pub fn run_with(
        &self,
        parallel: &Parallel,
        start: Option<RunState>,
        keeper: &mut dyn Keeper,
        progress: &mut dyn Progress,
        stop: &AtomicBool,
    ) -> Result<Ended> {
        ensure!(
            !self.dataset.indices(Split::Train).is_empty(),
            "{} has no picture to train on",
            self.dataset.name()
        );
        self.settings.check_for(self.dataset)?;
        let group = parallel.group();
        share_weights(group, self.parameters)?;
        let start = share_state(group, start)?;
        let keeper = &mut Joint::new(group, keeper);
        let mut work = Work::begin(self, parallel)?;
        let beginning = work.capture()?;
        if let Some(state) = start {
            work.restore(&state)?;
        }
        while !work.is_done() {
            match work.train_epoch(keeper, progress, stop) {
                Ok(true) => (),
                Ok(false) => {
                    work.keep(keeper)?;
                    return Ok(Ended::Interrupted(work.position()));
                }
                Err(error) => work.go_back(error, &beginning, keeper, progress)?,
            }
        }
        work.keep(keeper)?;
        Ok(Ended::Finished(work.finish()?))
    }
}
