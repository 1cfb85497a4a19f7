//! The doors through which files from strangers come in, each as a function of bytes: what `cargo fuzz`
//! throws its inputs at, and what the trials of `tests/strangers` throw the seeds and the crashes of
//! the past at.
//!
//! A [`Target`] refuses or accepts; it never panics, holds no more than
//! [`most_memory`](Target::most_memory) at once and ends within [`MOST_TIME`].

mod pictures;
mod states;
mod tables;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use tempfile::TempDir;

pub use pictures::{PHOTOGRAPH, PICTURE};
pub use states::{CHECKPOINT, CONFIG, MODEL, PREDICTIONS, signed};
pub use tables::{FER2013, FERPLUS, LABEL_MAP, MANIFEST, PARQUET};

/// The longest input, in bytes, that is tried: small, beside what the doors have to take.
pub const MOST_BYTES: usize = 1 << 16;

/// How long one input of at most [`MOST_BYTES`] may take.
pub const MOST_TIME: Duration = Duration::from_secs(10);

const MEBIBYTE: usize = 1 << 20;

/// One door.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name, which is that of its folders of seeds and crashes too.
    pub name: &'static str,
    /// The most bytes that an input of at most [`MOST_BYTES`] may make it hold at once.
    pub most_memory: usize,
    /// Folders of files to begin with, from the root of the repository.
    pub seeds: &'static [&'static str],
    /// Whether the bytes are accepted.
    pub accepts: fn(&[u8]) -> bool,
}

/// All of them.
pub const TARGETS: [Target; 11] = [
    PICTURE,
    PHOTOGRAPH,
    FER2013,
    FERPLUS,
    MANIFEST,
    LABEL_MAP,
    PARQUET,
    MODEL,
    CHECKPOINT,
    CONFIG,
    PREDICTIONS,
];

impl Target {
    /// Every file to begin with, and every file that once did harm, in the order of their names.
    pub fn files(&self) -> Vec<PathBuf> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let crashes = format!("tests/fuzz/crashes/{}", self.name);
        let folders = self.seeds.iter().copied().chain([crashes.as_str()]);
        let entries = folders.filter_map(|folder| fs::read_dir(root.join(folder)).ok());
        let mut files: Vec<PathBuf> = entries
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.is_file())
            .collect();
        files.sort();
        files
    }
}

/// A folder of this process, in memory where there is such a place.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let made = || {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() {
            TempDir::new_in(memory)
        } else {
            TempDir::new()
        };
        folder.unwrap_or_else(|error| panic!("no folder can be made: {error}"))
    };
    FOLDER.get_or_init(made).path()
}

/// A file of this process with these bytes.
fn written(name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder().join(name);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).unwrap_or_else(|error| panic!("{}: {error}", parent.display()));
    }
    fs::write(&path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    path
}

/// The program of a target: libFuzzer's, with a panic where an input holds more memory than promised.
#[cfg(feature = "libfuzzer")]
#[macro_export]
macro_rules! fuzz {
    ($target:expr) => {
        #[global_allocator]
        static ALLOCATOR: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

        libfuzzer_sys::fuzz_target!(init: {
            // libFuzzer's hook ends the process at a panic, also at one of a dependency that is caught
            // and reported as a broken file. One that is not caught ends it all the same.
            if std::env::var_os("FUZZ_LOUD").is_none() {
                std::panic::set_hook(Box::new(|_| ()));
            }
        }, |bytes: &[u8]| {
            let before = ALLOCATOR.current_usage();
            ALLOCATOR.reset_peak_usage();
            ($target.accepts)(bytes);
            let held = ALLOCATOR.peak_usage().saturating_sub(before);
            assert!(
                held <= $target.most_memory,
                "{held} bytes were held at once"
            );
        });
    };
}
