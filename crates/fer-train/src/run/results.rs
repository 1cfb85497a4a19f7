//! A directory to which results are added: of a run, or of a model that was judged elsewhere.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::{CHECKPOINTS, LOCK, RunDirectory, is_partial, make};
use crate::predictions;

/// The lock of a directory in which nothing was trained.
const LOCK_OF_RESULTS: &str = ".lock";

/// What tells a directory of ours: a run has one of the first, an evaluation one of the others.
const OURS: [&str; 11] = [
    "config.toml",
    CHECKPOINTS,
    "model.safetensors",
    "model.json",
    "metrics.json",
    predictions::FILE,
    "comparison.json",
    "robustness.json",
    "explanation.json",
    "baselines.json",
    "report.html",
];

impl RunDirectory {
    /// Opens the directory `path` to add results to it, and locks it: a run, what an earlier
    /// evaluation left, an empty directory, or one that is not there yet and is made.
    ///
    /// Nothing in it changes but the files that are [written](Self::write), each in one step; what a
    /// process left that died while it wrote is removed.
    ///
    /// # Errors
    /// A directory that holds files, none of which is a run's or an evaluation's; one that another
    /// process works in; one that cannot be made; a file in its place.
    pub fn for_results(path: &Path) -> Result<Self> {
        make(path)?;
        check_ours(path)?;
        let checkpoints = path.join(CHECKPOINTS);
        let lock = match checkpoints.is_dir() {
            true => checkpoints.join(LOCK),
            false => path.join(LOCK_OF_RESULTS),
        };
        let run = RunDirectory::locked_by(path, &lock)?;
        run.sweep()?;
        Ok(run)
    }

    /// Makes a directory inside this one, which may be there already, for further files.
    ///
    /// # Errors
    /// A directory that cannot be made.
    pub fn make_directory(&self, name: &str) -> Result<()> {
        make(&self.file(name))
    }
}

fn check_ours(path: &Path) -> Result<()> {
    let entries = fs::read_dir(path).with_context(|| format!("cannot list {}", path.display()))?;
    let mut foreign = None;
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot list {}", path.display()))?;
        let name = entry.file_name();
        if OURS.iter().any(|ours| name == *ours) {
            return Ok(());
        }
        if name != LOCK_OF_RESULTS && !is_partial(&entry.path()) {
            foreign = Some(name);
        }
    }
    if let Some(foreign) = foreign {
        bail!(
            "{} holds {} but neither a run nor results of one; name a run, an empty directory or a \
             new one with --out",
            path.display(),
            foreign.to_string_lossy()
        );
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn refusal(path: &Path) -> String {
        let opened = RunDirectory::for_results(path);
        format!("{:#}", opened.map(|_| ()).unwrap_err())
    }

    #[test]
    fn a_directory_is_made_and_later_joined_and_nothing_else_in_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/results");
        let run = RunDirectory::for_results(&path).unwrap();
        run.write("metrics.json", b"1").unwrap();
        assert!(refusal(&path).contains("is in use by process"));
        drop(run);
        fs::write(path.join("mine.txt"), "kept").unwrap();
        fs::write(path.join(".metrics.json.partial"), "torn").unwrap();
        let run = RunDirectory::for_results(&path).unwrap();
        run.write("metrics.json", b"2").unwrap();
        run.make_directory("explanation").unwrap();
        run.make_directory("explanation").unwrap();
        assert_eq!(fs::read(path.join("metrics.json")).unwrap(), b"2");
        assert_eq!(fs::read(path.join("mine.txt")).unwrap(), b"kept");
        assert!(!path.join(".metrics.json.partial").exists());
        assert!(!path.join(CHECKPOINTS).exists(), "nothing was trained here");
    }

    #[test]
    fn a_run_is_joined_under_its_own_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run");
        let run = RunDirectory::create(&path).unwrap();
        run.write("config.toml", b"").unwrap();
        assert!(refusal(&path).contains("is in use by process"));
        drop(run);
        let joined = RunDirectory::for_results(&path).unwrap();
        assert!(RunDirectory::open(&path).is_err(), "it is in use");
        drop(joined);
        assert!(RunDirectory::open(&path).is_ok());
    }

    #[test]
    fn the_list_of_what_was_skipped_goes_where_nothing_is_skipped_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDirectory::create(&folder.path().join("run")).unwrap();
        let skipped = fer_data::Skipped {
            entry: "faces/happy/1.png".into(),
            reason: "broken",
            detail: String::new(),
        };
        run.write_skipped(&[skipped]).unwrap();
        assert!(run.file("skipped.csv").is_file());
        run.write_skipped(&[]).unwrap();
        assert!(!run.file("skipped.csv").exists());
    }

    #[test]
    fn other_peoples_files_and_a_file_in_its_place_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("thesis.tex"), "").unwrap();
        assert!(refusal(folder.path()).contains("holds thesis.tex but neither a run nor results"));
        let names: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(names.len(), 1, "nothing was left there");
        assert!(refusal(&folder.path().join("thesis.tex")).contains("cannot make the directory"));
    }
}
