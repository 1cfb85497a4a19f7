//! What a data set is, and what is wrong with it.

mod copies;
mod files;
mod findings;

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;

use crate::dataset::Dataset;
use crate::error::DataError;
use crate::notice::Notice;
use crate::skipped::{Skipped, count_by_reason};
use crate::split::Split;

pub use copies::{Copies, NearCopies};
pub use files::Files;

/// Everything that can be said of a data set before a network has seen it.
#[derive(Clone, Debug, Serialize)]
pub struct Audit {
    /// What people call the data.
    pub name: String,
    /// SHA-256 of the data, as [`Dataset::hash`].
    pub data_hash: String,
    /// SHA-256 of which picture stands in which split, as [`Dataset::division_hash`].
    pub division_hash: String,
    /// How it lies: `classes`, `people`, `csv` or `manifest`; none for data that come from no path.
    pub layout: Option<String>,
    /// Where the meaning of the labels comes from.
    pub vocabulary: String,
    /// How the splits came about.
    pub split_rule: String,
    /// Pictures that can be used, in all splits.
    pub pictures: usize,
    /// Pictures that can be used, by split.
    pub splits: Sides,
    /// Each class, in class order.
    pub classes: Vec<ClassCount>,
    /// Each subject in the order of their numbers; empty where none is known.
    pub subjects: Vec<SubjectCount>,
    /// Pictures by each value of each further property.
    pub groups: Vec<GroupCount>,
    /// What the picture files are; none for data that are no picture files.
    pub files: Option<Files>,
    /// Pictures that are equal, pixel by pixel.
    pub copies: Copies,
    /// Pictures that are nearly equal; none for more than 50,000 pictures, where each would have to
    /// be held against each other.
    pub near_copies: Option<NearCopies>,
    /// Pictures of a single grey.
    pub flat: Vec<Finding>,
    /// Pictures that are not flat and of which 99 of 100 values are below 16.
    pub nearly_black: Vec<Finding>,
    /// How many entries were left out, by reason.
    pub skipped_by_reason: BTreeMap<String, usize>,
    /// The entries that were left out.
    pub skipped: Vec<Skipped>,
    /// How the data were understood.
    pub notes: Vec<Notice>,
    /// What spoils training or judging, and how to mend it.
    pub warnings: Vec<Notice>,
}

/// A number for each split.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub struct Sides {
    pub train: usize,
    pub validation: usize,
    pub test: usize,
}

impl Sides {
    /// The number of one split.
    pub fn of(&self, split: Split) -> usize {
        match split {
            Split::Train => self.train,
            Split::Validation => self.validation,
            Split::Test => self.test,
        }
    }

    fn add(&mut self, split: Split, count: usize) {
        match split {
            Split::Train => self.train += count,
            Split::Validation => self.validation += count,
            Split::Test => self.test += count,
        }
    }
}

/// How often a class occurs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClassCount {
    /// The class.
    pub name: String,
    /// Its pictures.
    pub pictures: Sides,
}

/// How often a person occurs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SubjectCount {
    /// The person.
    pub name: String,
    /// Their pictures.
    pub pictures: Sides,
    /// The classes that their pictures are of.
    pub classes: usize,
}

/// How often each value of a property occurs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GroupCount {
    /// The property.
    pub name: String,
    /// Pictures by value.
    pub values: BTreeMap<String, usize>,
    /// Pictures of which the value is not known.
    pub unknown: usize,
}

/// One picture that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What a person would call it: a path, or a row of a file.
    pub picture: String,
    /// Its class.
    pub class: String,
    /// Its split.
    pub split: Split,
}

/// Looks through a whole data set.
///
/// # Errors
/// A picture that cannot be read.
pub fn audit(dataset: &Dataset) -> Result<Audit, DataError> {
    let near_copies = copies::near(dataset)?;
    gather(dataset, near_copies)
}

/// The same without the search for near copies, which takes its time.
///
/// # Errors
/// A picture that cannot be read.
pub fn without_near_copies(dataset: &Dataset) -> Result<Audit, DataError> {
    gather(dataset, None)
}

