//! Whether groups differ by more than chance makes them.

use std::collections::BTreeMap;

use fer_data::random::stream;
use rand::seq::SliceRandom;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Gaps this near to the one observed count as equal to it: rounding must not decide.
const TOLERANCE: f64 = 1e-12;

/// A permutation test of the gap between groups: group labels are shuffled, and the p-value says how
/// often the gap is then as great as the observed one.
///
/// Ronald A. Fisher: The Design of Experiments (1935); with the observed labels counted among the
/// permutations, (1 + greater or equal) / (1 + permutations), after Belinda Phipson and Gordon K.
/// Smyth: Permutation P-values Should Never Be Zero, SAGMB 9 (2010), as `scipy.stats.permutation_test`
/// has it. Because the gap is the largest among all groups, several groups make no difference look
/// significant by their number; several columns do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermutationTest {
    /// How many permutations are drawn. Default 9,999.
    pub permutations: u64,
    /// Of the streams `permutation` of [`fer_data::random`], one a permutation. Default 0.
    pub seed: u64,
}

impl Default for PermutationTest {
    fn default() -> Self {
        PermutationTest {
            permutations: 9_999,
            seed: 0,
        }
    }
}

/// What may change places: a shuffle must leave together what belongs together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exchanged {
    /// Every picture by itself, where no subject is known.
    Pictures,
    /// Whole subjects: all pictures of one take the label of another, where all pictures of a subject
    /// are in one group. Its pictures resemble each other, so that shuffling them one by one would
    /// find gaps where there are only a few people.
    Subjects,
    /// The pictures of a subject among themselves, where one subject's pictures are in several groups.
    WithinSubjects,
}

impl Exchanged {
    /// What may change places, given the group and the subject of each picture. A picture without a
    /// subject among others with one is a subject of its own.
    ///
    /// # Panics
    /// Where the two are not equally long.
    pub fn among(groups: &[usize], subjects: &[Option<u32>]) -> Self {
        assert_eq!(groups.len(), subjects.len(), "number of pictures");
        if subjects.iter().all(Option::is_none) {
            return Exchanged::Pictures;
        }
        let mut group_of = BTreeMap::new();
        let mut known = subjects
            .iter()
            .zip(groups)
            .filter_map(|(subject, group)| subject.map(|subject| (subject, group)));
        match known.all(|(subject, group)| *group_of.entry(subject).or_insert(group) == group) {
            true => Exchanged::Subjects,
            false => Exchanged::WithinSubjects,
        }
    }
}

/// The greatest gap between groups and how likely chance makes one as great.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GapTest {
    /// The group with the greatest share, the first of several.
    pub highest: usize,
    /// The group with the least share, the first of several.
    pub lowest: usize,
    /// How far their shares are apart, in [0, 1].
    pub difference: f64,
    /// The p-value.
    pub p_value: f64,
    /// What changed places.
    pub exchanged: Exchanged,
}

impl PermutationTest {
    /// Tests the gap between the shares of `right` among groups: picture i is in group `groups[i]` and
    /// shows `subjects[i]`. `None` where there are not two groups. The bits do not depend on the number
    /// of threads.
    ///
    /// # Panics
    /// Where the three are not equally long.
    pub fn gap(
        &self,
        right: &[bool],
        groups: &[usize],
        subjects: &[Option<u32>],
    ) -> Option<GapTest> {
        let observed = gap(right, groups)?;
        let exchanged = Exchanged::among(groups, subjects);
        let labels = Labels::new(groups, subjects, exchanged);
        let permuted: Vec<f64> = (0..self.permutations)
            .into_par_iter()
            .map(|index| gap(right, &labels.shuffled(self.seed, index)))
            .map(|found| found.map_or(0.0, |(_, _, difference)| difference))
            .collect();
        let (highest, lowest, difference) = observed;
        Some(GapTest {
            highest,
            lowest,
            difference,
            p_value: p_value(difference, &permuted),
            exchanged,
        })
    }
}

