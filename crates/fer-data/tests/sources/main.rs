//! Data sets from files: every layout, every bad thing, every division.
#![expect(clippy::unwrap_used, reason = "tests")]

/// Folders drawn for the tests.
mod folder;

/// What lies at a path is told by what is found there.
mod layouts;

/// What labels mean: maps, vocabularies, spellings.
mod labels;

/// The table of paths and labels.
mod manifest;

/// Nothing vanishes: each bad thing with its message.
mod bad_things;

/// Links, pipes, permissions and names that are not Unicode.
#[cfg(unix)]
mod special_files;

/// Who trains, who chooses, who judges.
mod splits;

/// What an audit finds.
mod audits;

/// FER2013 as Kaggle's folders and as a csv.
mod fer2013_folders;
