//! FER2013 as Kaggle publishes it: a csv of `emotion,pixels,Usage`, one face a row
//! (Goodfellow et al. 2013, "Challenges in representation learning").

mod blocks;
mod pixels;
mod table;

use std::collections::BTreeMap;
use std::path::Path;

use crate::dataset::{Dataset, DecodedParts, Origins};
use crate::description::Description;
use crate::entries::{Entries, Entry};
use crate::error::DataError;
use crate::expression::{ClassNames, Expression, Vocabulary};
use crate::skipped::Skipped;
use crate::source::fer2013::table::Table;
use crate::source::ferplus::{self, FerPlusTarget, Verdict, VoteTable};
use crate::source::{Layout, OpenSettings, refuse_labels};
use crate::split::{Split, stratified};

/// What the column `Usage` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Usage {
    Training,
    PublicTest,
    PrivateTest,
}

impl Usage {
    pub(crate) fn parse(word: &[u8]) -> Option<Self> {
        match word.trim_ascii() {
            b"Training" => Some(Usage::Training),
            b"PublicTest" => Some(Usage::PublicTest),
            b"PrivateTest" => Some(Usage::PrivateTest),
            _ => None,
        }
    }
}

/// Opens a fer2013.csv, with FER+ votes where the settings name them.
pub(crate) fn open(path: &Path, settings: &OpenSettings) -> Result<Dataset, DataError> {
    if settings.split.test_fraction.is_some() {
        return Err(DataError::Setting {
            name: "test_fraction",
            value: "set".into(),
            expected: "fer2013.csv brings its own test rows; leave it out",
        });
    }
    refuse_labels(
        settings,
        "fer2013.csv brings its own numbering; leave it out",
    )?;
    let table = Table::read(path, &settings.memory)?;
    let mut skipped = table.malformed;
    let votes = match &settings.ferplus {
        Some(votes) => Some(ferplus::read(votes, path, table.total)?),
        None => None,
    };
    let mut entries = Entries::with_capacity(table.labels.len());
    for (position, (&label, &usage)) in table.labels.iter().zip(&table.usages).enumerate() {
        let row = table.faces.rows[position];
        let leave_out = |reason| Skipped {
            entry: table.faces.origin(position),
            reason,
            detail: String::new(),
        };
        if usage == Usage::PrivateTest && settings.split.validation_fraction.is_some() {
            skipped.push(leave_out(
                "PrivateTest row, while PublicTest is the test split",
            ));
            continue;
        }
        let (label, distribution) = match &votes {
            None => (seven_index(label), None),
            Some(votes) => match votes.judge(row, usage, settings.ferplus_target)? {
                Verdict::Label(label, distribution) => (label, distribution),
                Verdict::LeaveOut(reason) => {
                    skipped.push(leave_out(reason));
                    continue;
                }
            },
        };
        entries.push(Entry {
            position,
            label,
            distribution,
            subject: None,
            split: own_split(usage, settings.split.validation_fraction.is_some()),
        });
    }
    let split_rule = divide(&mut entries, settings);
    let description = Description {
        layout: Some(Layout::Csv),
        labels: match votes {
            Some(_) => "FER+ votes".into(),
            None => format!("fer2013: {}", Vocabulary::Fer2013.numbering()),
        },
        ..Description::default()
    };
    let (majorities, shares) = match &votes {
        Some(votes) => (
            majorities(votes, &table.faces.rows, &entries)?,
            shares(votes, &table.faces.rows, &entries),
        ),
        None => Default::default(),
    };
    let mut dataset = Dataset::decoded(DecodedParts {
        name: if votes.is_some() {
            "FER2013 with FER+ votes".into()
        } else {
            "FER2013".into()
        },
        class_names: class_names(votes.is_some()),
        entries,
        origins: Box::new(table.faces),
        decoded: table.decoded,
        skipped,
        split_rule,
        split_settings: settings.split.clone(),
    })?;
    let mut without = BTreeMap::new();
    for (index, verdict) in majorities {
        match verdict {
            Verdict::Label(label, _) => dataset.relabel(index, label),
            Verdict::LeaveOut(reason) => {
                without.insert(index, reason);
            }
        }
    }
    dataset.leave_out(&without);
    Ok(dataset.with_votes(shares).with_description(description))
}

/// The shares of the votes for each entry that has some, by its position.
fn shares(votes: &VoteTable, rows: &[u64], entries: &Entries) -> BTreeMap<usize, Box<[f32]>> {
    let positions = (0..entries.len()).map(|index| entries.position(index));
    positions
        .filter_map(|position| Some((position, votes.shares(rows[position])?)))
        .collect()
}

/// What the majority says of each of the entries that validate, which the votes judge as they judge
/// test rows, whatever the targets of training are.
fn majorities(
    votes: &VoteTable,
    rows: &[u64],
    entries: &Entries,
) -> Result<Vec<(usize, Verdict)>, DataError> {
    let validates = |&index: &usize| {
        entries.split(index) == Split::Validation && entries.distribution(index).is_some()
    };
    let validation = (0..entries.len()).filter(validates);
    validation
        .map(|index| {
            let row = rows[entries.position(index)];
            let verdict = votes.judge(row, Usage::Training, FerPlusTarget::Majority)?;
            Ok((index, verdict))
        })
        .collect()
}

fn class_names(votes: bool) -> ClassNames {
    if votes {
        Expression::class_names()
    } else {
        Expression::seven_class_names()
    }
}

fn seven_index(label: Expression) -> usize {
    let place = Expression::SEVEN.iter().position(|&other| other == label);
    place.unwrap_or_else(|| unreachable!("FER2013 numbers its seven labels alone"))
}

fn own_split(usage: Usage, validation_is_cut: bool) -> Split {
    match (usage, validation_is_cut) {
        (Usage::Training, _) => Split::Train,
        (Usage::PublicTest, false) => Split::Validation,
        (Usage::PublicTest, true) | (Usage::PrivateTest, _) => Split::Test,
    }
}

/// Cuts a validation part from the training rows where a fraction is asked for.
fn divide(entries: &mut Entries, settings: &OpenSettings) -> String {
    let Some(fraction) = settings.split.validation_fraction else {
        return "the file's own: Training trains, PublicTest validates, PrivateTest tests".into();
    };
    let training: Vec<usize> = (0..entries.len())
        .filter(|&index| entries.split(index) == Split::Train)
        .collect();
    let labels = training.iter().map(|&index| entries.label(index));
    let labels: Vec<usize> = labels.collect();
    let sides = stratified(&labels, settings.split.seed, fraction, 0.0);
    for (index, side) in training.into_iter().zip(sides) {
        entries.set_split(index, side);
    }
    format!("{fraction} of Training validates, stratified by class; PublicTest tests")
}

/// The start of some bytes, safe to print.
fn excerpt(bytes: &[u8]) -> String {
    let start = &bytes[..bytes.len().min(40)];
    String::from_utf8_lossy(start).escape_debug().to_string()
}