/// The groups of the greatest and of the least share of `right`, and how far these are apart; `None`
/// where there are not two groups.
///
/// # Panics
/// Where the two are not equally long.
pub fn gap(right: &[bool], groups: &[usize]) -> Option<(usize, usize, f64)> {
    assert_eq!(right.len(), groups.len(), "number of pictures");
    let count = groups.iter().max().map_or(0, |last| last + 1);
    let mut counts = vec![(0_u64, 0_u64); count];
    for (&right, &group) in right.iter().zip(groups) {
        counts[group].0 += u64::from(right);
        counts[group].1 += 1;
    }
    let mut shares = counts.iter().enumerate().filter(|(_, (_, n))| *n > 0);
    let mut shares = shares
        .by_ref()
        .map(|(group, (right, n))| (group, *right as f64 / *n as f64));
    let first = shares.next()?;
    let (mut highest, mut lowest, mut several) = (first, first, false);
    for share in shares {
        several = true;
        if share.1 > highest.1 {
            highest = share;
        }
        if share.1 < lowest.1 {
            lowest = share;
        }
    }
    several.then_some((highest.0, lowest.0, highest.1 - lowest.1))
}

/// The share of permutations whose gap is as great as the observed one or greater, which counts as one
/// of them.
pub fn p_value(observed: f64, permuted: &[f64]) -> f64 {
    let reached = permuted.iter().filter(|&&gap| gap >= observed - TOLERANCE);
    (1 + reached.count()) as f64 / (1 + permuted.len()) as f64
}

/// The groups of pictures, to be shuffled among units (pictures or subjects) within blocks.
struct Labels {
    unit_of_picture: Vec<usize>,
    group_of_unit: Vec<usize>,
    blocks: Vec<Vec<usize>>,
}

impl Labels {
    fn new(groups: &[usize], subjects: &[Option<u32>], exchanged: Exchanged) -> Self {
        let mut numbers = BTreeMap::new();
        let mut strangers = 0_u64;
        let subject_of_picture: Vec<usize> = subjects
            .iter()
            .map(|subject| {
                strangers += u64::from(subject.is_none());
                let own = subject.ok_or(strangers);
                let next = numbers.len();
                *numbers.entry(own).or_insert(next)
            })
            .collect();
        let pictures: Vec<usize> = (0..groups.len()).collect();
        match exchanged {
            Exchanged::Pictures => Labels {
                group_of_unit: groups.to_vec(),
                blocks: vec![pictures.clone()],
                unit_of_picture: pictures,
            },
            Exchanged::Subjects => {
                let mut group_of_unit = vec![0; numbers.len()];
                for (&subject, &group) in subject_of_picture.iter().zip(groups) {
                    group_of_unit[subject] = group;
                }
                Labels {
                    group_of_unit,
                    blocks: vec![(0..numbers.len()).collect()],
                    unit_of_picture: subject_of_picture,
                }
            }
            Exchanged::WithinSubjects => {
                let mut blocks = vec![Vec::new(); numbers.len()];
                for (picture, &subject) in subject_of_picture.iter().enumerate() {
                    blocks[subject].push(picture);
                }
                Labels {
                    group_of_unit: groups.to_vec(),
                    blocks,
                    unit_of_picture: pictures,
                }
            }
        }
    }

