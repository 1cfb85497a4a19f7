//! The state of a run while it is trained.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use candle_core::Tensor;
use fer_data::{Batch, Batches, Split};
use fer_model::batch_to_tensors;
use fer_model::ops::Loss;

use crate::evaluation::batch_threads;
use crate::fit::average::Average;
use crate::fit::step::Trained;
use crate::fit::{
    EarlyStopping, EpochRecord, EpochTiming, Fit, Gathering, History, Optimiser, Position,
    Progress, Record, ReduceOnPlateau, RunState, Trainer, steps_until,
};
use crate::metrics::Metrics;
use crate::parallel::{Group, Joint, Parallel};
use crate::unread::Unread;

/// A run at work: the weights are in the trainer's parameters, all else is here.
pub(super) struct Work<'a> {
    pub(super) trainer: &'a Trainer<'a>,
    pub(super) parallel: &'a Parallel,
    pub(super) optimiser: Optimiser,
    pub(super) gathering: Gathering,
    pub(super) loss: Loss,
    pub(super) average: Option<Average>,
    pub(super) record: Record,
    pub(super) best: Option<BTreeMap<String, Tensor>>,
    timings: Vec<EpochTiming>,
    steps_an_epoch: u64,
    /// The pictures of the last batch.
    pub(super) batch: Vec<usize>,
    /// Batches whose figures do not count yet.
    pub(super) unread: Unread<Trained>,
    /// Where the state was kept last.
    pub(super) kept: Option<Position>,
}

impl<'a> Work<'a> {
    /// A run at its beginning, with the parameters as they are.
    pub(super) fn begin(trainer: &'a Trainer<'a>, parallel: &'a Parallel) -> Result<Self> {
        let settings = trainer.settings;
        let train = trainer.dataset.indices(Split::Train);
        let batches = train.len().div_ceil(settings.batch_size);
        let record = Record {
            position: Position {
                epoch: 1,
                batch: 0,
                step: 0,
            },
            halvings: 0,
            trained: Metrics::new(trainer.dataset.class_names()),
            watch: EarlyStopping::new(settings.monitor, settings.min_delta, settings.patience),
            plateau: settings
                .plateau
                .map(|plateau| ReduceOnPlateau::new(plateau, settings.monitor)),
            best_epoch: None,
            history: History::new(),
        };
        let (parameters, engine) = (trainer.parameters, trainer.network.engine());
        let average = settings
            .averaging
            .map(|averaging| Average::new(parameters, averaging, engine))
            .transpose()?;
        let (accumulate, most) = (settings.accumulate, settings.clip_norm);
        Ok(Work {
            trainer,
            parallel,
            optimiser: Optimiser::new(parameters, settings.update_rule(), engine)?,
            gathering: Gathering::over(parallel, parameters, accumulate, most),
            loss: Loss::new(&settings.loss, &trainer.dataset.counts(Split::Train))?,
            average,
            record,
            best: None,
            timings: Vec::new(),
            steps_an_epoch: batches.div_ceil(settings.accumulate) as u64,
            batch: Vec::new(),
            unread: Unread::new(engine, trainer.device),
            kept: None,
        })
    }

    /// A copy of everything.
    pub(super) fn capture(&self) -> Result<RunState> {
        Ok(RunState {
            record: self.record.clone(),
            weights: self.trainer.parameters.snapshot()?,
            optimiser: self.optimiser.state()?,
            average: self.average.as_ref().map(Average::snapshot).transpose()?,
            best: self.best.clone(),
            timings: self.timings.clone(),
        })
    }

    /// Goes to a state that was captured.
    pub(super) fn restore(&mut self, state: &RunState) -> Result<()> {
        self.trainer.parameters.restore(&state.weights)?;
        if let Some(average) = &self.average {
            let averages = state.average.as_ref();
            average.restore(averages.context("the average of the weights is missing")?)?;
        }
        self.record.clone_from(&state.record);
        let accumulate = self.trainer.settings.accumulate;
        let steps = steps_until(self.position(), self.batches().len(), accumulate);
        self.optimiser.restore(&state.optimiser, steps)?;
        self.gathering.clear();
        self.unread.clear();
        self.best.clone_from(&state.best);
        self.timings.clone_from(&state.timings);
        self.kept = Some(self.record.position);
        Ok(())
    }

    pub(super) fn position(&self) -> Position {
        self.record.position
    }

    pub(super) fn is_done(&self) -> bool {
        let epochs = self.record.history.len();
        epochs >= self.trainer.settings.epochs || self.record.watch.should_stop()
    }

