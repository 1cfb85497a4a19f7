use std::collections::BTreeMap;

use rayon::prelude::*;

use super::TOGETHER;
use crate::dataset::{Dataset, DatasetParts, DecodedParts, PictureStore};
use crate::decoded::Gathering;
use crate::description::Description;
use crate::entries::{Entries, Entry};
use crate::error::DataError;
use crate::picture::Picture;
use crate::skipped::{Skipped, first_left_out, reason};
use crate::worker::guarded;

impl Dataset {
    /// Puts the parts together, decodes every picture once and computes the data's hash. A
    /// picture that cannot be made joins what is [left out](Self::skipped).
    ///
    /// # Errors
    /// No entry at all, or none whose picture can be made; pictures for which there is no room on
    /// disk; a panic while one was made.
    pub fn new(parts: DatasetParts) -> Result<Self, DataError> {
        let mut skipped = parts.skipped;
        let mut gathering = Gathering::new(&parts.memory, parts.entries.len());
        let mut entries = Entries::with_capacity(parts.entries.len());
        let mut numbers = Vec::with_capacity(parts.entries.len());
        for together in parts.entries.chunks(TOGETHER) {
            let made = together
                .par_iter()
                .map(|entry| make(parts.store.as_ref(), entry));
            let made: Vec<Result<Picture, DataError>> = made.collect();
            for (entry, made) in together.iter().zip(made) {
                match made {
                    Ok(picture) => {
                        numbers.push(gathering.len() as u32);
                        gathering.push(picture)?;
                        entries.push(entry.clone());
                    }
                    Err(error @ DataError::Panic { .. }) => return Err(error),
                    Err(error) => {
                        let origin = parts.store.origin(entry.position);
                        skipped.push(unusable(origin, &error));
                    }
                }
            }
        }
        let positions = (0..entries.len()).map(|index| entries.position(index));
        if positions.eq(numbers.iter().map(|&number| number as usize)) {
            numbers = Vec::new();
        }
        let decoded = DecodedParts {
            name: parts.name,
            class_names: parts.class_names,
            entries,
            origins: Box::new(parts.store),
            decoded: gathering.finish()?,
            skipped,
            split_rule: parts.split_rule,
            split_settings: parts.split_settings,
        };
        Dataset::numbered(decoded, numbers)
    }

    /// Puts the parts together.
    pub(crate) fn decoded(parts: DecodedParts) -> Result<Self, DataError> {
        Dataset::numbered(parts, Vec::new())
    }

    fn numbered(parts: DecodedParts, numbers: Vec<u32>) -> Result<Self, DataError> {
        if parts.entries.len() == 0 {
            return Err(DataError::Empty {
                name: parts.name,
                detail: first_left_out(&parts.skipped),
            });
        }
        let mut dataset = Dataset {
            name: parts.name,
            class_names: parts.class_names,
            entries: parts.entries,
            origins: parts.origins,
            decoded: parts.decoded,
            numbers,
            skipped: parts.skipped,
            split_rule: parts.split_rule,
            split_settings: parts.split_settings,
            description: Description::default(),
            hash: String::new(),
            votes: BTreeMap::new(),
        };
        dataset.hash = dataset.compute_hash()?;
        Ok(dataset)
    }
}

fn make(store: &dyn PictureStore, entry: &Entry) -> Result<Picture, DataError> {
    let name = || store.origin(entry.position);
    guarded(name, || store.picture(entry.position))?
}

fn unusable(origin: String, error: &DataError) -> Skipped {
    let reason = match error {
        DataError::Read { .. } => reason::UNREADABLE,
        _ => reason::BROKEN_PICTURE,
    };
    Skipped::new(origin, reason, error.to_string())
}
