//! One batch: forward, back, and the step of all the parts together.

use anyhow::Result;
use fer_data::{Batch, Outline};
use fer_model::Tape;
use fer_model::ops::{Mode, log_probabilities};

use crate::fit::work::Work;
use crate::fit::{Divergence, Position, Symptom};
use crate::metrics::mean_loss;
use crate::parallel::cut;

/// A batch that was trained on.
pub(super) struct Trained {
    /// Before it.
    position: Position,
    learning_rate: f64,
    indices: Vec<usize>,
    labels: Vec<usize>,
    targets: Vec<f32>,
}

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
        let (own, pictures) = (outline.part.len(), outline.labels.len());
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
                let (pictures, targets) = self.input(batch)?;
                Some((tape.forward(&pictures, mode)?, targets))
            }
        };
        let answers = match &passed {
            Some((logits, _)) => Some(log_probabilities(&logits.detach())?),
            None => None,
        };
        self.batch.clone_from(&outline.indices);
        let trained = Trained {
            position,
            learning_rate: self.learning_rate(),
            indices: outline.indices,
            labels: outline.labels,
            targets: outline.targets,
        };
        self.unread.push(trained, answers);
        if self.unread.is_full() {
            self.read_answers()?;
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

    /// Reads what was answered to the batches so far: their figures count, and a loss beyond all bounds is
    /// found.
    pub(super) fn read_answers(&mut self) -> Result<()> {
        let classes = self.trainer.dataset.class_names().len();
        for (batch, own) in self.unread.read()? {
            let rows = self.of_all(&own, batch.labels.len())?;
            let loss = mean_loss(&batch.targets, &rows, classes);
            // Put so that NaN counts.
            let bounded = loss <= self.trainer.settings.divergence.largest_loss;
            if !bounded {
                return Err(self.divergence_of(batch, loss).into());
            }
            let trained = &mut self.record.trained;
            trained.update(&batch.labels, &batch.targets, &rows)?;
        }
        Ok(())
    }

    /// The log-probabilities of a whole batch of so many pictures, given this member's.
    fn of_all(&self, own: &[f32], pictures: usize) -> Result<Vec<f32>> {
        let classes = self.trainer.dataset.class_names().len();
        let counts = cut(pictures, self.group().size());
        let counts: Vec<usize> = counts.into_iter().map(|count| count * classes).collect();
        Ok(self.group().gather(own, &counts)?)
    }

    fn divergence_of(&self, batch: Trained, loss: f64) -> Divergence {
        let Position {
            epoch,
            batch: number,
            step,
        } = batch.position;
        let position = Position {
            epoch,
            batch: number + 1,
            step: step + 1,
        };
        self.divergence_at(
            Symptom::Loss(loss),
            position,
            batch.learning_rate,
            &batch.indices,
        )
    }
}
