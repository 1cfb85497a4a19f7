//! Two classifiers on the same pictures.

use fer_data::ClassNames;
use serde::{Deserialize, Serialize};

use super::class_report::LEAST_PICTURES_OF_CLASS;
use super::intervals::resampled;
use super::{Report, macro_f1};
use crate::statistics::{Bootstrap, Interval, McNemar, paired_difference};

/// Two models' figures on the same pictures, and how they differ: the JSON of `evaluate A B
/// --json` and of `comparison.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Name of the split: `train`, `validation`, `test` or `all`; that of the first model that was
    /// trained on these data. Each model's figures name its own: one's test may be another's validation.
    pub split: String,
    /// The number of pictures.
    pub n: u64,
    /// The second less the first.
    pub difference: PairedDifference,
    /// The first model's figures, as `metrics.json` has them.
    pub first: Report,
    /// The second model's.
    pub second: Report,
}

/// How much better the second of two classifiers is than the first on the same pictures: every
/// difference is the second's figure less the first's, in [-1, 1].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairedDifference {
    /// The difference of the accuracies.
    pub accuracy: f64,
    /// Its interval, by Newcombe's method 10; see [`paired_difference`]. Absent over no pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy_interval: Option<Interval>,
    /// Which pictures each gets right, and the test of whether they are equally often right.
    pub mcnemar: McNemar,
    /// The difference of the macro F1.
    pub macro_f1: f64,
    /// Its bootstrap interval: both are judged on the same resamples. Absent over no pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub macro_f1_interval: Option<Interval>,
    /// How the macro F1 was resampled.
    pub bootstrap: Bootstrap,
    /// Class by class, in the models' order.
    pub classes: Vec<ClassDifference>,
}

/// The difference on the pictures of one class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassDifference {
    /// The class's name.
    pub name: String,
    /// The difference of the recalls; 0 where there is no picture of the class.
    pub recall: f64,
    /// Its interval, by Newcombe's method 10. Absent where there is no picture of the class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recall_interval: Option<Interval>,
    /// The number of pictures of the class.
    pub support: u64,
    /// Whether these are fewer than [`LEAST_PICTURES_OF_CLASS`]. In JSON only where they are.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub too_few: bool,
}

impl PairedDifference {
    /// Compares two predictions of the same pictures.
    ///
    /// # Panics
    /// Where the three are not equally long, or a class is not below the number of names.
    pub fn between(
        names: &ClassNames,
        labels: &[usize],
        first: &[usize],
        second: &[usize],
    ) -> Self {
        assert_eq!(labels.len(), first.len(), "number of pictures");
        assert_eq!(labels.len(), second.len(), "number of pictures");
        let triples = labels.iter().zip(first).zip(second);
        let triples: Vec<(usize, usize, usize)> = triples
            .map(|((&label, &first), &second)| (label, first, second))
            .collect();
        let mcnemar = table(triples.iter());
        let (accuracy, accuracy_interval) = paired_difference(&mcnemar).unzip();
        let bootstrap = Bootstrap::default();
        let (macro_f1, macro_f1_interval) = macro_f1_difference(&triples, names.len(), &bootstrap);
        let class = |(class, name): (usize, &str)| {
            let own = triples.iter().filter(|(label, ..)| *label == class);
            class_difference(name, &table(own))
        };
        PairedDifference {
            accuracy: accuracy.unwrap_or(0.0),
            accuracy_interval,
            mcnemar,
            macro_f1,
            macro_f1_interval,
            bootstrap,
            classes: names.iter().enumerate().map(class).collect(),
        }
    }
}

/// Who gets which of these pictures (true, first's, second's class) right.
fn table<'a>(triples: impl Iterator<Item = &'a (usize, usize, usize)>) -> McNemar {
    let mut counts = [[0_u64; 2]; 2];
    for &(label, first, second) in triples {
        counts[usize::from(first != label)][usize::from(second != label)] += 1;
    }
    let [[both_right, only_first], [only_second, both_wrong]] = counts;
    McNemar::new(both_right, only_first, only_second, both_wrong)
}

