//! One batch: forward, back, and the step of all the parts together.

use anyhow::Result;
use candle_core::Tensor;
use fer_data::{Batch, Outline};
use fer_model::ops::{Mode, log_probabilities};
use fer_model::{Tape, batch_to_tensors};

use crate::fit::work::Work;
use crate::fit::{Position, Symptom};
use crate::metrics::mean_loss;
use crate::parallel::cut;

impl Work<'_> {
    /// Trains on this member's part of a batch.
    pub(super) fn train_batch(
        &mut self,
        tape: &Tape<'_>,
        batch: Batch,
        outline: Outline,
        last: bool,
    ) -> Result<()> {
        let (trainer, position) = (self.trainer, self.record.position);
        let settings = trainer.settings;
        let classes = trainer.dataset.class_names().len();
        let (own, pictures) = (outline.part.len(), outline.labels.len());
        self.batch = outline.indices;
        let mode = Mode::TrainPart {
            seed: settings.seed,
            step: position.step,
            first: outline.part.start,
        };
        let passed = match own {
            0 => {
                tape.forward_empty()?;
                None
            }
            _ => {
                let (pictures, targets) = batch_to_tensors(batch, classes, trainer.device)?;
                Some((tape.forward(&pictures, mode)?, targets))
            }
        };
        let log_probabilities = self.log_probabilities(passed.as_ref(), pictures)?;
        let loss = mean_loss(&outline.targets, &log_probabilities, classes);
        // Put so that NaN counts.
        let bounded = loss <= settings.divergence.largest_loss;
        if !bounded {
            return Err(self.divergence(Symptom::Loss(loss), 1).into());
        }
        let gradients = match &passed {
            Some((logits, targets)) => {
                let engine = trainer.network.engine();
                let loss = self.loss.compute(logits, targets, engine)?;
                match own == pictures {
                    true => tape.backward(&loss)?,
                    false => tape.backward(&(loss * (own as f64 / pictures as f64))?)?,
                }
            }
            None => {
                tape.backward_empty()?;
                self.gathering.zeros()?
            }
        };
        self.record
            .trained
            .update(&outline.labels, &outline.targets, &log_probabilities)?;
        let gathered = self.gathering.add_part(gradients, [own, pictures], last)?;
        if let Some(gradients) = gathered {
            self.optimiser.step(&gradients, self.learning_rate())?;
            if let Some(average) = &self.average {
                average.update(self.optimiser.steps())?;
            }
        }
        self.record.position = Position {
            batch: position.batch + 1,
            step: position.step + 1,
            ..position
        };
        Ok(())
    }

    /// Of the whole batch of so many pictures, given what this member's part passed through.
    fn log_probabilities(
        &self,
        passed: Option<&(Tensor, Tensor)>,
        pictures: usize,
    ) -> Result<Vec<f32>> {
        let own: Vec<f32> = match passed {
            Some((logits, _)) => log_probabilities(&logits.detach())?
                .flatten_all()?
                .to_vec1()?,
            None => Vec::new(),
        };
        let classes = self.trainer.dataset.class_names().len();
        let counts = cut(pictures, self.group().size());
        let counts: Vec<usize> = counts.into_iter().map(|count| count * classes).collect();
        Ok(self.group().gather(&own, &counts)?)
    }
}
