use anyhow::Result;

use crate::fit::{Position, RunState};

/// When a state might be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Between two batches of an epoch.
    Step,
    /// After an epoch was judged.
    EpochEnd,
}

/// Where the states of a run are kept while it works.
pub trait Keeper {
    /// Whether the state at `position` is wanted.
    fn is_due(&self, moment: Moment, position: Position) -> bool;

    /// Keeps a state.
    ///
    /// # Errors
    /// A state that could not be kept; those kept before are still there.
    fn keep(&mut self, state: &RunState) -> Result<()>;

    /// The state at the start of epoch `epoch`, or else the last that was kept; what was kept after
    /// it is forgotten. `None` when nothing is kept.
    ///
    /// # Errors
    /// A state that cannot be read.
    fn recall(&mut self, epoch: usize) -> Result<Option<RunState>>;

    /// Forgets every state that was kept.
    ///
    /// # Errors
    /// A state that cannot be removed.
    fn forget(&mut self) -> Result<()>;

    /// In words, which is the last state that was kept.
    fn last(&self) -> Option<String>;
}

/// Keeps the state after the last epoch in memory.
#[derive(Default)]
pub struct Memory {
    state: Option<RunState>,
}

impl Keeper for Memory {
    fn is_due(&self, moment: Moment, _position: Position) -> bool {
        moment == Moment::EpochEnd
    }

    fn keep(&mut self, state: &RunState) -> Result<()> {
        self.state = Some(state.clone());
        Ok(())
    }

    fn recall(&mut self, _epoch: usize) -> Result<Option<RunState>> {
        Ok(self.state.clone())
    }

    fn forget(&mut self) -> Result<()> {
        self.state = None;
        Ok(())
    }

    fn last(&self) -> Option<String> {
        let state = self.state.as_ref()?;
        Some(format!("in memory, {}", state.record.position))
    }
}
