//! An epoch judged on validation, with the average of the weights where there is one.

use anyhow::Result;
use fer_data::Split;

use crate::evaluation::evaluate_in_parts;
use crate::fit::work::Work;
use crate::fit::{EpochRecord, Symptom};
use crate::metrics::{Metrics, NotFinite};

impl Work<'_> {
    /// Judges the epoch that was trained; whether no earlier one was better.
    pub(super) fn judge_epoch(&mut self) -> Result<(EpochRecord, bool)> {
        let state = self.finite_state()?;
        let parameters = self.trainer.parameters;
        let record = match &state.average {
            Some(average) => {
                parameters.restore(average)?;
                let record = self.judge();
                parameters.restore(&state.weights)?;
                record?
            }
            None => self.judge()?,
        };
        let monitor = self.trainer.settings.monitor;
        let judged = record.validation_accuracy.zip(record.validation_loss);
        let figure = judged.and_then(|(accuracy, loss)| monitor.figure(accuracy, loss));
        let improved = figure.is_none_or(|figure| self.record.watch.update(record.epoch, figure));
        if let (Some(plateau), Some((_, loss))) = (&mut self.record.plateau, judged) {
            plateau.update(figure.unwrap_or(loss));
        }
        if improved {
            self.record.best_epoch = Some(record.epoch);
            self.best = Some(state.average.unwrap_or(state.weights));
        }
        Ok((record, improved))
    }

    fn judge(&self) -> Result<EpochRecord> {
        let trainer = self.trainer;
        let validation = trainer.dataset.indices(Split::Validation);
        let judged = match validation.is_empty() {
            true => None,
            false => Some(
                evaluate_in_parts(
                    self.parallel.group(),
                    trainer.network,
                    trainer.dataset,
                    validation,
                    trainer.device,
                )
                .map_err(|error| match error.is::<NotFinite>() {
                    true => self.divergence(Symptom::Validation).into(),
                    false => error,
                })?
                .metrics,
            ),
        };
        Ok(EpochRecord {
            epoch: self.record.position.epoch,
            train_loss: self.record.trained.loss(),
            train_accuracy: self.record.trained.accuracy(),
            validation_loss: judged.as_ref().map(Metrics::loss),
            validation_accuracy: judged.as_ref().map(Metrics::accuracy),
            learning_rate: self.rate_at(self.optimiser.steps().saturating_sub(1)),
        })
    }
}
