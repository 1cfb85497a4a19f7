//! What a run leaves behind: its directory.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use fer_data::Skipped;
use serde::Serialize;

use crate::fit::Fit;
use crate::metrics::Report;

/// The directory of one run. Files appear in it whole: each is written beside its place first.
pub struct RunDirectory {
    path: PathBuf,
}

impl RunDirectory {
    /// Checks that nothing lies at `path` yet, so that a run can be made there.
    ///
    /// # Errors
    /// A directory that holds something already.
    pub fn check_free(path: &Path) -> Result<()> {
        if let Ok(mut entries) = fs::read_dir(path) {
            ensure!(
                entries.next().is_none(),
                "{} holds something already; name another directory with --out, or empty it",
                path.display()
            );
        }
        Ok(())
    }

    /// Makes the directory `path`.
    ///
    /// # Errors
    /// A directory that holds something already, or one that cannot be made.
    pub fn create(path: &Path) -> Result<Self> {
        RunDirectory::check_free(path)?;
        fs::create_dir_all(path)
            .with_context(|| format!("cannot make the directory {}", path.display()))?;
        Ok(RunDirectory {
            path: path.to_path_buf(),
        })
    }

    /// Makes the first of `runs/NAME`, `runs/NAME-2`, `runs/NAME-3` … that does not exist.
    ///
    /// # Errors
    /// A directory that cannot be made.
    pub fn create_next(name: &str) -> Result<Self> {
        let numbered = |number: usize| match number {
            1 => Path::new("runs").join(name),
            _ => Path::new("runs").join(format!("{name}-{number}")),
        };
        let free = (1..).map(numbered).find(|path| !path.exists());
        RunDirectory::create(&free.context("no free name for the run")?)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file.
    ///
    /// # Errors
    /// A file that cannot be written, by name.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let (path, partial) = (self.file(name), self.file(&format!(".{name}.partial")));
        let written = fs::File::create(&partial)
            .and_then(|mut file| file.write_all(bytes))
            .and_then(|()| fs::rename(&partial, &path));
        written.with_context(|| format!("cannot write {}", path.display()))
    }

    /// Writes `history.csv`, one row an epoch, and `timing.csv` beside it: seconds, pictures a second
    /// and the share of the training steps spent waiting for pictures, 0 to 1.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write_history(&self, fit: &Fit, pictures: usize) -> Result<()> {
        self.write("history.csv", &table(&fit.history)?)?;
        let timings: Vec<Timing> = fit
            .history
            .iter()
            .zip(&fit.durations)
            .map(|(record, time)| Timing {
                epoch: record.epoch,
                seconds: time.whole.as_secs_f64(),
                pictures_per_second: pictures as f64 / time.whole.as_secs_f64(),
                waiting_share: time.waiting_share,
            })
            .collect();
        self.write("timing.csv", &table(&timings)?)
    }

    /// Writes `skipped.csv`, unless nothing was skipped.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write_skipped(&self, skipped: &[Skipped]) -> Result<()> {
        if skipped.is_empty() {
            return Ok(());
        }
        let rows: Vec<SkippedRow<'_>> = skipped
            .iter()
            .map(|entry| SkippedRow {
                entry: &entry.entry,
                reason: entry.reason,
                detail: &entry.detail,
            })
            .collect();
        self.write("skipped.csv", &table(&rows)?)
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

#[derive(Serialize)]
struct Timing {
    epoch: usize,
    seconds: f64,
    pictures_per_second: f64,
    waiting_share: f64,
}

#[derive(Serialize)]
struct SkippedRow<'a> {
    entry: &'a str,
    reason: &'a str,
    detail: &'a str,
}

fn table<R: Serialize>(rows: &[R]) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row)?;
    }
    writer.into_inner().context("csv cannot be flushed")
}
