use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::description::Description;
use crate::error::DataError;
use crate::expression::ClassNames;
use crate::picture::Picture;
use crate::skipped::{Skipped, first_left_out, reason};
use crate::split::{Split, SplitSettings};
use crate::worker::guarded;

/// Where the pictures of a data set come from: anything that makes the picture at a position
/// when asked.
pub trait PictureStore: Send + Sync {
    /// Makes the picture at `position`.
    ///
    /// # Errors
    /// Whatever keeps this one from being read, named by its file and row.
    fn picture(&self, position: usize) -> Result<Picture, DataError>;

    /// What a person would call the picture at `position`: a path, or a row of a file.
    fn origin(&self, position: usize) -> String;

    /// The file that holds the picture at `position` and nothing else, where there is one.
    fn file(&self, position: usize) -> Option<&Path> {
        let _ = position;
        None
    }
}

/// What is known of one picture without decoding it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Position in the [`PictureStore`].
    pub position: usize,
    /// The class, an index into the data set's [`ClassNames`].
    pub label: usize,
    /// The share of each class when several were voted for, summing to 1; `None` means that the
    /// label has all of it.
    pub distribution: Option<Box<[f32]>>,
    /// Whose face it is, where known.
    pub subject: Option<u32>,
    /// The part of the data set.
    pub split: Split,
}

/// An indexed set of labelled pictures that decodes what is asked for and keeps what it decoded.
pub struct Dataset {
    name: String,
    class_names: ClassNames,
    entries: Vec<Entry>,
    store: Box<dyn PictureStore>,
    decoded: Vec<OnceLock<Picture>>,
    skipped: Vec<Skipped>,
    split_rule: String,
    split_settings: SplitSettings,
    description: Description,
    hash: String,
    /// By the position in the store.
    votes: BTreeMap<usize, Box<[f32]>>,
}

/// The parts that a source puts together into a [`Dataset`].
pub struct DatasetParts {
    /// What people call the data, such as `drawn` or `fer2013 with FER+ votes`.
    pub name: String,
    /// The classes, in order.
    pub class_names: ClassNames,
    /// One entry a picture.
    pub entries: Vec<Entry>,
    /// Where the pictures come from.
    pub store: Box<dyn PictureStore>,
    /// What was left out.
    pub skipped: Vec<Skipped>,
    /// In words, how the splits came about.
    pub split_rule: String,
    /// The settings that the splits were made with.
    pub split_settings: SplitSettings,
}

impl Dataset {
    /// Puts the parts together, decodes every picture once and computes the data's hash. A
    /// picture that cannot be made joins what is [left out](Self::skipped).
    ///
    /// # Errors
    /// No entry at all, or none whose picture can be made; a panic while one was made.
    pub fn new(mut parts: DatasetParts) -> Result<Self, DataError> {
        let made: Vec<Result<Picture, DataError>> = parts
            .entries
            .par_iter()
            .map(|entry| {
                let name = || parts.store.origin(entry.position);
                guarded(name, || parts.store.picture(entry.position))?
            })
            .collect();
        let (mut entries, mut pictures) = (Vec::new(), Vec::new());
        for (entry, made) in parts.entries.into_iter().zip(made) {
            match made {
                Ok(picture) => {
                    entries.push(entry);
                    pictures.push(picture);
                }
                Err(error @ DataError::Panic { .. }) => return Err(error),
                Err(error) => parts.skipped.push(Skipped::new(
                    parts.store.origin(entry.position),
                    match error {
                        DataError::Read { .. } => reason::UNREADABLE,
                        _ => reason::BROKEN_PICTURE,
                    },
                    error.to_string(),
                )),
            }
        }
        parts.entries = entries;
        Dataset::decoded(parts, pictures)
    }

