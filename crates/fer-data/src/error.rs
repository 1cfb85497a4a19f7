use std::path::PathBuf;

use crate::printable::{printable, printable_path};

/// What can be wrong with data: one variant per cause, each naming the file and the row. Said in one
/// line, with what would steer a terminal written out ([`printable`]).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file or folder could not be read.
    #[error("cannot read {}: {source}", printable_path(path))]
    Read {
        /// What was to be read.
        path: PathBuf,
        /// What the system answered.
        source: std::io::Error,
    },
    /// A picture could not be decoded.
    #[error(
        "{} is not a picture that can be decoded: {}",
        printable(name),
        printable(reason)
    )]
    Decode {
        /// The file, or what stands for it.
        name: String,
        /// What kind of thing is wrong with it.
        flaw: Flaw,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// A picture has the wrong number of values.
    #[error(
        "{}: {found} values, expected {expected} (48 rows of 48)",
        printable(name)
    )]
    PictureSize {
        /// What the values came from.
        name: String,
        /// Values expected.
        expected: usize,
        /// Values found.
        found: usize,
    },
    /// A list of class names cannot be used.
    #[error("class names cannot be used: {}", printable(_0))]
    ClassNames(String),
    /// The path is nothing that is recognised as data.
    #[error(
        "{} is not recognised as data: {}",
        printable_path(path),
        printable(reason)
    )]
    Unrecognised {
        /// What was given.
        path: PathBuf,
        /// What was seen there, and what was looked for.
        reason: String,
    },
    /// A table as a whole cannot be used: its header, its encoding, its length.
    #[error("{}: {}", printable_path(path), printable(reason))]
    Table {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// One row of a table cannot be used.
    #[error(
        "{}, row {row} (line {line}): {}",
        printable_path(path),
        printable(reason)
    )]
    Row {
        /// The file.
        path: PathBuf,
        /// The data row, counted from 1 without the header.
        row: u64,
        /// The line of the file on which it starts, counted from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// Two tables that are joined row by row do not fit each other.
    #[error(
        "{} does not belong to {}: {}",
        printable_path(votes),
        printable_path(pictures),
        printable(reason)
    )]
    Join {
        /// The table of votes.
        votes: PathBuf,
        /// The table of pictures.
        pictures: PathBuf,
        /// Where they part.
        reason: String,
    },
    /// Entries were left out although that was forbidden.
    #[error(
        "{count} of {total} entries of {} would be left out, and none may be; the first: {}",
        printable(name),
        printable(first)
    )]
    Strict {
        /// The data set.
        name: String,
        /// Entries left out.
        count: usize,
        /// Entries altogether.
        total: usize,
        /// The first of them, with its reason.
        first: String,
    },
    /// A setting is outside its range.
    #[error("{name} = {} is out of range: {expected}", printable(value))]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// What is allowed.
        expected: &'static str,
    },
    /// What lies at a path can be understood in more than one way.
    #[error("{}: {}. {}", printable_path(path), printable(saw), printable(remedy))]
    Unclear {
        /// What was given.
        path: PathBuf,
        /// What was seen there.
        saw: String,
        /// The flags that settle it.
        remedy: String,
    },
    /// A label map cannot be used.
    #[error(
        "the label map {} cannot be used: {}",
        printable_path(path),
        printable(reason)
    )]
    LabelMap {
        /// The map.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A data set of the Hugging Face hub cannot be had.
    #[error("hf://{}: {}", printable(address), printable(reason))]
    Hub {
        /// Its owner and name, as given.
        address: String,
        /// What the hub answered, and what to do.
        reason: String,
    },
    /// The file that holds decoded pictures which are more than memory may take cannot be made, written or
    /// read.
    #[error(
        "decoded pictures cannot be held in a file in {}, where at least {bytes} bytes are needed: {source}. Name another folder (data.spill_folder), or let them take more memory (--memory, data.memory)",
        folder.display()
    )]
    Spill {
        /// The folder of the file.
        folder: PathBuf,
        /// Bytes that the pictures take, as far as known.
        bytes: u64,
        /// What the system answered.
        source: std::io::Error,
    },
    /// A worker panicked: a mistake in this program, not in the data.
    #[error(
        "{}: the worker panicked: {}. Please report it with this file",
        printable(name),
        printable(message)
    )]
    Panic {
        /// What was being worked on: a file, or what stands for it.
        name: String,
        /// What the panic said.
        message: String,
    },
    /// A data set has nothing left to work on.
    #[error("{} holds no usable picture{}", printable(name), printable(detail))]
    Empty {
        /// The data set.
        name: String,
        /// Why nothing is left.
        detail: String,
    },
}

/// Why a picture cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flaw {
    /// It is no picture of a format that is read.
    Foreign,
    /// It is larger than what is decoded.
    TooLarge,
    /// It is damaged or cut short, or of a kind that is not read.
    Broken,
}
