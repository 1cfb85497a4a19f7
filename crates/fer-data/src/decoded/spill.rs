use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::decoded::MemorySettings;
use crate::error::DataError;
use crate::picture::PIXELS;

/// Pictures that are written together.
pub(super) const BLOCK: usize = 256;

/// Pictures in a temporary file without a name, one after the other.
pub(super) struct Spill {
    folder: PathBuf,
    file: Positioned,
    /// What is not written yet.
    rest: Vec<[u8; PIXELS]>,
    /// Bytes that the file is to have, as far as known.
    wanted: u64,
    /// Pictures that came.
    count: u64,
}

impl Spill {
    /// An empty file for so many pictures.
    ///
    /// # Errors
    /// [`DataError::Spill`] where the folder takes no file.
    pub(super) fn new(settings: &MemorySettings, expected: usize) -> Result<Self, DataError> {
        let folder = settings.folder();
        let wanted = expected as u64 * PIXELS as u64;
        match tempfile::tempfile_in(&folder) {
            Ok(file) => Ok(Spill {
                folder,
                file: Positioned::new(file),
                rest: Vec::with_capacity(BLOCK),
                wanted,
                count: 0,
            }),
            Err(source) => Err(DataError::Spill {
                folder,
                bytes: wanted,
                source,
            }),
        }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn push(&mut self, pixels: &[u8; PIXELS]) -> Result<(), DataError> {
        self.rest.push(*pixels);
        self.count += 1;
        if self.rest.len() < BLOCK {
            return Ok(());
        }
        self.write()
    }

    /// Writes what is left.
    pub(super) fn finish(&mut self) -> Result<(), DataError> {
        self.write()?;
        self.rest = Vec::new();
        Ok(())
    }

    fn write(&mut self) -> Result<(), DataError> {
        let written = self.file.append(self.rest.as_flattened());
        self.rest.clear();
        written.map_err(|source| self.refuse(source))
    }

    /// Copies the pixels of picture `number`, which is written.
    pub(super) fn read(&self, number: usize, pixels: &mut [u8; PIXELS]) -> Result<(), DataError> {
        let start = number as u64 * PIXELS as u64;
        let read = self.file.read_exact_at(pixels, start);
        read.map_err(|source| self.refuse(source))
    }

    fn refuse(&self, source: io::Error) -> DataError {
        DataError::Spill {
            folder: self.folder.clone(),
            bytes: self.wanted.max(self.count * PIXELS as u64),
            source,
        }
    }
}

/// A file that many threads read at once.
#[cfg(unix)]
struct Positioned(File);

#[cfg(unix)]
impl Positioned {
    fn new(file: File) -> Self {
        Positioned(file)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn read_exact_at(&self, bytes: &mut [u8], start: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.0, bytes, start)
    }
}

/// A file that many threads read in turn.
#[cfg(not(unix))]
struct Positioned(std::sync::Mutex<File>);

#[cfg(not(unix))]
impl Positioned {
    fn new(file: File) -> Self {
        Positioned(std::sync::Mutex::new(file))
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.lock().write_all(bytes)
    }

    fn read_exact_at(&self, bytes: &mut [u8], start: u64) -> io::Result<()> {
        use std::io::{Read, Seek, SeekFrom};

        let mut file = self.lock();
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(bytes)
    }

    /// Each read says where it begins, so one that panicked leaves nothing wrong.
    fn lock(&self) -> std::sync::MutexGuard<'_, File> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
