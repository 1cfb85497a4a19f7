//! One process at a time on a run directory.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Seek, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};

/// A lock that the system gives back when the process ends, however it ends.
pub(super) struct Lock {
    /// Holds the lock while it is open.
    _file: File,
}

impl Lock {
    /// Takes the lock that is the file at `path`, which is made where it is missing.
    ///
    /// # Errors
    /// Another process that holds it, by its number, or a file that cannot be opened.
    pub(super) fn take(path: &Path, run: &Path) -> Result<Self> {
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)
            .with_context(|| format!("cannot write in {}", run.display()))?;
        match file.try_lock() {
            Ok(()) => (),
            Err(TryLockError::WouldBlock) => bail!(
                "{} is in use{}: one run at a time can work in a directory",
                run.display(),
                holder(path)
            ),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
        // Who holds it is for people only: a disk too full for it is no reason to stop.
        let _ = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Lock { _file: file })
    }
}

fn holder(path: &Path) -> String {
    match fs::read_to_string(path) {
        Ok(number) if !number.trim().is_empty() => format!(" by process {}", number.trim()),
        _ => " by another process".into(),
    }
}
