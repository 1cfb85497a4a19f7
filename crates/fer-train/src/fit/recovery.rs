//! What a run does when it has diverged.

use anyhow::Result;

use crate::fit::work::Work;
use crate::fit::{Divergence, Keeper, Position, Progress, Response, RunState, Symptom};
use crate::parallel::Joint;

impl Work<'_> {
    /// Of the last batch.
    pub(super) fn divergence(&self, symptom: Symptom) -> Divergence {
        let position = self.record.position;
        self.divergence_at(symptom, position, self.learning_rate(), &self.batch)
    }

    pub(super) fn divergence_at(
        &self,
        symptom: Symptom,
        position: Position,
        learning_rate: f64,
        pictures: &[usize],
    ) -> Divergence {
        let origin = |&index: &usize| self.trainer.dataset.origin(index);
        Divergence {
            symptom,
            position,
            learning_rate,
            pictures: pictures.iter().map(origin).collect(),
            last_good: None,
        }
    }

    /// After a divergence: back to the start of the epoch with half the rate, if the settings say
    /// so and it was not done too often. Any other error stands.
    pub(super) fn go_back(
        &mut self,
        error: anyhow::Error,
        beginning: &RunState,
        keeper: &mut Joint<'_>,
        progress: &mut dyn Progress,
    ) -> Result<()> {
        let mut divergence = error.downcast::<Divergence>()?;
        divergence.last_good = keeper.last();
        let settings = &self.trainer.settings.divergence;
        let halvings = self.record.halvings + 1;
        if settings.response == Response::Stop || halvings > settings.most_halvings {
            return Err(divergence.into());
        }
        let recalled = match divergence.position.epoch {
            1 => {
                keeper.forget()?;
                None
            }
            epoch => keeper.recall(epoch)?,
        };
        self.restore(recalled.as_ref().unwrap_or(beginning))?;
        self.record.halvings = halvings;
        self.kept = None;
        let epoch = self.record.position.epoch;
        progress.rate_halved(&divergence, epoch, self.learning_rate());
        Ok(())
    }
}
