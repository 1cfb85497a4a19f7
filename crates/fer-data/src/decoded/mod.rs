//! Where decoded pictures lie: in memory up to a bound, beyond it in a file without a name.

mod settings;
mod spill;

#[cfg(test)]
mod tests;

use std::path::Path;

use crate::error::DataError;
use crate::picture::PIXELS;

pub use settings::MemorySettings;
use spill::Spill;

/// Pictures that are held, written or read together.
const BLOCK: usize = 256;

/// The pixels of up to [`BLOCK`] pictures.
type Block = Vec<[u8; PIXELS]>;

/// Decoded pictures, numbered in the order in which they came.
pub(crate) struct Decoded(Held);

enum Held {
    Memory(Vec<Block>),
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
            Held::Memory(blocks) => Ok(work(&blocks[number / BLOCK][number % BLOCK])),
            Held::Disk(spill) => {
                let mut pixels = [0; PIXELS];
                spill.read(number, &mut pixels)?;
                Ok(work(&pixels))
            }
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
        Gathering {
            settings,
            held: Held::Memory(Vec::new()),
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
    pub(crate) fn push(&mut self, pixels: &[u8; PIXELS]) -> Result<(), DataError> {
        self.count += 1;
        if self.count as u64 * PIXELS as u64 > self.settings.bound
            && let Held::Memory(blocks) = &mut self.held
        {
            let blocks = std::mem::take(blocks);
            self.held = Held::Disk(self.spill(blocks)?);
        }
        match &mut self.held {
            Held::Memory(blocks) => {
                match blocks.last_mut().filter(|block| block.len() < BLOCK) {
                    Some(block) => block.push(*pixels),
                    None => blocks.push(started(pixels)),
                }
                Ok(())
            }
            Held::Disk(spill) => spill.push(pixels),
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

    fn spill(&self, blocks: Vec<Block>) -> Result<Spill, DataError> {
        let expected = self.expected.max(self.count);
        let mut spill = Spill::new(self.settings, expected)?;
        for block in blocks {
            block.iter().try_for_each(|pixels| spill.push(pixels))?;
        }
        Ok(spill)
    }
}

/// A block that has room for its pictures, and the first of them.
fn started(pixels: &[u8; PIXELS]) -> Block {
    let mut block = Vec::with_capacity(BLOCK);
    block.push(*pixels);
    block
}