fn class_difference(name: &str, table: &McNemar) -> ClassDifference {
    let (recall, recall_interval) = paired_difference(table).unzip();
    ClassDifference {
        name: name.to_string(),
        recall: recall.unwrap_or(0.0),
        recall_interval,
        support: table.n(),
        too_few: table.n() < LEAST_PICTURES_OF_CLASS,
    }
}

fn macro_f1_difference(
    triples: &[(usize, usize, usize)],
    classes: usize,
    bootstrap: &Bootstrap,
) -> (f64, Option<Interval>) {
    let first: Vec<(usize, usize)> = triples.iter().map(|it| (it.0, it.1)).collect();
    let second: Vec<(usize, usize)> = triples.iter().map(|it| (it.0, it.2)).collect();
    let difference = |indices: &[usize]| {
        let first = macro_f1(&resampled(&first, classes, indices));
        vec![macro_f1(&resampled(&second, classes, indices)) - first]
    };
    let all: Vec<usize> = (0..triples.len()).collect();
    let intervals = bootstrap.intervals(triples.len(), difference);
    (difference(&all)[0], intervals.first().copied())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn names() -> ClassNames {
        ClassNames::new(["happy", "sad", "fear"]).unwrap()
    }

    /// Forty happy, thirty sad, four of fear. The first errs on every fifth, the second on every tenth.
    fn difference() -> PairedDifference {
        let labels: Vec<usize> = (0..74)
            .map(|it| usize::from(it >= 40) + usize::from(it >= 70))
            .collect();
        let answers = |every: usize| -> Vec<usize> {
            let wrong = |picture: usize| picture.is_multiple_of(every);
            let answer =
                |(picture, &label): (usize, &usize)| (label + usize::from(wrong(picture))) % 3;
            labels.iter().enumerate().map(answer).collect()
        };
        PairedDifference::between(&names(), &labels, &answers(5), &answers(10))
    }

    #[test]
    fn every_difference_is_the_seconds_figure_less_the_firsts() {
        let found = difference();
        let table = found.mcnemar;
        assert_eq!(
            [
                table.both_right,
                table.only_first,
                table.only_second,
                table.both_wrong
            ],
            [59, 0, 7, 8]
        );
        assert!((found.accuracy - 7.0 / 74.0).abs() < 1e-15 && found.macro_f1 > 0.05);
        assert!(found.accuracy_interval.unwrap().low > 0.0);
        assert!(found.macro_f1_interval.unwrap().contains(found.macro_f1));
        let supports: Vec<u64> = found.classes.iter().map(|class| class.support).collect();
        assert_eq!(supports, [40, 30, 4]);
        assert!((found.classes[0].recall - 0.1).abs() < 1e-15);
        assert_eq!(
            found
                .classes
                .iter()
                .map(|it| it.too_few)
                .collect::<Vec<_>>(),
            [false, false, true]
        );
    }

    #[test]
    fn the_same_answers_differ_by_nothing() {
        let labels = [0, 1, 2, 1];
        let found = PairedDifference::between(&names(), &labels, &[0, 1, 1, 1], &[0, 1, 1, 1]);
        assert_eq!((found.accuracy, found.macro_f1), (0.0, 0.0));
        assert_eq!(found.mcnemar.p_value, 1.0);
        let nothing = Interval {
            low: 0.0,
            high: 0.0,
        };
        assert_eq!(found.macro_f1_interval, Some(nothing));
    }

    #[test]
    fn over_no_pictures_there_are_no_intervals_and_the_json_is_read_back() {
        let nothing = PairedDifference::between(&names(), &[], &[], &[]);
        assert_eq!((nothing.accuracy, nothing.accuracy_interval), (0.0, None));
        assert_eq!(nothing.macro_f1_interval, None);
        for found in [nothing, difference()] {
            let written = serde_json::to_string(&found).unwrap();
            assert_eq!(
                serde_json::from_str::<PairedDifference>(&written).unwrap(),
                found
            );
        }
    }
}
