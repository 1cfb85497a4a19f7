use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use fer_data::read_regular;
use fer_model::file::replace;

use crate::checkpoint::interval::Interval;
use crate::checkpoint::{Checkpoint, CheckpointSettings, Identity, decode, encode};
use crate::fit::{Keeper, Moment, Position, RunState};
use crate::run::RunDirectory;

/// Checkpoints that are kept beside the newest.
const SPARE: usize = 1;

/// The newest checkpoint of a run that can be read.
pub struct Found {
    /// What it holds.
    pub checkpoint: Checkpoint,
    /// Its file.
    pub path: PathBuf,
    /// Newer files that are damaged, each with what is wrong with it.
    pub damaged: Vec<String>,
}

/// Finds the newest checkpoint in the directory `path`; `None` where there is none.
///
/// # Errors
/// A directory that cannot be listed, a checkpoint that may not be read, or checkpoints of which none
/// is whole.
pub fn find(path: &Path) -> Result<Option<Found>> {
    let mut damaged = Vec::new();
    for (_, path) in list(path)?.into_iter().rev() {
        let checkpoint = match read_regular(&path, u64::MAX) {
            Ok(bytes) => decode(&bytes),
            // It may well be good: nobody is to go on without it.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
            Err(error) => Err(error.into()),
        };
        match checkpoint {
            Ok(checkpoint) => {
                return Ok(Some(Found {
                    checkpoint,
                    path,
                    damaged,
                }));
            }
            Err(error) => damaged.push(format!("{} is damaged: {error:#}", path.display())),
        }
    }
    if damaged.is_empty() {
        return Ok(None);
    }
    bail!("no checkpoint can be read: {}", damaged.join("; "))
}

/// The name of the checkpoint at a place of a run.
fn file_name(position: Position) -> String {
    let Position { epoch, batch, step } = position;
    format!("step-{step:08}-epoch-{epoch}-batch-{batch}.safetensors")
}

/// The place of a run that [`file_name`] gave this name.
fn position_of(name: &str) -> Option<Position> {
    let rest = name.strip_prefix("step-")?.strip_suffix(".safetensors")?;
    let (step, rest) = rest.split_once("-epoch-")?;
    let (epoch, batch) = rest.split_once("-batch-")?;
    Some(Position {
        epoch: epoch.parse().ok()?,
        batch: batch.parse().ok()?,
        step: step.parse().ok()?,
    })
}

/// The checkpoints in a directory with their places, oldest first.
fn list(directory: &Path) -> Result<Vec<(Position, PathBuf)>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot list {}", directory.display()));
        }
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if let Some(position) = position_of(&name) {
            found.push((position, path));
        }
    }
    found.sort_by_key(|(position, _)| (position.step, position.epoch));
    Ok(found)
}

/// Writes the checkpoints of a run into its directory, with `history.csv` and `timing.csv` as they
/// stand then, and keeps the last two.
pub struct Checkpoints<'a> {
    run: &'a RunDirectory,
    identity: Identity,
    interval: Interval,
    /// Whether the newest that stands at an epoch's start is kept besides.
    epoch_starts: bool,
    last: Option<(PathBuf, Position)>,
    /// How many were written.
    pub count: usize,
    /// How long that took altogether.
    pub duration: Duration,
}

impl<'a> Checkpoints<'a> {
    /// Of the run `identity` in `run`. `epoch_starts` also keeps the newest checkpoint that stands
    /// at the start of an epoch, for training that may go back to it.
    pub fn new(
        run: &'a RunDirectory,
        identity: Identity,
        settings: &CheckpointSettings,
        epoch_starts: bool,
    ) -> Self {
        Checkpoints {
            run,
            identity,
            interval: Interval::new(settings, epoch_starts),
            epoch_starts,
            last: None,
            count: 0,
            duration: Duration::ZERO,
        }
    }

    /// Goes on after the checkpoint that was found: damaged ones that are newer are removed, and
    /// the tables of the run are written as they were then.
    ///
    /// # Errors
    /// A file that cannot be removed or written.
    pub fn go_on(&mut self, path: PathBuf, state: &RunState) -> Result<()> {
        let position = state.record.position;
        self.remove(|other| (other.step, other.epoch) > (position.step, position.epoch))?;
        self.last = Some((path, position));
        self.run
            .write_history(&state.record.history, &state.timings)
    }

    fn directory(&self) -> PathBuf {
        self.run.checkpoints()
    }

    fn remove(&self, unwanted: impl Fn(Position) -> bool) -> Result<()> {
        for (position, path) in list(&self.directory())? {
            if unwanted(position) {
                fs::remove_file(&path)
                    .with_context(|| format!("cannot remove {}", path.display()))?;
            }
        }
        Ok(())
    }

    /// Removes all but the last two, and the one that stands at the start of the epoch at work.
    fn prune(&self, newest: &RunState) -> Result<()> {
        let found = list(&self.directory())?;
        let Some(spared) = found.len().checked_sub(SPARE + 1) else {
            return Ok(());
        };
        let start = newest.record.position.epoch;
        for (position, path) in &found[..spared] {
            if self.epoch_starts && is_start_of(*position, start) {
                continue;
            }
            fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
        Ok(())
    }

    fn write(&mut self, state: &RunState) -> Result<()> {
        let position = state.record.position;
        let path = self.directory().join(file_name(position));
        replace(&path, &encode(&self.identity, state)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
        self.last = Some((path, position));
        self.run
            .write_history(&state.record.history, &state.timings)?;
        self.prune(state)
    }
}

fn is_start_of(position: Position, epoch: usize) -> bool {
    (position.epoch, position.batch) == (epoch, 0)
}

impl Keeper for Checkpoints<'_> {
    fn is_due(&self, moment: Moment, position: Position) -> bool {
        self.interval.is_due(moment, position)
    }

    fn keep(&mut self, state: &RunState) -> Result<()> {
        let start = Instant::now();
        let written = self.write(state);
        let cost = start.elapsed();
        self.interval.written(cost);
        self.duration += cost;
        self.count += usize::from(written.is_ok());
        written
    }

    fn recall(&mut self, epoch: usize) -> Result<Option<RunState>> {
        let starts = list(&self.directory())?.into_iter().rev();
        let mut starts = starts.filter(|(position, _)| is_start_of(*position, epoch));
        let found = match starts.next() {
            Some((_, path)) => Some((decode(&read_regular(&path, u64::MAX)?)?, path)),
            None => find(&self.directory())?.map(|found| (found.checkpoint, found.path)),
        };
        let Some((checkpoint, path)) = found else {
            return Ok(None);
        };
        let mut state = checkpoint.state;
        state.timings = self.run.timings(state.record.history.len());
        self.go_on(path, &state)?;
        Ok(Some(state))
    }

    fn forget(&mut self) -> Result<()> {
        self.last = None;
        self.remove(|_| true)
    }

    fn last(&self) -> Option<String> {
        let (path, position) = self.last.as_ref()?;
        Some(format!("{} ({position})", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_its_place_and_other_names_none() {
        let position = Position {
            epoch: 3,
            batch: 17,
            step: 289,
        };
        let name = file_name(position);
        assert_eq!(name, "step-00000289-epoch-3-batch-17.safetensors");
        assert_eq!(position_of(&name), Some(position));
        for other in [
            ".step-00000289-epoch-3-batch-17.safetensors.partial",
            "lock",
            "step-1.safetensors",
        ] {
            assert_eq!(position_of(other), None, "{other}");
        }
    }
}