    /// Puts the parts together with one picture an entry.
    pub(crate) fn decoded(parts: DatasetParts, pictures: Vec<Picture>) -> Result<Self, DataError> {
        if parts.entries.is_empty() {
            return Err(DataError::Empty {
                name: parts.name,
                detail: first_left_out(&parts.skipped),
            });
        }
        let positions = parts.entries.iter().map(|entry| entry.position + 1);
        let slots = positions.max().unwrap_or(0);
        let mut decoded: Vec<OnceLock<Picture>> = (0..slots).map(|_| OnceLock::new()).collect();
        for (entry, picture) in parts.entries.iter().zip(pictures) {
            decoded[entry.position] = OnceLock::from(picture);
        }
        let mut dataset = Dataset {
            name: parts.name,
            class_names: parts.class_names,
            entries: parts.entries,
            store: parts.store,
            decoded,
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
    pub fn entry(&self, index: usize) -> &Entry {
        &self.entries[index]
    }

    /// Picture `index`, decoded now if it has not been before.
    ///
    /// # Errors
    /// Whatever keeps it from being read.
    ///
    /// # Panics
    /// When `index` is not below [`len`](Self::len).
    pub fn picture(&self, index: usize) -> Result<&Picture, DataError> {
        let position = self.entries[index].position;
        let slot = &self.decoded[position];
        if let Some(picture) = slot.get() {
            return Ok(picture);
        }
        let picture = self.store.picture(position)?;
        Ok(slot.get_or_init(|| picture))
    }

    /// What a person would call picture `index`: a path, or a row of a file.
    ///
    /// # Panics
    /// When `index` is not below [`len`](Self::len).
    pub fn origin(&self, index: usize) -> String {
        self.store.origin(self.entries[index].position)
    }

    /// Writes the target of picture `index` into `target`, one share a class, summing to 1.
    ///
    /// # Panics
    /// When `index` is not below [`len`](Self::len) or `target` is not as long as the classes.
    pub fn write_target(&self, index: usize, target: &mut [f32]) {
        let entry = &self.entries[index];
        match &entry.distribution {
            Some(distribution) => target.copy_from_slice(distribution),
            None => {
                target.fill(0.0);
                target[entry.label] = 1.0;
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
        let position = self.entries[index].position;
        self.votes.get(&position).map(Box::as_ref)
    }

    /// The indices of one split, ascending.
    pub fn indices(&self, split: Split) -> Vec<usize> {
        (0..self.len())
            .filter(|&index| self.entries[index].split == split)
            .collect()
    }

    /// How many pictures of each class a split has, in class order.
    pub fn counts(&self, split: Split) -> Vec<usize> {
        let mut counts = vec![0; self.class_names.len()];
        for entry in self.entries.iter().filter(|entry| entry.split == split) {
            counts[entry.label] += 1;
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
    pub fn file(&self, index: usize) -> Option<&Path> {
        self.store.file(self.entries[index].position)
    }

    /// Gives entry `index` this label in place of its label and its shares.
    pub(crate) fn relabel(&mut self, index: usize, label: usize) {
        self.entries[index].label = label;
        self.entries[index].distribution = None;
    }

    /// Leaves out the entries at `indices`, for `reason`.
    pub(crate) fn leave_out(&mut self, reasons: &BTreeMap<usize, &'static str>) {
        for (&index, &reason) in reasons {
            self.skipped
                .push(Skipped::new(self.origin(index), reason, ""));
        }
        let mut index = 0;
        self.entries.retain(|_| {
            index += 1;
            !reasons.contains_key(&(index - 1))
        });
    }

    /// SHA-256, in hexadecimal, of the class names and of each picture with its label and votes.
    /// It does not depend on how the data are split or on copies taken out afterwards.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// SHA-256, in hexadecimal, of which picture stands in which split.
    pub fn division_hash(&self) -> String {
        let mut digest = Sha256::new();
        for entry in &self.entries {
            digest.update((entry.position as u64).to_le_bytes());
            digest.update(entry.split.name().as_bytes());
        }
        hexadecimal(&digest.finalize())
    }

    fn compute_hash(&self) -> Result<String, DataError> {
        let digests: Result<Vec<[u8; 32]>, DataError> = (0..self.len())
            .into_par_iter()
            .map(|index| {
                let entry = &self.entries[index];
                let mut digest = Sha256::new();
                digest.update((entry.label as u64).to_le_bytes());
                for share in entry.distribution.iter().flatten() {
                    digest.update(share.to_le_bytes());
                }
                digest.update(self.picture(index)?.pixels());
                Ok(digest.finalize().into())
            })
            .collect();
        let mut whole = Sha256::new();
        for name in self.class_names.iter() {
            whole.update(name.as_bytes());
            whole.update([0]);
        }
        for digest in digests? {
            whole.update(digest);
        }
        Ok(hexadecimal(&whole.finalize()))
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
