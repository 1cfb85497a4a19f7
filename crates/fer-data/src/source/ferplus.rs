//! FER+: ten people's votes for each row of FER2013 (Barsoum et al. 2016, "Training deep networks
//! for facial expression recognition with crowd-sourced label distribution").
//!
//! The table is joined by row order. The number in its image names is not the row number: it
//! drifts away from it.

use std::path::{Path, PathBuf};

use csv::StringRecord;
use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::expression::Vocabulary;
use crate::regular::open_regular;
use crate::source::fer2013::Usage;
use crate::source::table::{Lines, Rows, unquoted};

const EXPRESSIONS: usize = 8;
/// `Usage` and `Image name`, the expressions, `unknown` and `NF` (not a face).
const FIELDS: usize = 2 + EXPRESSIONS + 2;
const NO_IMAGE: &str = "FER+ names no image (not a face)";
const NO_MAJORITY: &str = "FER+ votes have no majority";
const NOT_AN_EXPRESSION: &str = "FER+ votes say unknown or not a face";

/// How FER+ votes become the targets of training.
///
/// Validation and test always follow [`Majority`](Self::Majority), so figures compare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FerPlusTarget {
    /// One label: the expression with more than half of all votes, after single votes are taken
    /// out; `unknown` and `NF` count as votes, and rows they win are left out. The default.
    #[default]
    Majority,
    /// The shares of the eight expressions after single votes are taken out, for rows where the
    /// expressions together outweigh `unknown` and `NF`.
    Probabilities,
    /// The shares of the eight expressions as voted, single votes included, for rows where any
    /// expression has a vote.
    Votes,
}

/// The votes of one row.
struct Votes {
    usage: Usage,
    named: bool,
    /// Votes for the eight, in class order.
    expressions: [u32; EXPRESSIONS],
    unknown: u32,
    not_a_face: u32,
}

/// What the votes say of a row.
pub(crate) enum Verdict {
    /// Its class, and its target where that is more than the class.
    Label(usize, Option<Box<[f32]>>),
    /// It has no place in the data, for this reason.
    LeaveOut(&'static str),
}

/// A vote file, one row for each row of the pictures.
pub(crate) struct VoteTable {
    path: PathBuf,
    pictures: PathBuf,
    rows: Vec<Votes>,
}

/// Reads the votes at `path` for the `expected` rows of `pictures`.
pub(crate) fn read(path: &Path, pictures: &Path, expected: u64) -> Result<VoteTable, DataError> {
    let (file, _) = open_regular(path).map_err(|source| DataError::Read {
        path: path.to_path_buf(),
        source,
    })?;
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .quoting(false)
        .from_reader(Rows::new(file));
    let table_error = |reason: String| DataError::Table {
        path: path.to_path_buf(),
        reason,
    };
    check_header(
        reader
            .headers()
            .map_err(|error| table_error(error.to_string()))?,
    )
    .map_err(table_error)?;
    let lines = Lines::after_header(&reader);
    let mut rows = Vec::new();
    let mut record = StringRecord::new();
    while rows.len() as u64 <= expected {
        reader.get_mut().next();
        let read = reader.read_record(&mut record);
        if !read.map_err(|error| table_error(error.to_string()))? {
            break;
        }
        let votes = parse(&record).map_err(|reason| DataError::Row {
            path: path.to_path_buf(),
            row: rows.len() as u64 + 1,
            line: lines.of(record.position()),
            reason,
        })?;
        rows.push(votes);
    }
    if rows.len() as u64 != expected {
        return Err(DataError::Join {
            votes: path.to_path_buf(),
            pictures: pictures.to_path_buf(),
            reason: format!(
                "it has {} rows, the pictures have {expected}, and rows are joined by their order",
                match rows.len() as u64 {
                    more if more > expected => "more".to_string(),
                    fewer => fewer.to_string(),
                }
            ),
        });
    }
    Ok(VoteTable {
        path: path.to_path_buf(),
        pictures: pictures.to_path_buf(),
        rows,
    })
}

impl VoteTable {
    /// What the votes say of data row `row` (from 1), whose picture has this `usage`.
    pub(crate) fn judge(
        &self,
        row: u64,
        usage: Usage,
        target: FerPlusTarget,
    ) -> Result<Verdict, DataError> {
        let votes = &self.rows[row as usize - 1];
        if votes.usage != usage {
            return Err(DataError::Join {
                votes: self.path.clone(),
                pictures: self.pictures.clone(),
                reason: format!("row {row} is {:?} there and {usage:?} here", votes.usage),
            });
        }
        if !votes.named {
            return Ok(Verdict::LeaveOut(NO_IMAGE));
        }
        Ok(match (usage, target) {
            (Usage::Training, FerPlusTarget::Probabilities) => votes.without_single().shares(),
            (Usage::Training, FerPlusTarget::Votes) => votes.all_shares(),
            _ => votes.without_single().majority(),
        })
    }

    /// The share of each expression among all votes for one in data row `row` (from 1), single votes
    /// included; none where no expression has a vote.
    pub(crate) fn shares(&self, row: u64) -> Option<Box<[f32]>> {
        self.rows[row as usize - 1].expression_shares()
    }
}

impl Votes {
    fn without_single(&self) -> Votes {
        let keep = |count: u32| if count == 1 { 0 } else { count };
        Votes {
            expressions: self.expressions.map(keep),
            unknown: keep(self.unknown),
            not_a_face: keep(self.not_a_face),
            ..*self
        }
    }

