//! Classes and confusions in the order of their difficulty.

use serde::{Deserialize, Serialize};

use super::MOST;
use crate::metrics::{ClassReport, Report};

/// With fewer pictures of a class the share of a confusion says nothing: one picture would be more than
/// a tenth.
pub const LEAST_SUPPORT: u64 = 10;

/// A class with its figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RankedClass {
    /// The class's name.
    pub name: String,
    /// Its recall, in [0, 1].
    pub recall: f64,
    /// Its F1, in [0, 1].
    pub f1: f64,
    /// How many pictures it has.
    pub support: u64,
}

/// One class taken for another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Confusion {
    /// The name of the true class.
    pub label: String,
    /// The name of the class that was predicted.
    pub predicted: String,
    /// How many pictures it concerns.
    pub count: u64,
    /// Their share of the true class, in [0, 1].
    pub rate: f64,
    /// How many pictures the true class has.
    pub support: u64,
}

pub(super) fn by_recall(report: &Report) -> Vec<RankedClass> {
    ranked(report, |class| class.score.recall)
}

pub(super) fn by_f1(report: &Report) -> Vec<RankedClass> {
    ranked(report, |class| class.score.f1)
}

/// The classes that have pictures, the lowest first; equals in the order of the classes.
fn ranked(report: &Report, figure: fn(&ClassReport) -> f64) -> Vec<RankedClass> {
    let present = report
        .classes
        .iter()
        .filter(|class| class.score.support > 0);
    let mut classes: Vec<&ClassReport> = present.collect();
    classes.sort_by(|one, other| figure(one).total_cmp(&figure(other)));
    classes
        .into_iter()
        .map(|class| RankedClass {
            name: class.name.clone(),
            recall: class.score.recall,
            f1: class.score.f1,
            support: class.score.support,
        })
        .collect()
}

pub(super) fn by_count(report: &Report) -> Vec<Confusion> {
    let mut confusions = confusions(report);
    // Of two that concern as many pictures, that of the class which has fewer is harder.
    confusions.sort_by(|one, other| {
        let count = other.count.cmp(&one.count);
        count.then(other.rate.total_cmp(&one.rate))
    });
    confusions.truncate(MOST);
    confusions
}

pub(super) fn by_rate(report: &Report) -> Vec<Confusion> {
    let mut confusions = confusions(report);
    confusions.retain(|confusion| confusion.support >= LEAST_SUPPORT);
    confusions.sort_by(|one, other| {
        let rate = other.rate.total_cmp(&one.rate);
        rate.then(other.count.cmp(&one.count))
    });
    confusions.truncate(MOST);
    confusions
}

/// All confusions that occur, in the order of the matrix.
fn confusions(report: &Report) -> Vec<Confusion> {
    let rows = report.classes.iter().zip(report.confusion_matrix.rows());
    rows.enumerate()
        .flat_map(|(truth, (class, row))| {
            let support: u64 = row.iter().sum();
            let others = report.classes.iter().zip(row).enumerate();
            others
                .filter(move |(column, (_, count))| *column != truth && **count > 0)
                .map(move |(_, (predicted, &count))| Confusion {
                    label: class.name.clone(),
                    predicted: predicted.name.clone(),
                    count,
                    rate: count as f64 / support as f64,
                    support,
                })
        })
        .collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use fer_data::ClassNames;

    use super::*;
    use crate::metrics::{ConfusionMatrix, ProbabilityScore};

    /// Rows: angry 10 of 16 right, happy 30 of 34, sad 1 of 4, and a class without pictures.
    fn report() -> Report {
        let rows: [[u64; 4]; 4] = [[10, 2, 4, 0], [0, 30, 4, 0], [0, 3, 1, 0], [0; 4]];
        let mut matrix = ConfusionMatrix::new(4);
        for (truth, row) in rows.iter().enumerate() {
            for (predicted, &count) in row.iter().enumerate() {
                (0..count).for_each(|_| matrix.add(truth, predicted));
            }
        }
        let names = ClassNames::new(["angry", "happy", "sad", "fear"]).unwrap();
        let nothing = ProbabilityScore {
            loss: 0.0,
            ece: 0.0,
        };
        Report::new("test", &names, &matrix, nothing, false)
    }

    fn pairs(confusions: &[Confusion]) -> Vec<(&str, &str, u64)> {
        let pair = |it: &'_ Confusion| (it.count, it.support);
        assert!(
            confusions
                .iter()
                .all(|it| it.rate == pair(it).0 as f64 / pair(it).1 as f64)
        );
        let named = confusions.iter();
        named
            .map(|it| (it.label.as_str(), it.predicted.as_str(), it.count))
            .collect()
    }

    #[test]
    fn classes_stand_from_the_hardest_on_and_one_without_pictures_does_not() {
        let report = report();
        let names = |ranked: Vec<RankedClass>| -> Vec<String> {
            ranked.into_iter().map(|class| class.name).collect()
        };
        assert_eq!(names(by_recall(&report)), ["sad", "angry", "happy"]);
        // F1: sad 2/13, angry 20/26, happy 60/69.
        assert_eq!(names(by_f1(&report)), ["sad", "angry", "happy"]);
        assert_eq!(by_recall(&report)[1].support, 16);
    }

    #[test]
    fn confusions_stand_by_count_and_by_rate_of_classes_that_say_something() {
        let report = report();
        assert_eq!(
            pairs(&by_count(&report)),
            [
                ("angry", "sad", 4),
                ("happy", "sad", 4),
                ("sad", "happy", 3),
                ("angry", "happy", 2)
            ]
        );
        assert_eq!(
            pairs(&by_rate(&report)),
            [
                ("angry", "sad", 4),
                ("angry", "happy", 2),
                ("happy", "sad", 4)
            ]
        );
    }
}
