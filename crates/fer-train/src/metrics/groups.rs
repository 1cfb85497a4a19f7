//! Figures by group of people: age, gender, country or whatever the data say of their pictures.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::intervals::ScoreIntervals;
use super::{ConfusionMatrix, macro_f1};
use crate::statistics::{Bootstrap, Exchanged, Interval, PermutationTest, wilson};

/// A group of fewer pictures than this gets no figures: they would say more of chance than of it.
pub const LEAST_PICTURES_OF_GROUP: u64 = 30;

/// The figures of the groups that one column of the data makes, and the greatest gap between them.
///
/// Where one person gave many pictures the intervals are too narrow, because they take pictures for
/// independent; the test of the gap heeds that.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupReport {
    /// The column's name, such as `age`.
    pub column: String,
    /// Its groups, by number where all are numbers, else by name.
    pub groups: Vec<Group>,
    /// Pictures of which the column says nothing.
    pub unknown: u64,
    /// The greatest gap; absent where fewer than two groups have figures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<GroupGap>,
}

/// The pictures of one value of a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// The value.
    pub value: String,
    /// The number of pictures.
    pub n: u64,
    /// Whether there are fewer than [`LEAST_PICTURES_OF_GROUP`], and so no figures. In JSON only where
    /// there are.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub too_few: bool,
    /// Its figures, in JSON beside the others; absent where there are too few pictures.
    #[serde(flatten)]
    pub figures: Option<GroupFigures>,
}

/// How well one group is named.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupFigures {
    /// The share of its pictures taken for what they are, in [0, 1].
    pub accuracy: f64,
    /// The Wilson interval of the accuracy.
    pub accuracy_interval: Interval,
    /// See [`macro_f1`]: over the classes that this group's pictures have or are taken for, so that
    /// groups with other classes have other means.
    pub macro_f1: f64,
    /// The bootstrap interval of the macro F1.
    pub macro_f1_interval: Interval,
}

/// The greatest difference of accuracy between groups that have figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupGap {
    /// The group with the greatest accuracy.
    pub highest: String,
    /// The group with the least.
    pub lowest: String,
    /// How far they are apart, in [0, 1].
    pub accuracy_difference: f64,
    /// How likely so great a gap is where no group is named better than another; see
    /// [`PermutationTest`].
    pub p_value: f64,
    /// What changed places in the test.
    pub exchanged: Exchanged,
    /// How many permutations, from which seed.
    #[serde(flatten)]
    pub test: PermutationTest,
}

/// What there is to know of judged pictures, one value a picture.
#[derive(Clone, Copy, Debug)]
pub struct JudgedPictures<'a> {
    /// The true classes, below `classes`.
    pub labels: &'a [usize],
    /// The predicted classes, below `classes`.
    pub predicted: &'a [usize],
    /// The subjects, where known.
    pub subjects: &'a [Option<u32>],
    /// The number of classes.
    pub classes: usize,
}

impl GroupReport {
    /// The figures by the values of a column, `values[i]` that of picture i.
    ///
    /// # Panics
    /// Where not all are equally long, or a class is not below the number of classes.
    pub fn new(column: &str, values: &[Option<&str>], judged: JudgedPictures<'_>) -> Self {
        assert_eq!(values.len(), judged.labels.len(), "number of pictures");
        let mut members: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (picture, value) in values.iter().enumerate() {
            if let Some(value) = value {
                members.entry(value).or_default().push(picture);
            }
        }
        let mut members: Vec<(&str, Vec<usize>)> = members.into_iter().collect();
        sort_numbers(&mut members);
        let known: usize = members.iter().map(|(_, pictures)| pictures.len()).sum();
        let groups = members
            .iter()
            .map(|(value, pictures)| group(value, pictures, judged));
        GroupReport {
            column: column.to_string(),
            groups: groups.collect(),
            unknown: (values.len() - known) as u64,
            gap: gap(&members, judged),
        }
    }
}

fn sort_numbers(members: &mut [(&str, Vec<usize>)]) {
    let number = |value: &str| value.parse::<f64>().ok();
    if members.iter().all(|(value, _)| number(value).is_some()) {
        members.sort_by(|(one, _), (other, _)| {
            let (one, other) = (number(one), number(other));
            one.partial_cmp(&other).unwrap_or(std::cmp::Ordering::Equal)
        });
    }
}

fn has_figures(pictures: &[usize]) -> bool {
    pictures.len() as u64 >= LEAST_PICTURES_OF_GROUP
}

fn group(value: &str, pictures: &[usize], judged: JudgedPictures<'_>) -> Group {
    let figures = has_figures(pictures).then(|| figures(pictures, judged));
    Group {
        value: value.to_string(),
        n: pictures.len() as u64,
        too_few: figures.is_none(),
        figures: figures.flatten(),
    }
}