    fn majority(&self) -> Verdict {
        let expressions: u32 = self.expressions.iter().sum();
        let total = expressions + self.unknown + self.not_a_face;
        let has_majority = |count: u32| 2 * count > total;
        if has_majority(self.unknown) || has_majority(self.not_a_face) {
            return Verdict::LeaveOut(NOT_AN_EXPRESSION);
        }
        match self
            .expressions
            .iter()
            .position(|&count| has_majority(count))
        {
            Some(label) => Verdict::Label(label, None),
            None => Verdict::LeaveOut(NO_MAJORITY),
        }
    }

    /// Shares where the expressions outweigh `unknown` and `NF`.
    fn shares(&self) -> Verdict {
        if self.expressions.iter().sum::<u32>() <= self.unknown + self.not_a_face {
            return Verdict::LeaveOut(NOT_AN_EXPRESSION);
        }
        self.all_shares()
    }

    fn expression_shares(&self) -> Option<Box<[f32]>> {
        let total: u32 = self.expressions.iter().sum();
        let shares = self.expressions.map(|count| count as f32 / total as f32);
        (total > 0).then(|| shares.into())
    }

    /// Shares of the expressions; the class is the one with the most votes, the first of equals.
    fn all_shares(&self) -> Verdict {
        let Some(shares) = self.expression_shares() else {
            return Verdict::LeaveOut(NOT_AN_EXPRESSION);
        };
        let most = self.expressions.iter().copied().max().unwrap_or(0);
        let label = self
            .expressions
            .iter()
            .position(|&count| count == most)
            .unwrap_or(0);
        Verdict::Label(label, Some(shares))
    }
}

fn check_header(header: &StringRecord) -> Result<(), String> {
    let found: Vec<String> = header
        .iter()
        .map(|column| column.trim().trim_matches('"').to_lowercase())
        .collect();
    let mut expected = vec!["usage".to_string(), "image name".to_string()];
    let words = [
        "neutral",
        "happiness",
        "surprise",
        "sadness",
        "anger",
        "disgust",
        "fear",
        "contempt",
        "unknown",
        "nf",
    ];
    expected.extend(words.map(String::from));
    if found == expected {
        return Ok(());
    }
    Err(format!(
        "it is no FER+ vote file: its columns are `{}`, expected `{}`",
        found.join(","),
        expected.join(",")
    ))
}

fn parse(record: &StringRecord) -> Result<Votes, String> {
    if record.len() != FIELDS {
        return Err(format!("{} fields, expected {FIELDS}", record.len()));
    }
    let usage = Usage::parse(unquoted(record[0].as_bytes())).ok_or_else(|| {
        format!(
            "unknown Usage `{}`, expected Training, PublicTest or PrivateTest",
            record[0].escape_debug()
        )
    })?;
    let count = |field: usize| {
        let text = record[field].trim().trim_matches('"');
        let parsed = text.parse::<u32>().ok().filter(|&votes| votes <= 1000);
        parsed.ok_or_else(|| {
            format!(
                "vote `{}` in field {}, expected a count",
                text.escape_debug(),
                field + 1
            )
        })
    };
    let mut expressions = [0; EXPRESSIONS];
    for (column, expression) in Vocabulary::FerPlus.order().iter().enumerate() {
        expressions[expression.index()] = count(2 + column)?;
    }
    Ok(Votes {
        usage,
        named: !record[1].trim().trim_matches('"').is_empty(),
        expressions,
        unknown: count(2 + EXPRESSIONS)?,
        not_a_face: count(3 + EXPRESSIONS)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn votes(expressions: [u32; 8], unknown: u32, not_a_face: u32) -> Votes {
        Votes {
            usage: Usage::Training,
            named: true,
            expressions,
            unknown,
            not_a_face,
        }
    }

    #[test]
    fn a_majority_needs_more_than_half_of_what_is_left() {
        let label = |votes: Votes| match votes.without_single().majority() {
            Verdict::Label(label, None) => Ok(label),
            Verdict::Label(_, Some(_)) => Err("shares"),
            Verdict::LeaveOut(reason) => Err(reason),
        };
        assert_eq!(label(votes([0, 0, 0, 0, 6, 4, 0, 0], 0, 0)), Ok(4));
        assert_eq!(
            label(votes([0, 0, 0, 0, 5, 5, 0, 0], 0, 0)),
            Err(NO_MAJORITY)
        );
        assert_eq!(
            label(votes([1, 1, 0, 0, 4, 3, 1, 0], 0, 0)),
            Ok(4),
            "single votes are taken out"
        );
        assert_eq!(
            label(votes([0, 0, 0, 0, 4, 0, 0, 0], 4, 0)),
            Err(NO_MAJORITY),
            "unknown counts"
        );
        assert_eq!(
            label(votes([0, 0, 0, 0, 2, 0, 0, 0], 0, 8)),
            Err(NOT_AN_EXPRESSION)
        );
        assert_eq!(
            label(votes([1, 1, 1, 1, 1, 1, 1, 1], 1, 1)),
            Err(NO_MAJORITY)
        );
    }

    #[test]
    fn shares_lose_single_votes_and_all_votes_keep_them() {
        let row = votes([0, 0, 0, 0, 6, 3, 1, 0], 0, 0);
        let shares = |verdict| match verdict {
            Verdict::Label(_, Some(shares)) => shares.to_vec(),
            _ => Vec::new(),
        };
        assert_eq!(
            shares(row.without_single().shares())[4..7],
            [6.0 / 9.0, 3.0 / 9.0, 0.0]
        );
        assert_eq!(shares(row.all_shares())[4..7], [0.6, 0.3, 0.1]);
        assert!(shares(votes([0, 0, 0, 0, 2, 0, 0, 0], 2, 6).shares()).is_empty());
        assert!(!shares(votes([0, 0, 0, 0, 2, 0, 0, 0], 2, 6).all_shares()).is_empty());
    }
}
