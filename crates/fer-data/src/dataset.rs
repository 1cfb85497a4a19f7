mod hash;
mod making;
mod parts;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::decoded::Decoded;
use crate::description::Description;
use crate::entries::{Entries, Entry, retain};
use crate::error::DataError;
use crate::expression::ClassNames;
use crate::picture::{PIXELS, Picture};
use crate::skipped::Skipped;
use crate::split::{Split, SplitSettings};

pub use parts::{DatasetParts, PictureStore};
pub(crate) use parts::{DecodedParts, Origins};

/// Pictures that are decoded at once, before the next are begun.
pub(crate) const TOGETHER: usize = 2048;

/// An indexed set of labelled pictures, decoded once and held in memory or, beyond a bound, on disk.
pub struct Dataset {
    name: String,
    class_names: ClassNames,
    entries: Entries,
    origins: Box<dyn Origins>,
    decoded: Decoded,
    /// The number of each entry's picture among those decoded; empty where that is its position.
    numbers: Vec<u32>,
    skipped: Vec<Skipped>,
    split_rule: String,
    split_settings: SplitSettings,
    description: Description,
    hash: String,
    /// By the position in the store.
    votes: BTreeMap<usize, Box<[f32]>>,
}

impl Dataset {
    /// Adds what is known beyond pictures and labels.
    #[must_use]
    pub fn with_description(self, description: Description) -> Self {
        Dataset {
            description,
            ..self
        }
    }

    /// Adds what several people said of pictures: the share of each class, by the picture's position
    /// in the store. They are for judging alone; what trains is [`Entry::distribution`].
    #[must_use]
    pub(crate) fn with_votes(self, votes: BTreeMap<usize, Box<[f32]>>) -> Self {
        Dataset { votes, ..self }
    }

    /// What people call the data.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The classes, in order.
    pub fn class_names(&self) -> &ClassNames {
        &self.class_names
    }

    /// How many pictures there are in all splits together.
    #[expect(clippy::len_without_is_empty, reason = "a data set is never empty")]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// What is known of picture `index`.
    ///
    /// # Panics
    /// When `index` is not below [`len`](Self::len).
    pub fn entry(&self, index: usize) -> Entry {
        self.entries.get(index)
    }

    pub(crate) fn position(&self, index: usize) -> usize {
        self.entries.position(index)
    }

    pub(crate) fn split(&self, index: usize) -> Split {
        self.entries.split(index)
    }

    pub(crate) fn label(&self, index: usize) -> usize {
        self.entries.label(index)
    }

    /// Picture `index`.
    ///
    /// # Errors
    /// [`DataError::Spill`] where it lies on disk and cannot be read.
    ///
    /// # Panics
    /// When `index` is not below [`len`](Self::len).
    pub fn picture(&self, index: usize) -> Result<Picture, DataError> {
        self.decoded.picture(self.number(index))
    }

    /// What `work` makes of the pixels of picture `index`, which are not copied where they lie in memory.
    pub(crate) fn with_pixels<T>(
        &self,
        index: usize,
        work: impl FnOnce(&[u8; PIXELS]) -> T,
    ) -> Result<T, DataError> {
        self.decoded.with(self.number(index), work)
    }

    /// The folder of the file that holds the decoded pictures, where they are more than
    /// [`MemorySettings::bound`](crate::MemorySettings::bound); `None` where they lie in memory.
    pub fn spill_folder(&self) -> Option<&Path> {
        self.decoded.spill_folder()
    }

    /// The number of entry `index`'s picture among those decoded.
    fn number(&self, index: usize) -> usize {
        match self.numbers.get(index) {
            Some(&number) => number as usize,
            None => self.entries.position(index),
        }
    }

    /// What a person would call picture `index`: a path, or a row of a file.
    ///
    /// # Panics
    /// When `index` is not below [`len`](Self::len).
    pub fn origin(&self, index: usize) -> String {
        self.origins.origin(self.entries.position(index))
    }

    /// Writes the target of picture `index` into `target`, one share a class, summing to 1.
    ///
    /// # Panics
    /// When `index` is not below [`len`](Self::len) or `target` is not as long as the classes.
    pub fn write_target(&self, index: usize, target: &mut [f32]) {
        match self.entries.distribution(index) {
            Some(distribution) => target.copy_from_slice(distribution),
            None => {
                target.fill(0.0);
                target[self.entries.label(index)] = 1.0;
            }
        }
    }

    /// How people voted on picture `index`, whatever its label and its target are: the share of each
    /// class, in class order, summing to 1; `None` where nobody voted for any of the classes. Of FER+
    /// these are all votes for the eight expressions, single ones included.
    ///
    /// # Panics
    /// When `index` is not below [`len`](Self::len).
    pub fn votes(&self, index: usize) -> Option<&[f32]> {
        self.votes
            .get(&self.entries.position(index))
            .map(Box::as_ref)
    }

    /// The indices of one split, ascending.
    pub fn indices(&self, split: Split) -> Vec<usize> {
        (0..self.len())
            .filter(|&index| self.entries.split(index) == split)
            .collect()
    }

    /// How many pictures of each class a split has, in class order.
    pub fn counts(&self, split: Split) -> Vec<usize> {
        let mut counts = vec![0; self.class_names.len()];
        for (label, &own) in self.entries.labels().zip(self.entries.splits()) {
            counts[label] += usize::from(own == split);
        }
        counts
    }

    /// What was left out, in the order of the source.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// In words, how the splits came about.
    pub fn split_rule(&self) -> &str {
        &self.split_rule
    }

    /// The settings that the splits were made with.
    pub fn split_settings(&self) -> &SplitSettings {
        &self.split_settings
    }

    /// What is known beyond pictures and labels.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// The file that holds picture `index` and nothing else, where there is one.
    ///
    /// # Panics
    /// When `index` is not below [`len`](Self::len).
    pub fn file(&self, index: usize) -> Option<PathBuf> {
        self.origins.file(self.entries.position(index))
    }

    /// Gives entry `index` this label in place of its label and its shares.
    pub(crate) fn relabel(&mut self, index: usize, label: usize) {
        self.entries.relabel(index, label);
    }

    /// Leaves out the entries at `indices`, for `reason`.
    pub(crate) fn leave_out(&mut self, reasons: &BTreeMap<usize, &'static str>) {
        for (&index, &reason) in reasons {
            self.skipped
                .push(Skipped::new(self.origin(index), reason, ""));
        }
        let stays = |index: usize| !reasons.contains_key(&index);
        self.entries.retain(stays);
        retain(&mut self.numbers, stays);
    }

    /// SHA-256, in hexadecimal, of the class names and of each picture with its label and votes.
    /// It does not depend on how the data are split or on copies taken out afterwards, but for FER2013, whose
    /// PrivateTest rows are left out where a validation share is asked for.
    pub fn hash(&self) -> &str {
        &self.hash
    }
}
