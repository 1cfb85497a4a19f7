use std::env;
use std::path::{Path, PathBuf};

use crate::picture::PIXELS;

/// How much memory decoded pictures may take, and where they lie beyond that.
///
/// A decoded picture takes [`PICTURE`](Self::PICTURE) bytes. Where those of a data set are more than the
/// bound, they all lie in a temporary file that has no name: nothing can be stale in it, no other process sees it, and it is gone
/// with the process, however that ends. Then a data set takes at most 100 bytes of memory an entry, as the
/// crate's guide says in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemorySettings {
    /// Bytes that decoded pictures may take in memory; 0 has them all on disk. Default
    /// [`DEFAULT_BOUND`](Self::DEFAULT_BOUND).
    pub bound: u64,
    /// The folder of the file. Default: the one that `TMPDIR` names, else `/var/tmp` where that is (`/tmp`
    /// is memory on many systems), else what the system takes for temporary files.
    pub spill_folder: Option<PathBuf>,
}

impl MemorySettings {
    /// 1 GiB, which is 461,228 pictures.
    pub const DEFAULT_BOUND: u64 = 1 << 30;

    /// Bytes that a decoded picture takes in memory: its 2,304 pixels and what holds them.
    pub const PICTURE: u64 = PIXELS as u64 + 24;

    /// The folder that is meant.
    pub(super) fn folder(&self) -> PathBuf {
        let usual = Path::new("/var/tmp");
        match &self.spill_folder {
            Some(folder) => folder.clone(),
            None if env::var_os("TMPDIR").is_none() && usual.is_dir() => usual.to_path_buf(),
            None => env::temp_dir(),
        }
    }
}

impl Default for MemorySettings {
    fn default() -> Self {
        MemorySettings {
            bound: Self::DEFAULT_BOUND,
            spill_folder: None,
        }
    }
}