fn gather(dataset: &Dataset, near_copies: Option<NearCopies>) -> Result<Audit, DataError> {
    let description = dataset.description();
    let indices = 0..dataset.len();
    let greys: Vec<(bool, bool)> = indices
        .into_par_iter()
        .map(|index| {
            let picture = dataset.picture(index)?;
            Ok((picture.is_flat(), picture.is_nearly_black()))
        })
        .collect::<Result<_, DataError>>()?;
    let found = |wanted: &dyn Fn(&(bool, bool)) -> bool| {
        let indices = (0..dataset.len()).filter(|&index| wanted(&greys[index]));
        indices.map(|index| finding(dataset, index)).collect()
    };
    let mut audit = Audit {
        name: dataset.name().to_string(),
        data_hash: dataset.hash().to_string(),
        division_hash: dataset.division_hash(),
        layout: description.layout.map(|layout| layout.to_string()),
        vocabulary: description.labels.clone(),
        split_rule: dataset.split_rule().to_string(),
        pictures: dataset.len(),
        splits: Sides::default(),
        classes: classes(dataset),
        subjects: subjects(dataset),
        groups: groups(dataset),
        files: files::of(dataset),
        copies: copies::exact(dataset)?,
        near_copies,
        flat: found(&|&(flat, _)| flat),
        nearly_black: found(&|&(flat, black)| black && !flat),
        skipped_by_reason: count_by_reason(dataset.skipped())
            .into_iter()
            .map(|(reason, count)| (reason.to_string(), count))
            .collect(),
        skipped: dataset.skipped().to_vec(),
        notes: Vec::new(),
        warnings: Vec::new(),
    };
    for class in &audit.classes {
        for split in Split::ALL {
            audit.splits.add(split, class.pictures.of(split));
        }
    }
    let warnings = findings::warnings(&audit, dataset.notices());
    (audit.notes, audit.warnings) = warnings;
    Ok(audit)
}

fn finding(dataset: &Dataset, index: usize) -> Finding {
    let entry = dataset.entry(index);
    Finding {
        picture: dataset.origin(index),
        class: dataset.class_names().name(entry.label).to_string(),
        split: entry.split,
    }
}

fn classes(dataset: &Dataset) -> Vec<ClassCount> {
    let counts = Split::ALL.map(|split| dataset.counts(split));
    let names = dataset.class_names().iter().enumerate();
    names
        .map(|(label, name)| ClassCount {
            name: name.to_string(),
            pictures: Sides {
                train: counts[0][label],
                validation: counts[1][label],
                test: counts[2][label],
            },
        })
        .collect()
}

fn subjects(dataset: &Dataset) -> Vec<SubjectCount> {
    let mut people: BTreeMap<u32, (Sides, Vec<bool>)> = BTreeMap::new();
    for index in 0..dataset.len() {
        let entry = dataset.entry(index);
        if let Some(subject) = entry.subject {
            let none = || (Sides::default(), vec![false; dataset.class_names().len()]);
            let person = people.entry(subject).or_insert_with(none);
            person.0.add(entry.split, 1);
            person.1[entry.label] = true;
        }
    }
    let people = people.into_iter();
    people
        .map(|(subject, (pictures, classes))| SubjectCount {
            name: dataset.subject_name(subject),
            pictures,
            classes: classes.into_iter().filter(|&shown| shown).count(),
        })
        .collect()
}

fn groups(dataset: &Dataset) -> Vec<GroupCount> {
    let columns = dataset.description().groups.iter();
    columns
        .map(|column| {
            let mut count = GroupCount {
                name: column.name.clone(),
                values: BTreeMap::new(),
                unknown: 0,
            };
            for index in 0..dataset.len() {
                match dataset.group(&column.name, index) {
                    Some(value) => *count.values.entry(value.to_string()).or_default() += 1,
                    None => count.unknown += 1,
                }
            }
            count
        })
        .collect()
}
