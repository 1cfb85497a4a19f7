use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::TOGETHER;
use crate::dataset::Dataset;
use crate::error::DataError;

impl Dataset {
    /// SHA-256, in hexadecimal, of which picture stands in which split.
    pub fn division_hash(&self) -> String {
        let mut digest = Sha256::new();
        for index in 0..self.len() {
            digest.update((self.entries.position(index) as u64).to_le_bytes());
            digest.update(self.entries.split(index).name().as_bytes());
        }
        hexadecimal(&digest.finalize())
    }

    pub(super) fn compute_hash(&self) -> Result<String, DataError> {
        let mut whole = Sha256::new();
        for name in self.class_names.iter() {
            whole.update(name.as_bytes());
            whole.update([0]);
        }
        for start in (0..self.len()).step_by(TOGETHER) {
            let together = start..self.len().min(start + TOGETHER);
            let digests = together.into_par_iter().map(|index| self.digest(index));
            for digest in digests.collect::<Result<Vec<_>, DataError>>()? {
                whole.update(digest);
            }
        }
        Ok(hexadecimal(&whole.finalize()))
    }

    /// SHA-256 of picture `index` with its label and votes.
    fn digest(&self, index: usize) -> Result<[u8; 32], DataError> {
        let mut digest = Sha256::new();
        digest.update((self.entries.label(index) as u64).to_le_bytes());
        for share in self.entries.distribution(index).into_iter().flatten() {
            digest.update(share.to_le_bytes());
        }
        self.with_pixels(index, |pixels| digest.update(pixels))?;
        Ok(digest.finalize().into())
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
