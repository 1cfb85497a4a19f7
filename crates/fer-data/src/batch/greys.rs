//! A data set for the tests of batches.
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::error::DataError;
use crate::picture::{PIXELS, Picture};
use crate::{
    ClassNames, Dataset, DatasetParts, Entry, MemorySettings, PictureStore, Split, SplitSettings,
};

struct Greys;

impl PictureStore for Greys {
    fn picture(&self, position: usize) -> Result<Picture, DataError> {
        let pixels: Vec<u8> = (0..PIXELS).map(|at| (at * 7 + position) as u8).collect();
        Picture::from_pixels(&pixels, "grey")
    }

    fn origin(&self, position: usize) -> String {
        format!("grey {position}")
    }
}

/// So many pictures of two classes in turn, of which two in three have votes of 1 to 3.
pub(super) fn greys(count: usize) -> Dataset {
    let entries = (0..count).map(|position| Entry {
        position,
        label: position % 2,
        distribution: (position % 3 > 0).then(|| [0.25, 0.75].into()),
        subject: None,
        split: Split::Train,
    });
    Dataset::new(DatasetParts {
        name: "greys".into(),
        class_names: ClassNames::new(["dark", "light"]).unwrap(),
        entries: entries.collect(),
        store: Box::new(Greys),
        skipped: Vec::new(),
        split_rule: "all train".into(),
        split_settings: SplitSettings::default(),
        memory: MemorySettings::default(),
    })
    .unwrap()
}
