//! Which pictures train, which choose, and which judge.

mod grouped;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::random::stream;

pub use grouped::{GroupedShares, stratified_by_subject};

/// The part of a data set that a picture belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// Weights are fitted to these.
    Train,
    /// The epoch is chosen on these.
    Validation,
    /// Looked at once, at the end.
    Test,
}

impl Split {
    /// The three, in the order in which a run uses them.
    pub const ALL: [Split; 3] = [Split::Train, Split::Validation, Split::Test];

    /// `train`, `validation` or `test`.
    pub fn name(self) -> &'static str {
        match self {
            Split::Train => "train",
            Split::Validation => "validation",
            Split::Test => "test",
        }
    }

    /// The split that folders and columns mean by `word`: our names and those of FER2013, RAF-DB,
    /// AffectNet and common habit, whatever the letter case and what joins the words.
    ///
    /// ```
    /// use fer_data::Split;
    ///
    /// assert_eq!(Split::from_word("train_set"), Some(Split::Train));
    /// assert_eq!(Split::from_word("PublicTest"), Some(Split::Validation));
    /// assert_eq!(Split::from_word("happy"), None);
    /// ```
    pub fn from_word(word: &str) -> Option<Self> {
        let letters = word.chars().filter(|letter| letter.is_alphanumeric());
        let lower = letters.collect::<String>().to_lowercase();
        let bare = ["set", "split", "data", "images"]
            .iter()
            .find_map(|ending| lower.strip_suffix(ending))
            .unwrap_or(&lower);
        match bare {
            "train" | "training" => Some(Split::Train),
            "validation" | "validate" | "valid" | "val" | "dev" | "publictest" => {
                Some(Split::Validation)
            }
            "test" | "testing" | "privatetest" => Some(Split::Test),
            _ => None,
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Split {
    type Err = DataError;

    fn from_str(word: &str) -> Result<Self, DataError> {
        Split::ALL
            .into_iter()
            .find(|split| split.name() == word)
            .ok_or_else(|| DataError::Setting {
                name: "split",
                value: word.to_string(),
                expected: "train, validation or test",
            })
    }
}

/// The share that validates or tests where none is asked for.
pub(crate) const SHARE: f64 = 0.1;

/// How a data set is to be divided.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SplitSettings {
    /// Seed of the division. Default 0.
    pub seed: u64,
    /// Share of the pictures that validate, 0 to below 1. Default: what the data bring
    /// themselves, else 0.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_fraction: Option<f64>,
    /// Share of the pictures that test, 0 to below 1, for data that bring no split. Default 0.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_fraction: Option<f64>,
}

impl SplitSettings {
    /// Checks that the fractions leave something to train on.
    ///
    /// # Errors
    /// A fraction outside [0, 1), or two that add up to 1 or more.
    pub fn check(&self) -> Result<(), DataError> {
        let fractions = [
            ("validation_fraction", self.validation_fraction),
            ("test_fraction", self.test_fraction),
        ];
        for (name, fraction) in fractions {
            if let Some(value) = fraction.filter(|value| !(0.0..1.0).contains(value)) {
                return Err(DataError::Setting {
                    name,
                    value: value.to_string(),
                    expected: "at least 0 and below 1",
                });
            }
        }
        let sum = self.validation_fraction.unwrap_or(0.0) + self.test_fraction.unwrap_or(0.0);
        if sum >= 1.0 {
            return Err(DataError::Setting {
                name: "validation_fraction + test_fraction",
                value: sum.to_string(),
                expected: "below 1",
            });
        }
        Ok(())
    }

    /// The shares that validate and test of data that bring no split.
    ///
    /// # Errors
    /// Those of [`check`](Self::check), and shares that leave nothing to train on together with the share that
    /// stands in for one not given.
    pub(crate) fn shares(&self) -> Result<(f64, f64), DataError> {
        self.check()?;
        let validation = self.validation_fraction.unwrap_or(SHARE);
        let test = self.test_fraction.unwrap_or(SHARE);
        if validation + test >= 1.0 {
            return Err(DataError::Setting {
                name: "validation_fraction + test_fraction",
                value: (validation + test).to_string(),
                expected: "below 1, where a share that is not given is 0.1",
            });
        }
        Ok((validation, test))
    }
}

/// Divides people: every picture of a subject falls on the same side.
///
/// The subjects are shuffled by `seed`; the first `test` share of them tests, the next
/// `validation` share validates, the rest trains.
pub fn by_subject(subjects: &[u32], seed: u64, validation: f64, test: f64) -> Vec<Split> {
    let mut people: Vec<u32> = subjects.to_vec();
    people.sort_unstable();
    people.dedup();
    people.shuffle(&mut stream(seed, "split", 0));
    let (testing, validating) = (share(people.len(), test), share(people.len(), validation));
    let side: BTreeMap<u32, Split> = people
        .iter()
        .enumerate()
        .map(|(position, &person)| (person, side_at(position, testing, validating)))
        .collect();
    subjects.iter().map(|subject| side[subject]).collect()
}

/// Divides pictures so that each class keeps its share on every side.
///
/// Within each class the pictures are shuffled by `seed`; the first `test` share of them tests,
/// the next `validation` share validates, the rest trains. Each side that is asked for gets at
/// least one picture of a class that has enough for all of them; a class that has fewer trains.
pub fn stratified(labels: &[usize], seed: u64, validation: f64, test: f64) -> Vec<Split> {
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, &label) in labels.iter().enumerate() {
        members.entry(label).or_default().push(index);
    }
    let mut sides = vec![Split::Train; labels.len()];
    for (label, mut indices) in members {
        indices.shuffle(&mut stream(seed, "split", label as u64));
        let (testing, validating) = shares_of_class(indices.len(), validation, test);
        for (position, index) in indices.into_iter().enumerate() {
            sides[index] = side_at(position, testing, validating);
        }
    }
    sides
}

