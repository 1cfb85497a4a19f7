//! Data sets from files: every layout, every bad thing, every division.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::env;
use std::path::PathBuf;

/// The table of real rows in the folder named by `FER2013_DIR`, where that is set.
fn fer2013() -> Option<PathBuf> {
    let folder = PathBuf::from(env::var_os("FER2013_DIR")?);
    let names = ["fer2013.csv", "fer2013.csv.zst", "fer2013.csv.gz"];
    let table = names
        .map(|name| folder.join(name))
        .into_iter()
        .find(|path| path.exists());
    Some(table.expect("FER2013_DIR holds no fer2013.csv"))
}

/// Folders drawn for the tests.
mod folder;

/// What lies at a path is told by what is found there.
mod layouts;

/// What labels mean: maps, vocabularies, spellings.
mod labels;

/// The table of paths and labels.
mod manifest;

/// Parquet files by `datasets` and pyarrow.
#[cfg(feature = "parquet")]
mod parquet;

/// Data sets of the Hugging Face hub, from a server on this machine.
#[cfg(feature = "hub")]
mod hub;

/// Nothing vanishes: each bad thing with its message.
mod bad_things;

/// Links, pipes, permissions and names that are not Unicode.
#[cfg(unix)]
mod special_files;

/// Who trains, who chooses, who judges.
mod splits;

/// What an audit finds.
mod audits;

/// A fer2013.csv that is read in several blocks, by any number of threads.
mod large_tables;

/// FER2013 as Kaggle's folders and as a csv.
mod fer2013_folders;
