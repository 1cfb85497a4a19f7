use std::path::PathBuf;

use crate::decoded::{Decoded, MemorySettings};
use crate::entries::{Entries, Entry};
use crate::error::DataError;
use crate::expression::ClassNames;
use crate::picture::Picture;
use crate::skipped::Skipped;
use crate::split::SplitSettings;

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
    fn file(&self, position: usize) -> Option<PathBuf> {
        let _ = position;
        None
    }
}

/// What the pictures of a data set are called, by position.
pub(crate) trait Origins: Send + Sync {
    /// As [`PictureStore::origin`].
    fn origin(&self, position: usize) -> String;

    /// As [`PictureStore::file`].
    fn file(&self, position: usize) -> Option<PathBuf> {
        let _ = position;
        None
    }
}

impl Origins for Box<dyn PictureStore> {
    fn origin(&self, position: usize) -> String {
        self.as_ref().origin(position)
    }

    fn file(&self, position: usize) -> Option<PathBuf> {
        self.as_ref().file(position)
    }
}

/// The parts that a source puts together into a [`Dataset`](crate::Dataset).
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
    /// How much memory the decoded pictures may take.
    pub memory: MemorySettings,
}

/// The parts of a data set whose pictures are decoded already, the picture at a position being the one
/// of that number.
pub(crate) struct DecodedParts {
    pub(crate) name: String,
    pub(crate) class_names: ClassNames,
    pub(crate) entries: Entries,
    pub(crate) origins: Box<dyn Origins>,
    pub(crate) decoded: Decoded,
    pub(crate) skipped: Vec<Skipped>,
    pub(crate) split_rule: String,
    pub(crate) split_settings: SplitSettings,
}