fn figures(pictures: &[usize], judged: JudgedPictures<'_>) -> Option<GroupFigures> {
    let mut matrix = ConfusionMatrix::new(judged.classes);
    for &picture in pictures {
        matrix.add(judged.labels[picture], judged.predicted[picture]);
    }
    Some(GroupFigures {
        accuracy: matrix.accuracy(),
        accuracy_interval: wilson(matrix.correct(), matrix.total())?,
        macro_f1: macro_f1(&matrix),
        macro_f1_interval: ScoreIntervals::new(&matrix, &Bootstrap::default())?.macro_f1,
    })
}

fn gap(members: &[(&str, Vec<usize>)], judged: JudgedPictures<'_>) -> Option<GroupGap> {
    let (mut names, mut right) = (Vec::new(), Vec::new());
    let (mut groups, mut subjects) = (Vec::new(), Vec::new());
    for (value, pictures) in members.iter().filter(|(_, it)| has_figures(it)) {
        for &picture in pictures {
            right.push(judged.labels[picture] == judged.predicted[picture]);
            groups.push(names.len());
            subjects.push(judged.subjects[picture]);
        }
        names.push(*value);
    }
    let test = PermutationTest::default();
    let found = test.gap(&right, &groups, &subjects)?;
    Some(GroupGap {
        highest: names[found.highest].to_string(),
        lowest: names[found.lowest].to_string(),
        accuracy_difference: found.difference,
        p_value: found.p_value,
        exchanged: found.exchanged,
        test,
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// Forty pictures of `old`, all right; forty of `young`, every second right; five of `9`, one
    /// without a value.
    fn report() -> GroupReport {
        let mut values = vec![Some("old"); 40];
        values.extend([Some("young"); 40]);
        values.extend([Some("9"); 5]);
        values.push(None);
        let labels: Vec<usize> = (0..86).map(|picture| picture % 4 / 2).collect();
        let predicted: Vec<usize> = (0..86)
            .map(|picture| match picture < 40 || picture % 2 == 0 {
                true => labels[picture],
                false => 1 - labels[picture],
            })
            .collect();
        let judged = JudgedPictures {
            labels: &labels,
            predicted: &predicted,
            subjects: &[None; 86],
            classes: 2,
        };
        GroupReport::new("age", &values, judged)
    }

    #[test]
    fn groups_have_figures_of_their_own_and_small_ones_none() {
        let report = report();
        assert_eq!((report.column.as_str(), report.unknown), ("age", 1));
        let [nine, old, young] = report.groups.as_slice() else {
            panic!("{report:?}");
        };
        assert_eq!((nine.n, nine.too_few, nine.figures), (5, true, None));
        let old = old.figures.unwrap();
        assert_eq!((old.accuracy, old.macro_f1), (1.0, 1.0));
        let young = young.figures.unwrap();
        assert_eq!((young.accuracy, young.macro_f1), (0.5, 0.5));
        assert!(young.accuracy_interval.contains(0.4) && !young.accuracy_interval.contains(0.3));
        assert!(young.macro_f1_interval.contains(0.5));
    }

    #[test]
    fn the_gap_is_between_groups_that_have_figures() {
        let gap = report().gap.unwrap();
        assert_eq!(
            (gap.highest.as_str(), gap.lowest.as_str()),
            ("old", "young")
        );
        assert_eq!(gap.accuracy_difference, 0.5);
        assert_eq!(gap.p_value, 1.0 / 10_000.0);
        assert_eq!(gap.exchanged, Exchanged::Pictures);
    }

    #[test]
    fn json_gives_a_refused_group_without_figures_and_is_read_back() {
        let report = report();
        let written = serde_json::to_string(&report).unwrap();
        assert!(
            written.starts_with(
                r#"{"column":"age","groups":[{"value":"9","n":5,"too_few":true},{"value":"old","n":40,"accuracy":1.0,"#
            ),
            "{written}"
        );
        assert!(
            written.ends_with(
                r#""p_value":0.0001,"exchanged":"pictures","permutations":9999,"seed":0}}"#
            ),
            "{written}"
        );
        assert_eq!(
            serde_json::from_str::<GroupReport>(&written).unwrap(),
            report
        );
    }

    #[test]
    fn numbers_stand_in_their_order() {
        let values = [Some("10"), Some("9"), Some("100")];
        let judged = JudgedPictures {
            labels: &[0; 3],
            predicted: &[0; 3],
            subjects: &[None; 3],
            classes: 1,
        };
        let report = GroupReport::new("age", &values, judged);
        let values: Vec<&str> = report.groups.iter().map(|it| it.value.as_str()).collect();
        assert_eq!(values, ["9", "10", "100"]);
        assert_eq!(report.gap, None);
    }
}