    /// The group of each picture after the shuffle of this number.
    fn shuffled(&self, seed: u64, index: u64) -> Vec<usize> {
        let mut stream = stream(seed, "permutation", index);
        let mut groups = self.group_of_unit.clone();
        for block in &self.blocks {
            let mut shuffled: Vec<usize> =
                block.iter().map(|&unit| self.group_of_unit[unit]).collect();
            shuffled.shuffle(&mut stream);
            for (&unit, group) in block.iter().zip(shuffled) {
                groups[unit] = group;
            }
        }
        let units = self.unit_of_picture.iter();
        units.map(|&unit| groups[unit]).collect()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use rayon::ThreadPoolBuilder;

    use super::*;

    const TEST: PermutationTest = PermutationTest {
        permutations: 999,
        seed: 0,
    };

    /// Twenty people of ten pictures each, half of them in each group.
    fn people() -> (Vec<usize>, Vec<Option<u32>>) {
        let groups = (0..200).map(|picture| picture / 100).collect();
        let subjects = (0..200).map(|picture| Some(picture / 10)).collect();
        (groups, subjects)
    }

    #[test]
    fn the_gap_is_between_the_best_and_the_worst_group() {
        let right = [true, true, true, false, false, true];
        assert_eq!(gap(&right, &[2, 2, 0, 0, 3, 3]), Some((2, 0, 0.5)));
        assert_eq!(gap(&right, &[1; 6]), None);
        assert_eq!(gap(&[], &[]), None);
    }

    #[test]
    fn a_true_gap_is_found_and_a_missing_one_is_not() {
        let groups: Vec<usize> = (0..200).map(|picture| picture % 2).collect();
        let strangers = vec![None; 200];
        let better: Vec<bool> = (0..200)
            .map(|picture| picture % 2 == 0 || picture % 3 == 0)
            .collect();
        let found = TEST.gap(&better, &groups, &strangers).unwrap();
        assert_eq!((found.highest, found.lowest), (0, 1));
        assert_eq!(
            (found.p_value, found.exchanged),
            (0.001, Exchanged::Pictures)
        );
        let alike: Vec<bool> = (0..200).map(|picture| picture % 4 < 2).collect();
        assert_eq!(TEST.gap(&alike, &groups, &strangers).unwrap().p_value, 1.0);
    }

    /// Three of ten people of one group are always right and one of the other: picture by picture that
    /// looks like a gap, by people it is none.
    #[test]
    fn whole_people_change_places_where_each_is_in_one_group() {
        let (groups, subjects) = people();
        let right: Vec<bool> = subjects
            .iter()
            .map(|subject| [Some(0), Some(1), Some(2), Some(10)].contains(subject))
            .collect();
        let by_people = TEST.gap(&right, &groups, &subjects).unwrap();
        assert_eq!(by_people.exchanged, Exchanged::Subjects);
        assert!(by_people.p_value > 0.3, "{by_people:?}");
        let by_pictures = TEST.gap(&right, &groups, &[None; 200]).unwrap();
        assert!(by_pictures.p_value < 0.01, "{by_pictures:?}");
        assert_eq!(by_pictures.difference, by_people.difference);
    }

    /// Each person is in both groups, and far more often right in the second.
    #[test]
    fn pictures_change_places_within_people_who_are_in_several_groups() {
        let (_, subjects) = people();
        let groups: Vec<usize> = (0..200).map(|picture| picture % 2).collect();
        let right: Vec<bool> = (0..200)
            .map(|picture| picture % 2 == 1 && picture % 10 > 2)
            .collect();
        let found = TEST.gap(&right, &groups, &subjects).unwrap();
        assert_eq!(found.exchanged, Exchanged::WithinSubjects);
        assert_eq!(found.p_value, 0.001);
        let labels = Labels::new(&groups, &subjects, found.exchanged);
        let shuffled = labels.shuffled(0, 3);
        assert_ne!(shuffled, groups);
        for person in 0..20 {
            let of_person = &shuffled[10 * person..10 * person + 10];
            assert_eq!(of_person.iter().sum::<usize>(), 5, "person {person}");
        }
    }

    #[test]
    fn a_picture_without_a_subject_is_one_of_its_own() {
        let subjects = [Some(4), None, Some(4), None];
        assert_eq!(
            Exchanged::among(&[0, 1, 0, 0], &subjects),
            Exchanged::Subjects
        );
        assert_eq!(
            Exchanged::among(&[0, 1, 1, 0], &subjects),
            Exchanged::WithinSubjects
        );
        let labels = Labels::new(&[0, 1, 0, 0], &subjects, Exchanged::Subjects);
        assert_eq!(labels.unit_of_picture, [0, 1, 0, 2]);
        for index in 0..20 {
            let shuffled = labels.shuffled(1, index);
            assert_eq!(shuffled[0], shuffled[2]);
        }
    }

    #[test]
    fn the_bits_do_not_depend_on_the_number_of_threads() {
        let (groups, subjects) = people();
        let right: Vec<bool> = (0..200).map(|picture| picture % 7 > 2).collect();
        let on = |threads: usize| {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build();
            pool.unwrap()
                .install(|| TEST.gap(&right, &groups, &subjects))
        };
        assert_eq!(on(1), on(3));
    }
}
