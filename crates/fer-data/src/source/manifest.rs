//! A manifest: a csv of paths and labels, with subject, split and groups where known.

mod files;
mod rows;

use std::collections::BTreeSet;
use std::path::Path;

use csv::StringRecord;

use crate::dataset::Dataset;
use crate::error::DataError;
use crate::skipped::{Skipped, reason};
use crate::source::assembly::Gathered;
use crate::source::candidates::{Candidate, Candidates};
use crate::source::labels::{Labels, Meanings};
use crate::source::manifest::files::{Files, Problem};
use crate::source::manifest::rows::Rows;
use crate::source::{Layout, OpenSettings, refuse_votes};
use crate::split::Split;

const PATH: &[&str] = &[
    "path",
    "filepath",
    "imagepath",
    "file",
    "filename",
    "image",
    "imagename",
    "picture",
    "subdirectoryfilepath",
];
pub(crate) const LABEL: &[&str] = &["label", "expression", "emotion", "class", "category"];
pub(crate) const SUBJECT: &[&str] = &[
    "subject",
    "subjectid",
    "person",
    "personid",
    "identity",
    "participant",
];
pub(crate) const SPLIT: &[&str] = &["split", "usage", "subset"];

/// The letters and digits of a column's name, in lower case.
pub(crate) fn bare(column: &str) -> String {
    let letters = column.chars().filter(|letter| letter.is_alphanumeric());
    letters.collect::<String>().to_lowercase()
}

/// Where the columns of a manifest stand.
pub(crate) struct Columns {
    path: usize,
    label: usize,
    subject: Option<usize>,
    split: Option<usize>,
    groups: Vec<usize>,
    count: usize,
}

impl Columns {
    /// The columns of a header, if it is a manifest's.
    pub(crate) fn find(header: &StringRecord) -> Option<Self> {
        let names: Vec<String> = header.iter().map(bare).collect();
        let place = |known: &[&str]| {
            let mut known = known.iter();
            known.find_map(|word| names.iter().position(|name| name == word))
        };
        let (path, label) = (place(PATH)?, place(LABEL)?);
        let (subject, split) = (place(SUBJECT), place(SPLIT));
        let taken = [Some(path), Some(label), subject, split];
        Some(Columns {
            path,
            label,
            subject,
            split,
            groups: (0..names.len())
                .filter(|&column| !taken.contains(&Some(column)) && !names[column].is_empty())
                .collect(),
            count: names.len(),
        })
    }
}

/// Opens the manifest at `path`; its paths are relative to the folder that it lies in.
pub(crate) fn open(path: &Path, settings: &OpenSettings) -> Result<Dataset, DataError> {
    refuse_votes(settings, "a manifest")?;
    let labels = Labels::new(settings)?;
    let mut rows = Rows::read(path)?;
    let mut notices = Vec::new();
    rows.tell_repeated_columns(&mut notices);
    rows.drop_wide_columns(&mut notices);
    let label_words = std::mem::take(&mut rows.label_words).into_list();
    let split_words = std::mem::take(&mut rows.split_words).into_list();
    let words = label_words.iter().map(String::as_str);
    let words: BTreeSet<&str> = words.filter(|label| !label.is_empty()).collect();
    let judge = Judge {
        meanings: labels.resolve(path, &words, &mut notices)?,
        label_words,
        has_splits: split_words.iter().any(|word| !word.is_empty()),
        split_words,
    };
    let usable = |row: &usize| judge.says(&rows, *row).is_ok();
    let files = Files::of(&rows.paths, (0..rows.len()).filter(usable));
    let columns = rows.groups.iter().map(|column| column.name.clone());
    let mut candidates = Candidates::new(columns.collect(), rows.len());
    let subject_words = std::mem::take(&mut rows.subject_words).into_list();
    let mut skipped = std::mem::take(&mut rows.skipped);
    for row in 0..rows.len() {
        let said = judge.says(&rows, row);
        let said = said.and_then(|said| match files.problem(row) {
            Some(problem) => Err(judge.explain(problem, &rows, row)),
            None => Ok(said),
        });
        match said {
            Ok((class, split)) => candidates.push(Candidate {
                file: row as u32,
                class,
                subject: rows.subjects[row].map(|word| subject_words[word as usize].as_str()),
                split,
                groups: rows.groups.iter().map(|column| column.value(row)),
            }),
            Err((reason, detail)) => {
                let entry = format!("{} row {}", path.display(), rows.numbers[row]);
                skipped.push(Skipped::new(entry, reason, detail));
            }
        }
    }
    let gathered = Gathered {
        name: "a manifest",
        layout: Layout::Manifest,
        labels: labels.describe(),
        files: std::mem::take(&mut rows.paths),
        candidates,
        skipped,
        notices,
    };
    drop(rows);
    gathered.assemble(settings)
}

/// Why a row is left out: the kind of reason, and what exactly is wrong.
type Reason = (&'static str, String);

/// What the words of rows mean.
struct Judge {
    meanings: Meanings,
    /// The labels by their numbers.
    label_words: Vec<String>,
    /// The words for splits by their numbers.
    split_words: Vec<String>,
    has_splits: bool,
}

impl Judge {
    /// The class and the split of a row.
    fn says(&self, rows: &Rows, row: usize) -> Result<(&str, Option<Split>), Reason> {
        let label = &self.label_words[rows.labels[row] as usize];
        let path = || rows.paths.name(row).to_string_lossy();
        let class = match self.meanings.get(label) {
            Some(Ok(class)) => class,
            Some(Err(reason)) => return Err((reason, format!("label `{label}` of {}", path()))),
            None => return Err((reason::UNKNOWN_LABEL, format!("no label for {}", path()))),
        };
        let word = &self.split_words[rows.splits[row] as usize];
        let split = Split::from_word(word);
        if self.has_splits && split.is_none() {
            let detail = format!("`{word}`, expected train, validation or test");
            return Err((reason::UNKNOWN_SPLIT, detail));
        }
        Ok((class, split))
    }

    fn explain(&self, problem: &Problem, rows: &Rows, row: usize) -> Reason {
        match problem {
            Problem::Unusable(reason, detail) => (reason, detail.clone()),
            Problem::Repeats(first) => {
                let class = |row| self.says(rows, row).map_or("", |(class, _)| class);
                let conflict = match (class(*first), class(row)) {
                    (other, own) if other == own => String::new(),
                    (other, own) => format!(" as {other}, and here as {own}"),
                };
                let (path, number) = (rows.paths.display(row), rows.numbers[*first]);
                let detail = format!("{path} stands in row {number}{conflict}");
                (reason::LISTED_TWICE, detail)
            }
        }
    }
}