    /// Trains the epoch at work to its end and judges it; `false` when it was told to stop first.
    pub(super) fn train_epoch(
        &mut self,
        keeper: &mut Joint<'_>,
        progress: &mut dyn Progress,
        stop: &AtomicBool,
    ) -> Result<bool> {
        let (trainer, start) = (self.trainer, Instant::now());
        let (batches, Position { epoch, batch, .. }) = (self.batches(), self.position());
        let tape = self.parallel.tape(trainer.network)?;
        progress.epoch_starts(epoch, batches.len() - batch);
        let (mut pictures, mut waited) = (0, Duration::ZERO);
        let ended = batches.ahead(batch_threads(trainer.device), |ahead| -> Result<bool> {
            for batch in ahead.by_ref() {
                if self.gathering.is_between_groups() && self.has_to_stop(keeper, progress, stop)? {
                    return Ok(false);
                }
                let batch = batch.with_context(|| format!("epoch {epoch}"))?;
                let number = self.record.position.batch;
                let outline = batches.outline(number);
                let count = outline.labels.len();
                self.train_batch(&tape, batch, outline, number + 1 == batches.len())?;
                pictures += count as u32;
                let trained = &self.record.trained;
                progress.batch_done(count, trained.loss(), trained.accuracy());
            }
            waited = ahead.waited();
            Ok(true)
        })?;
        if ended {
            self.read_answers()?;
            let waiting_share = waited.as_secs_f64() / start.elapsed().as_secs_f64().max(1e-9);
            let (record, improved) = self.judge_epoch()?;
            let seconds = start.elapsed().as_secs_f64();
            let timing = EpochTiming {
                epoch,
                seconds,
                pictures_per_second: f64::from(pictures) / seconds,
                waiting_share,
            };
            self.next_epoch(record.clone(), timing.clone());
            // What is told is safe, where it is kept at all.
            self.keep_at_epoch_end(keeper, progress)?;
            progress.epoch_done(&record, improved, &timing);
        }
        Ok(ended)
    }

    /// A batch as the network takes it, with what the teachers answer to it in its targets.
    pub(super) fn input(&self, batch: Batch) -> Result<(Tensor, Tensor)> {
        let trainer = self.trainer;
        let classes = trainer.dataset.class_names().len();
        let (pictures, targets) = batch_to_tensors(batch, classes, trainer.device)?;
        let targets = match trainer.teachers {
            Some(teachers) => teachers.blend(&pictures, &targets)?,
            None => targets,
        };
        Ok((pictures, targets))
    }

    /// The batches of the epoch at work, from the place in it.
    fn batches(&self) -> Batches<'a> {
        let (dataset, settings) = (self.trainer.dataset, self.trainer.settings);
        let Position { epoch, batch, .. } = self.record.position;
        let train = dataset.indices(Split::Train);
        Batches::new(dataset, train, settings.batch_size)
            .sampled(&settings.sampling, settings.seed, epoch as u64)
            .shuffled(settings.seed, epoch as u64)
            .augmented(&settings.augmentation, settings.seed, epoch as u64)
            .starting_at(batch)
            .part(self.group().rank(), self.group().size())
    }

    pub(super) fn group(&self) -> &'a dyn Group {
        self.parallel.group()
    }

    fn next_epoch(&mut self, record: EpochRecord, timing: EpochTiming) {
        self.timings.retain(|earlier| earlier.epoch < timing.epoch);
        self.timings.push(timing);
        self.record.history.push(record);
        self.record.trained.reset();
        self.record.position.epoch += 1;
        self.record.position.batch = 0;
    }

    /// The learning rate of the next step.
    pub(super) fn learning_rate(&self) -> f64 {
        self.rate_at(self.optimiser.steps())
    }

    pub(super) fn rate_at(&self, step: u64) -> f64 {
        let settings = self.trainer.settings;
        let steps = settings.epochs as u64 * self.steps_an_epoch;
        settings.learning_rate
            * settings.schedule.factor(step, steps)
            * self
                .record
                .plateau
                .as_ref()
                .map_or(1.0, ReduceOnPlateau::scale)
            * 0.5f64.powi(self.record.halvings as i32)
    }

    /// Puts the weights of the best epoch into the network.
    pub(super) fn finish(self) -> Result<Fit> {
        let chosen = self.record.best_epoch.zip(self.best);
        let (epoch, weights) = chosen.context("no epoch was trained")?;
        self.trainer.parameters.restore(&weights)?;
        Ok(Fit {
            chosen_on_validation: self.record.watch.best_epoch().is_some(),
            history: self.record.history,
            timings: self.timings,
            epoch,
            weights,
        })
    }
}
