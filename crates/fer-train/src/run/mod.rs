//! What a run leaves behind: its directory.

mod lock;
mod results;

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use fer_data::audit::Audit;
use fer_data::{Skipped, printable};
use fer_model::file::{replace, replace_with};
use serde::Serialize;

use crate::fit::{Divergence, EpochRecord, EpochTiming};
use crate::formula::escaped;
use crate::metrics::Report;
#[cfg(feature = "figures")]
use crate::report::tensorboard;
use crate::run::lock::Lock;

const CHECKPOINTS: &str = "checkpoints";
const LOCK: &str = "lock";

/// The directory of one run, for one process at a time. Files appear in it whole, and what was
/// written is still there after a power cut.
pub struct RunDirectory {
    path: PathBuf,
    _lock: Lock,
}

impl RunDirectory {
    /// Checks that nothing lies at `path` yet, so that a run can be made there. What a process left
    /// that died before its run had begun is nothing.
    ///
    /// # Errors
    /// A directory that holds something already.
    pub fn check_free(path: &Path) -> Result<()> {
        let Ok(entries) = fs::read_dir(path) else {
            return Ok(());
        };
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot list {}", path.display()))?;
            let name = entry.file_name();
            let is_nothing = is_partial(&entry.path())
                || (name == CHECKPOINTS && has_only_a_lock(&entry.path()));
            ensure!(
                is_nothing,
                "{} holds something already; name another directory with --out, go on with the run \
                 in it with --resume, or empty it",
                path.display()
            );
        }
        Ok(())
    }

    /// Makes the directory `path` and locks it.
    ///
    /// # Errors
    /// A directory that holds something already, that cannot be made, or that another process is
    /// making a run in.
    pub fn create(path: &Path) -> Result<Self> {
        RunDirectory::check_free(path)?;
        let run = RunDirectory::locked(path)?;
        // Another process may have come and gone before the lock was taken.
        RunDirectory::check_free(path)?;
        run.sweep()?;
        Ok(run)
    }

    /// Makes the first of `runs/NAME`, `runs/NAME-2`, `runs/NAME-3` … that does not exist.
    ///
    /// # Errors
    /// A directory that cannot be made.
    pub fn create_next(name: &str) -> Result<Self> {
        let runs = Path::new("runs");
        let cannot = |path: &Path| format!("cannot make the directory {}", path.display());
        fs::create_dir_all(runs).with_context(|| cannot(runs))?;
        for number in 1.. {
            let path = match number {
                1 => runs.join(name),
                _ => runs.join(format!("{name}-{number}")),
            };
            // It is made here and now, or it is another's.
            match fs::create_dir(&path) {
                Ok(()) => return RunDirectory::create(&path),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => (),
                Err(error) => return Err(error).with_context(|| cannot(&path)),
            }
        }
        bail!("no free name for the run")
    }

    /// Opens the run at `path` to go on with it, and locks it.
    ///
    /// # Errors
    /// No directory, one without a run, or one that another process works in.
    pub fn open(path: &Path) -> Result<Self> {
        ensure!(path.is_dir(), "{} is no directory", path.display());
        ensure!(
            path.join("config.toml").is_file() || path.join(CHECKPOINTS).is_dir(),
            "{} holds no run: neither config.toml nor checkpoints is there",
            path.display()
        );
        let run = RunDirectory::locked(path)?;
        run.sweep()?;
        Ok(run)
    }

    /// Makes the directory of checkpoints in `path`, and `path` itself, and takes the lock there.
    fn locked(path: &Path) -> Result<Self> {
        let checkpoints = path.join(CHECKPOINTS);
        make(&checkpoints)?;
        RunDirectory::locked_by(path, &checkpoints.join(LOCK))
    }

    fn locked_by(path: &Path, lock: &Path) -> Result<Self> {
        Ok(RunDirectory {
            path: path.to_path_buf(),
            _lock: Lock::take(lock, path)?,
        })
    }

    /// Removes what a process left that died while it wrote.
    fn sweep(&self) -> Result<()> {
        let directories = [self.path.clone(), self.checkpoints()];
        for directory in directories.iter().filter(|directory| directory.is_dir()) {
            let entries = fs::read_dir(directory)
                .with_context(|| format!("cannot list {}", directory.display()))?;
            for entry in entries {
                let path = entry?.path();
                if is_partial(&path) {
                    fs::remove_file(&path)
                        .with_context(|| format!("cannot remove {}", path.display()))?;
                }
            }
        }
        Ok(())
    }

    /// Where its checkpoints are.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join(CHECKPOINTS)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file, as [`replace`] does it.
    ///
    /// # Errors
    /// A file that cannot be written, by name.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.file(name);
        replace(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Writes a file in one step, with what `fill` writes.
    ///
    /// # Errors
    /// A file that cannot be written, and the errors of `fill`.
    pub fn write_by(
        &self,
        name: &str,
        fill: impl FnOnce(&mut dyn io::Write) -> Result<()>,
    ) -> Result<()> {
        let path = self.file(name);
        replace_with(&path, |file| fill(file))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// Writes `history.csv`, one row an epoch, `timing.csv` beside it and, with the feature `figures`,
    /// the same history for TensorBoard; without an epoch none is there.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write_history(&self, history: &[EpochRecord], timings: &[EpochTiming]) -> Result<()> {
        if history.is_empty() {
            self.remove("history.csv")?;
            #[cfg(feature = "figures")]
            self.remove(tensorboard::FILE)?;
            return self.remove("timing.csv");
        }
        #[cfg(feature = "figures")]
        self.write(tensorboard::FILE, &tensorboard::events(history))?;
        self.write("history.csv", &table(history)?)?;
        self.write("timing.csv", &table(timings)?)
    }

    /// Removes a file, which may be missing.
    ///
    /// # Errors
    /// A file that cannot be removed, by name.
    pub fn remove(&self, name: &str) -> Result<()> {
        match fs::remove_file(self.file(name)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", self.file(name).display()))
            }
            _ => Ok(()),
        }
    }

    /// What `timing.csv` says of the first `epochs` epochs. It decides nothing, so what cannot be
    /// read is not missed.
    pub fn timings(&self, epochs: usize) -> Vec<EpochTiming> {
        let Ok(mut reader) = csv::Reader::from_path(self.file("timing.csv")) else {
            return Vec::new();
        };
        let rows = reader.deserialize::<EpochTiming>().flatten();
        rows.filter(|row| row.epoch <= epochs).collect()
    }

    /// Writes `diverged.csv`: the pictures of the batch at which training diverged.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write_divergence(&self, divergence: &Divergence) -> Result<()> {
        let rows: Vec<DivergedRow> = divergence
            .pictures
            .iter()
            .map(|picture| DivergedRow {
                epoch: divergence.position.epoch,
                batch: divergence.position.batch,
                step: divergence.position.step,
                picture: cell(picture),
            })
            .collect();
        self.write("diverged.csv", &table(&rows)?)
    }

    /// Writes `skipped.csv`; where nothing was skipped none is there.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write_skipped(&self, skipped: &[Skipped]) -> Result<()> {
        if skipped.is_empty() {
            return self.remove("skipped.csv");
        }
        let rows: Vec<SkippedRow<'_>> = skipped
            .iter()
            .map(|entry| SkippedRow {
                entry: cell(&entry.entry),
                reason: entry.reason,
                detail: cell(&entry.detail),
            })
            .collect();
        self.write("skipped.csv", &table(&rows)?)
    }

    /// Writes `audit.json`: what the data are, and what is wrong with them.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write_audit(&self, audit: &Audit) -> Result<()> {
        let audit = serde_json::to_string_pretty(audit)? + "\n";
        self.write("audit.json", audit.as_bytes())
    }

    /// Writes figures as JSON.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write_report(&self, name: &str, report: &Report) -> Result<()> {
        self.write(name, report_json(report)?.as_bytes())
    }
}

