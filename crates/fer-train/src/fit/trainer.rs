use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use candle_core::{Device, Tensor};
use fer_data::{Batch, Batches, Dataset, Split};
use fer_model::ops::{Mode, cross_entropy, log_probabilities};
use fer_model::{Network, Parameters, Tape, batch_to_tensors};

use crate::evaluation::{batch_threads, evaluate};
use crate::fit::{Adam, CheckedSettings, EarlyStopping, EpochRecord, History, Monitor};
use crate::metrics::Metrics;

/// What a trainer tells while it works; nothing of it changes the result.
pub trait Progress {
    /// Epoch `epoch` (from 1) starts with `batches` batches to come.
    fn epoch_starts(&mut self, epoch: usize, batches: usize);
    /// A batch of `pictures` is done; loss and accuracy are the epoch's so far.
    fn batch_done(&mut self, pictures: usize, loss: f64, accuracy: f64);
    /// The epoch is done and judged; `best` when no earlier one was better.
    fn epoch_done(&mut self, record: &EpochRecord, best: bool, time: EpochTime);
}

/// Tells nothing.
pub struct Silent;

impl Progress for Silent {
    fn epoch_starts(&mut self, _epoch: usize, _batches: usize) {}
    fn batch_done(&mut self, _pictures: usize, _loss: f64, _accuracy: f64) {}
    fn epoch_done(&mut self, _record: &EpochRecord, _best: bool, _time: EpochTime) {}
}

/// Where the time of an epoch went.
#[derive(Clone, Copy, Debug)]
pub struct EpochTime {
    /// All of it, judging included.
    pub whole: Duration,
    /// The share of the training steps in which the network waited for pictures, 0 to 1.
    pub waiting_share: f64,
}

/// What training leaves.
pub struct Fit {
    /// One record an epoch.
    pub history: History,
    /// How long each epoch took.
    pub durations: Vec<EpochTime>,
    /// The epoch whose weights were kept, from 1: the best on validation, or the last without it.
    pub epoch: usize,
    /// Whether the validation pictures chose that epoch.
    pub chosen_on_validation: bool,
    /// The weights of that epoch, by name, on the CPU; the network holds them too.
    pub weights: BTreeMap<String, Tensor>,
    /// Whether it was told to stop before the last epoch was through.
    pub interrupted: bool,
}

