//! Where decoded pictures lie: in memory up to a bound, beyond it in a file without a name.

mod settings;
mod spill;

#[cfg(test)]
mod tests;

use std::path::Path;

use crate::error::DataError;
use crate::picture::{PIXELS, Picture};

pub use settings::MemorySettings;
use spill::Spill;

/// Decoded pictures, numbered in the order in which they came.
pub(crate) struct Decoded(Held);

enum Held {
    Memory(Vec<Picture>),
    Disk(Spill),
}

impl Decoded {
    /// What `work` makes of the pixels of picture `number`, row by row.
    ///
    /// # Errors
    /// [`DataError::Spill`] where they lie on disk and cannot be read.
    pub(crate) fn with<T>(
        &self,
        number: usize,
        work: impl FnOnce(&[u8; PIXELS]) -> T,
    ) -> Result<T, DataError> {
        match &self.0 {
            Held::Memory(pictures) => Ok(work(pictures[number].pixels())),
            Held::Disk(spill) => {
                let mut pixels = [0; PIXELS];
                spill.read(number, &mut pixels)?;
                Ok(work(&pixels))
            }
        }
    }

    /// Picture `number`.
    ///
    /// # Errors
    /// As [`with`](Self::with).
    pub(crate) fn picture(&self, number: usize) -> Result<Picture, DataError> {
        match &self.0 {
            Held::Memory(pictures) => Ok(pictures[number].clone()),
            Held::Disk(_) => self.with(number, Picture::from_array),
        }
    }

    /// The folder of the file that holds the pictures, where one does.
    pub(crate) fn spill_folder(&self) -> Option<&Path> {
        match &self.0 {
            Held::Memory(_) => None,
            Held::Disk(spill) => Some(spill.folder()),
        }
    }
}

/// Takes decoded pictures up one after the other.
pub(crate) struct Gathering<'a> {
    settings: &'a MemorySettings,
    held: Held,
    count: usize,
    /// How many are expected, for the message that a disk is full.
    expected: usize,
}

impl<'a> Gathering<'a> {
    /// None yet, and `expected` in all where that is known; 0 where it is not.
    pub(crate) fn new(settings: &'a MemorySettings, expected: usize) -> Self {
        let most = settings.bound / MemorySettings::PICTURE;
        let room = expected.min(usize::try_from(most).unwrap_or(usize::MAX));
        Gathering {
            settings,
            held: Held::Memory(Vec::with_capacity(room)),
            count: 0,
            expected,
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Takes up the next picture.
    ///
    /// # Errors
    /// [`DataError::Spill`] where it has to go to a disk that does not take it.
    pub(crate) fn push(&mut self, picture: Picture) -> Result<(), DataError> {
        self.count += 1;
        if self.count as u64 * MemorySettings::PICTURE > self.settings.bound
            && let Held::Memory(pictures) = &mut self.held
        {
            let pictures = std::mem::take(pictures);
            self.held = Held::Disk(self.spill(pictures)?);
        }
        match &mut self.held {
            Held::Memory(pictures) => {
                pictures.push(picture);
                Ok(())
            }
            Held::Disk(spill) => spill.push(picture.pixels()),
        }
    }

    /// The pictures, to be read from now on.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub(crate) fn finish(mut self) -> Result<Decoded, DataError> {
        if let Held::Disk(spill) = &mut self.held {
            spill.finish()?;
        }
        Ok(Decoded(self.held))
    }

    fn spill(&self, pictures: Vec<Picture>) -> Result<Spill, DataError> {
        let expected = self.expected.max(self.count);
        let mut spill = Spill::new(self.settings, expected)?;
        for picture in pictures {
            spill.push(picture.pixels())?;
        }
        Ok(spill)
    }
}