/// Figures as the JSON of `metrics.json` and of `evaluate --json`.
///
/// # Errors
/// None that can happen with finite figures.
pub fn report_json(report: &Report) -> Result<String> {
    Ok(serde_json::to_string_pretty(report)? + "\n")
}

fn make(directory: &Path) -> Result<()> {
    fs::create_dir_all(directory)
        .with_context(|| format!("cannot make the directory {}", directory.display()))
}

/// Whether nothing but a lock lies in the directory of checkpoints at `path`.
fn has_only_a_lock(path: &Path) -> bool {
    let mut entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.all(|entry| entry.file_name() == LOCK || is_partial(&entry.path()))
}

fn is_partial(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') && name.ends_with(".partial")
}

#[derive(Serialize)]
struct DivergedRow {
    epoch: usize,
    batch: usize,
    step: u64,
    picture: String,
}

#[derive(Serialize)]
struct SkippedRow<'a> {
    entry: String,
    reason: &'a str,
    detail: String,
}

/// A text from outside in a table that people read.
fn cell(text: &str) -> String {
    escaped(&printable(text)).into_owned()
}

/// Rows as csv, below a line of their names.
fn table<R: Serialize>(rows: &[R]) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row)?;
    }
    writer.into_inner().context("csv cannot be flushed")
}