/// How many of a class test and how many validate.
fn shares_of_class(count: usize, validation: f64, test: f64) -> (usize, usize) {
    let sides = 1 + usize::from(validation > 0.0) + usize::from(test > 0.0);
    if count < sides {
        return (0, 0);
    }
    let part = |fraction: f64| share(count, fraction).max(usize::from(fraction > 0.0));
    let (testing, validating) = (part(test), part(validation));
    let excess = (testing + validating + 1).saturating_sub(count);
    if testing > validating {
        (testing - excess, validating)
    } else {
        (testing, validating - excess)
    }
}

fn share(count: usize, fraction: f64) -> usize {
    (count as f64 * fraction).round() as usize
}

fn side_at(position: usize, testing: usize, validating: usize) -> Split {
    if position < testing {
        Split::Test
    } else if position < testing + validating {
        Split::Validation
    } else {
        Split::Train
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn count(sides: &[Split], side: Split) -> usize {
        sides.iter().filter(|&&other| other == side).count()
    }

    #[test]
    fn no_subject_stands_on_two_sides() {
        let subjects: Vec<u32> = (0..1000).map(|index| index / 10).collect();
        let sides = by_subject(&subjects, 3, 0.1, 0.2);
        for person in sides.chunks(10) {
            assert!(person.iter().all(|side| *side == person[0]));
        }
        assert_eq!(count(&sides, Split::Test), 200);
        assert_eq!(count(&sides, Split::Validation), 100);
        assert_ne!(sides, by_subject(&subjects, 4, 0.1, 0.2));
    }

    #[test]
    fn each_class_keeps_its_share() {
        let labels: Vec<usize> = (0..1000)
            .map(|index| usize::from(index % 10 == 0))
            .collect();
        let sides = stratified(&labels, 1, 0.1, 0.1);
        let rare = |side| {
            let pairs = labels.iter().zip(&sides);
            pairs
                .filter(|&(&label, &other)| label == 1 && other == side)
                .count()
        };
        assert_eq!(
            (
                rare(Split::Train),
                rare(Split::Validation),
                rare(Split::Test)
            ),
            (80, 10, 10)
        );
        assert_eq!(sides, stratified(&labels, 1, 0.1, 0.1));
    }

    #[test]
    fn fractions_outside_their_range_are_refused() {
        let settings = |validation, test| SplitSettings {
            validation_fraction: Some(validation),
            test_fraction: Some(test),
            ..SplitSettings::default()
        };
        assert!(settings(0.1, 0.1).check().is_ok());
        assert!(settings(0.0, 0.0).check().is_ok());
        for (validation, test) in [(1.0, 0.0), (-0.1, 0.1), (f64::NAN, 0.1), (0.5, 0.5)] {
            assert!(settings(validation, test).check().is_err());
        }
    }

    #[test]
    fn a_share_that_is_not_given_counts_too() {
        let settings = |validation| SplitSettings {
            validation_fraction: Some(validation),
            ..SplitSettings::default()
        };
        assert_eq!(settings(0.85).shares().unwrap(), (0.85, SHARE));
        assert!(settings(0.95).check().is_ok());
        let said = settings(0.95).shares().unwrap_err().to_string();
        assert!(
            said.contains("validation_fraction + test_fraction = 1.05"),
            "{said}"
        );
    }
}
