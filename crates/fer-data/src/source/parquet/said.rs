use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::error::DataError;
use crate::source::parquet::rows::Rows;
use crate::source::parquet::store::{Group, Places};
use crate::source::words::Words;

/// What the rows of all files say beside their pictures: 24 bytes each.
#[derive(Default)]
pub(super) struct Said {
    places: Places,
    labels: Column,
    subjects: Column,
    splits: Column,
}

/// Words by row, each kept once.
#[derive(Default)]
struct Column {
    numbers: Vec<Option<u32>>,
    known: Words,
    words: Vec<String>,
}

impl Column {
    fn push(&mut self, word: Option<&str>) {
        let number = word.map(|word| self.known.number(word));
        self.numbers.push(number);
    }

    fn finish(&mut self) {
        self.words = std::mem::take(&mut self.known).into_list();
    }

    fn word(&self, row: usize) -> Option<&str> {
        let number = self.numbers[row]?;
        Some(&self.words[number as usize])
    }
}

impl Said {
    /// Reads all rows of all files.
    pub(super) fn read(files: &[PathBuf]) -> Result<Self, DataError> {
        let mut said = Said::default();
        for (file, path) in files.iter().enumerate() {
            let rows = Rows::open(path)?;
            for group in 0..rows.groups() {
                let first = said.len();
                rows.each_words(group, |words| {
                    said.labels.push(words.label.as_deref());
                    said.subjects.push(words.subject.as_deref());
                    said.splits.push(words.split.as_deref());
                })?;
                said.places.0.push(Group {
                    file,
                    group,
                    first,
                    rows: said.len() - first,
                });
            }
        }
        let columns = [&mut said.labels, &mut said.subjects, &mut said.splits];
        columns.into_iter().for_each(Column::finish);
        Ok(said)
    }

    pub(super) fn len(&self) -> usize {
        self.labels.numbers.len()
    }

    /// Where the rows stand.
    pub(super) fn take_places(&mut self) -> Places {
        std::mem::take(&mut self.places)
    }

    /// Every label, once.
    pub(super) fn labels(&self) -> BTreeSet<&str> {
        self.labels.words.iter().map(String::as_str).collect()
    }

    /// Whether any row says which split it is of.
    pub(super) fn names_splits(&self) -> bool {
        !self.splits.words.is_empty()
    }

    pub(super) fn label(&self, row: usize) -> Option<&str> {
        self.labels.word(row)
    }

    pub(super) fn subject(&self, row: usize) -> Option<&str> {
        self.subjects.word(row)
    }

    pub(super) fn split(&self, row: usize) -> Option<&str> {
        self.splits.word(row)
    }
}