/// Trains a network on the train split of a data set and judges each epoch on validation.
pub struct Trainer<'a> {
    /// The network, built with `parameters`.
    pub network: &'a dyn Network,
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
    /// Runs all epochs, or fewer when early stopping says so or `stop` becomes true: then the
    /// epoch at work ends after its current batch and is judged like any other.
    ///
    /// # Errors
    /// No training picture, a picture that cannot be read, a loss that is not finite, or a device
    /// that fails.
    pub fn run(&self, progress: &mut dyn Progress, stop: &AtomicBool) -> Result<Fit> {
        let settings = self.settings;
        let mut adam = Adam::new(self.parameters, settings.adam, self.network.engine())?;
        let mut watch = EarlyStopping::new(settings.monitor, settings.min_delta, settings.patience);
        let mut best = None;
        let (mut history, mut durations) = (History::new(), Vec::new());
        let mut step = 0;
        for epoch in 1..=settings.epochs {
            let start = Instant::now();
            let (trained, waited) =
                self.train_epoch(epoch, &mut step, &mut adam, progress, stop)?;
            let waiting_share = waited.as_secs_f64() / start.elapsed().as_secs_f64().max(1e-9);
            let record = self.judge(epoch, &trained)?;
            let improved = match (record.validation_accuracy, record.validation_loss) {
                (Some(accuracy), Some(loss)) => {
                    watch.update(epoch, monitored(settings.monitor, accuracy, loss))
                }
                _ => true,
            };
            if improved {
                best = Some((epoch, self.parameters.snapshot()?));
            }
            let whole = start.elapsed();
            let time = EpochTime {
                whole,
                waiting_share,
            };
            progress.epoch_done(&record, improved, time);
            durations.push(time);
            history.push(record);
            if stop.load(Ordering::Relaxed) || watch.should_stop() {
                break;
            }
        }
        let (epoch, weights) = best.context("no epoch was trained")?;
        self.parameters.restore(&weights)?;
        Ok(Fit {
            interrupted: stop.load(Ordering::Relaxed),
            chosen_on_validation: watch.best_epoch().is_some(),
            history,
            durations,
            epoch,
            weights,
        })
    }

    fn train_epoch(
        &self,
        epoch: usize,
        step: &mut u64,
        adam: &mut Adam,
        progress: &mut dyn Progress,
        stop: &AtomicBool,
    ) -> Result<(Metrics, Duration)> {
        let settings = self.settings;
        let train = self.dataset.indices(Split::Train);
        ensure!(
            !train.is_empty(),
            "{} has no picture to train on",
            self.dataset.name()
        );
        let batches = Batches::new(self.dataset, train, settings.batch_size)
            .shuffled(settings.seed, epoch as u64)
            .augmented(&settings.augmentation, settings.seed, epoch as u64);
        let mut metrics = Metrics::new(self.dataset.class_names());
        let tape = Tape::new(self.network)?;
        progress.epoch_starts(epoch, batches.len());
        let waited = batches.ahead(batch_threads(self.device), |ahead| -> Result<Duration> {
            for (number, batch) in ahead.by_ref().enumerate() {
                let batch = batch?;
                let pictures = batch.labels.len();
                self.train_batch(&tape, batch, *step, adam, &mut metrics)
                    .with_context(|| {
                        format!("epoch {epoch}, batch {} of {}", number + 1, batches.len())
                    })?;
                *step += 1;
                progress.batch_done(pictures, metrics.loss(), metrics.accuracy());
                if stop.load(Ordering::Relaxed) {
                    break;
                }
            }
            Ok(ahead.waited())
        });
        Ok((metrics, waited?))
    }

    fn train_batch(
        &self,
        tape: &Tape<'_>,
        batch: Batch,
        step: u64,
        adam: &mut Adam,
        metrics: &mut Metrics,
    ) -> Result<()> {
        let settings = self.settings;
        let classes = self.dataset.class_names().len();
        let (labels, shares) = (batch.labels.clone(), batch.targets.clone());
        let (pictures, targets) = batch_to_tensors(batch, classes, self.device)?;
        let mode = Mode::Train {
            seed: settings.seed,
            step,
        };
        let logits = tape.forward(&pictures, mode)?;
        let loss = cross_entropy(&logits, &targets, self.network.engine())?;
        let gradients = tape.backward(&loss)?;
        let log_probabilities = log_probabilities(&logits.detach())?
            .flatten_all()?
            .to_vec1()?;
        metrics.update(&labels, &shares, &log_probabilities)?;
        adam.step(&gradients, settings.learning_rate)
    }

    fn judge(&self, epoch: usize, trained: &Metrics) -> Result<EpochRecord> {
        let validation = self.dataset.indices(Split::Validation);
        let judged = match validation.is_empty() {
            true => None,
            false => Some(evaluate(self.network, self.dataset, validation, self.device)?.metrics),
        };
        Ok(EpochRecord {
            epoch,
            train_loss: trained.loss(),
            train_accuracy: trained.accuracy(),
            validation_loss: judged.as_ref().map(Metrics::loss),
            validation_accuracy: judged.as_ref().map(Metrics::accuracy),
            learning_rate: self.settings.learning_rate,
        })
    }
}

fn monitored(monitor: Monitor, accuracy: f64, loss: f64) -> f64 {
    match monitor {
        Monitor::ValidationAccuracy => accuracy,
        Monitor::ValidationLoss => loss,
    }
}
