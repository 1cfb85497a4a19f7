use anyhow::Result;

use super::{Group, share_state};
use crate::fit::{Keeper, Moment, Position, RunState};

/// What the leader could not do for all.
#[derive(Debug, thiserror::Error)]
#[error("the leading process failed: {0}")]
pub struct LeaderFailed(String);

/// The leader's keeper for all the members: what it did, or could not do, all of them learn.
pub(crate) struct Joint<'a> {
    group: &'a dyn Group,
    keeper: &'a mut dyn Keeper,
}

impl<'a> Joint<'a> {
    /// `keeper` is used where this member leads.
    pub(crate) fn new(group: &'a dyn Group, keeper: &'a mut dyn Keeper) -> Self {
        Joint { group, keeper }
    }

    /// Lets the leader do something; an error of its own is an error of all.
    fn lead<R>(&mut self, act: impl FnOnce(&mut dyn Keeper) -> Result<R>) -> Result<Option<R>> {
        let mut done = None;
        if self.group.leads() {
            done = Some(act(self.keeper));
        }
        let failure = match &done {
            Some(Err(error)) => format!("{error:#}").into_bytes(),
            _ => Vec::new(),
        };
        let failure = self.group.broadcast(failure)?;
        match done.transpose() {
            Ok(_) if !failure.is_empty() => {
                Err(LeaderFailed(String::from_utf8_lossy(&failure).into_owned()).into())
            }
            done => done,
        }
    }
}

impl Keeper for Joint<'_> {
    /// Whether the leader wants it: `false` for the others.
    fn is_due(&self, moment: Moment, position: Position) -> bool {
        self.group.leads() && self.keeper.is_due(moment, position)
    }

    fn keep(&mut self, state: &RunState) -> Result<()> {
        self.lead(|keeper| keeper.keep(state))?;
        Ok(())
    }

    fn recall(&mut self, epoch: usize) -> Result<Option<RunState>> {
        let recalled = self.lead(|keeper| keeper.recall(epoch))?;
        share_state(self.group, recalled.flatten())
    }

    fn forget(&mut self) -> Result<()> {
        self.lead(|keeper| keeper.forget())?;
        Ok(())
    }

    fn last(&self) -> Option<String> {
        self.keeper.last()
    }
}
