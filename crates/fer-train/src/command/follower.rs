//! The part of a process that does not lead: it trains, and neither writes nor speaks.

use std::process::ExitCode;

use anyhow::Result;

use crate::command::signals::Signals;
use crate::command::task::Task;
use crate::fit::{Divergence, Ended, Memory, Silent};
use crate::parallel::LeaderFailed;

/// Trains with the leader from where it begins.
pub(crate) fn follow(task: &Task<'_>) -> Result<ExitCode> {
    let signals = Signals::listen()?;
    let built = task.build()?;
    let trainer = task.trainer(&built);
    let (keeper, progress) = (&mut Memory::default(), &mut Silent);
    match trainer.run_with(task.parallel, None, keeper, progress, &signals.stop) {
        Ok(Ended::Finished(_)) => Ok(ExitCode::SUCCESS),
        Ok(Ended::Interrupted(_)) => Ok(signals.exit_code()),
        // The leader has the same, and tells it.
        Err(error) if error.is::<Divergence>() || error.is::<LeaderFailed>() => {
            Ok(ExitCode::FAILURE)
        }
        Err(error) => Err(error),
    }
}
