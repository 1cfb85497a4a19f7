//! When the state of a run is kept, and when the run is told to stop.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;

use crate::fit::work::Work;
use crate::fit::{Divergence, Keeper, Moment, Progress, RunState, Symptom};
use crate::parallel::{GroupError, Joint};

/// What the members of a group tell each other between two steps, one bit each.
const STOP: u8 = 1;
const KEEP: u8 = 2;

impl Work<'_> {
    /// Between two steps: keeps the state where it is due, and tells whether to stop. All the members of
    /// a group come to the same.
    pub(super) fn has_to_stop(
        &mut self,
        keeper: &mut Joint<'_>,
        progress: &mut dyn Progress,
        stop: &AtomicBool,
    ) -> Result<bool> {
        let mut wishes = 0;
        if self.record.position.batch > 0 {
            wishes |= self.wish_to_keep(Moment::Step, keeper);
        }
        if stop.load(Ordering::Relaxed) {
            wishes |= STOP;
        }
        let wishes = self.agreed(wishes)?;
        if wishes != 0 {
            self.read_answers()?;
        }
        if wishes & KEEP != 0 {
            self.try_to_keep(keeper, progress)?;
        }
        Ok(wishes & STOP != 0)
    }

    /// Keeps the state where it is due.
    pub(super) fn keep_at_epoch_end(
        &mut self,
        keeper: &mut Joint<'_>,
        progress: &mut dyn Progress,
    ) -> Result<()> {
        let wish = self.wish_to_keep(Moment::EpochEnd, keeper);
        if self.agreed(wish)? & KEEP != 0 {
            self.try_to_keep(keeper, progress)?;
        }
        Ok(())
    }

    fn wish_to_keep(&self, moment: Moment, keeper: &Joint<'_>) -> u8 {
        match keeper.is_due(moment, self.record.position) {
            true => KEEP,
            false => 0,
        }
    }

    fn agreed(&self, wishes: u8) -> Result<u8> {
        Ok(self.group().any(wishes)?)
    }

    fn try_to_keep(&mut self, keeper: &mut Joint<'_>, progress: &mut dyn Progress) -> Result<()> {
        match self.keep(keeper) {
            Err(error) if !error.is::<Divergence>() && !error.is::<GroupError>() => {
                progress.not_kept(&error);
            }
            kept => kept?,
        }
        Ok(())
    }

    /// A copy of everything, which is worth going back to.
    pub(super) fn finite_state(&self) -> Result<RunState> {
        let state = self.capture()?;
        match state.not_finite()? {
            Some(name) => Err(self.divergence(Symptom::Tensor(name.into())).into()),
            None => Ok(state),
        }
    }

    /// Keeps the state, unless it was the last to be kept.
    pub(super) fn keep(&mut self, keeper: &mut Joint<'_>) -> Result<()> {
        if self.kept == Some(self.record.position) {
            return Ok(());
        }
        keeper.keep(&self.finite_state()?)?;
        self.kept = Some(self.record.position);
        Ok(())
    }
}
