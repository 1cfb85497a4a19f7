//! Whole people on each side, with the classes balanced.

use std::collections::BTreeMap;

use rand::seq::SliceRandom;

use crate::random::stream;
use crate::split::Split;

/// What [`stratified_by_subject`] is to reach.
#[derive(Clone, Copy, Debug)]
pub struct GroupedShares {
    /// Seed of the division.
    pub seed: u64,
    /// Share of the pictures that validate, 0 to below 1.
    pub validation: f64,
    /// Share of the pictures that test, 0 to below 1.
    pub test: f64,
}

/// Divides people so that every picture of a subject falls on the same side and each side has its
/// share of each class, as nearly as whole people allow. A picture whose subject is unknown counts
/// as a person of its own.
///
/// Greedy, as scikit-learn's `StratifiedGroupKFold`: people are shuffled by the seed and taken by
/// falling number of pictures; each goes where it brings the counts nearest to their targets, rare
/// classes weighing as much as frequent ones. Then each side that is asked for and still lacks
/// people, or a class of which train has several people, gets one from train. `None` when there
/// are fewer people than sides.
///
/// # Panics
/// When `subjects` and `labels` differ in length.
pub fn stratified_by_subject(
    subjects: &[Option<u32>],
    labels: &[usize],
    shares: GroupedShares,
) -> Option<Vec<Split>> {
    assert_eq!(subjects.len(), labels.len(), "one label a picture");
    let mut people = People::gather(subjects, labels, shares);
    let sides = Split::ALL.map(|side| shares.of(side) > 0.0);
    let wanted = sides.iter().filter(|&&wanted| wanted).count();
    if people.list.len() < wanted {
        return None;
    }
    people.list.shuffle(&mut stream(shares.seed, "split", 0));
    people
        .list
        .sort_by_key(|person| std::cmp::Reverse(person.members.len()));
    for person in 0..people.list.len() {
        let side = people.nearest_side(person);
        people.put(person, side);
    }
    for side in [Split::Train, Split::Test, Split::Validation] {
        if shares.of(side) > 0.0 {
            people.supply(side);
        }
    }
    let mut result = vec![Split::Train; subjects.len()];
    for person in &people.list {
        for &member in &person.members {
            result[member] = person.side;
        }
    }
    Some(result)
}

impl GroupedShares {
    fn of(self, side: Split) -> f64 {
        match side {
            Split::Train => 1.0 - self.validation - self.test,
            Split::Validation => self.validation,
            Split::Test => self.test,
        }
    }
}

struct Person {
    members: Vec<usize>,
    /// How many pictures of each class.
    counts: Vec<f64>,
    side: Split,
}

struct People {
    list: Vec<Person>,
    /// How many pictures of each class there are.
    totals: Vec<f64>,
    /// How many pictures of each class each side still lacks, in the order of [`Split::ALL`].
    lacking: [Vec<f64>; 3],
    wanted: [bool; 3],
}

impl People {
    fn gather(subjects: &[Option<u32>], labels: &[usize], shares: GroupedShares) -> Self {
        let classes = labels.iter().max().map_or(0, |most| most + 1);
        let mut members: BTreeMap<(Option<u32>, usize), Vec<usize>> = BTreeMap::new();
        for (index, &subject) in subjects.iter().enumerate() {
            let own = if subject.is_none() { index } else { 0 };
            members.entry((subject, own)).or_default().push(index);
        }
        let mut totals = vec![0.0; classes];
        let mut list = Vec::with_capacity(members.len());
        for members in members.into_values() {
            let mut counts = vec![0.0; classes];
            for &member in &members {
                counts[labels[member]] += 1.0;
                totals[labels[member]] += 1.0;
            }
            list.push(Person {
                members,
                counts,
                side: Split::Train,
            });
        }
        People {
            list,
            lacking: Split::ALL.map(|side| {
                let share = shares.of(side);
                totals.iter().map(|total| total * share).collect()
            }),
            wanted: Split::ALL.map(|side| shares.of(side) > 0.0),
            totals,
        }
    }

    /// How much nearer to its targets a side comes by getting a person.
    fn gain(&self, person: usize, side: Split) -> f64 {
        let counts = self.list[person].counts.iter();
        counts
            .zip(&self.lacking[side as usize])
            .zip(&self.totals)
            .filter(|((count, _), _)| **count > 0.0)
            .map(|((count, lacking), total)| count * (2.0 * lacking - count) / total)
            .sum()
    }

    fn nearest_side(&self, person: usize) -> Split {
        let mut best = (Split::Train, f64::NEG_INFINITY);
        for side in Split::ALL {
            let gain = self.gain(person, side);
            if self.wanted[side as usize] && gain > best.1 {
                best = (side, gain);
            }
        }
        best.0
    }

    fn put(&mut self, person: usize, side: Split) {
        let person = &mut self.list[person];
        person.side = side;
        for (lacking, count) in self.lacking[side as usize].iter_mut().zip(&person.counts) {
            *lacking -= count;
        }
    }

    /// Moves somebody to a side that has nobody, and people from train for each class that it lacks.
    fn supply(&mut self, side: Split) {
        if self.on(side).is_empty() {
            self.move_from(self.fullest(), side, |_| true);
        }
        if side == Split::Train {
            return;
        }
        for class in 0..self.totals.len() {
            let has_class = |person: &Person| person.counts[class] > 0.0;
            let has = |side| {
                let on_side = self.on(side).into_iter();
                on_side
                    .filter(|&index| has_class(&self.list[index]))
                    .count()
            };
            if has(side) == 0 && has(Split::Train) > 1 {
                self.move_from(Split::Train, side, has_class);
            }
        }
    }

    fn on(&self, side: Split) -> Vec<usize> {
        let people = 0..self.list.len();
        people
            .filter(|&person| self.list[person].side == side)
            .collect()
    }

    /// The side with the most people.
    fn fullest(&self) -> Split {
        let sides = Split::ALL.into_iter();
        sides
            .max_by_key(|&side| self.on(side).len())
            .unwrap_or(Split::Train)
    }

    /// Moves the person who fits best, unless the side they come from would be left empty.
    fn move_from(&mut self, from: Split, side: Split, fits: impl Fn(&Person) -> bool) {
        let there = self.on(from);
        if there.len() < 2 {
            return;
        }
        let candidates = there.into_iter().filter(|&index| fits(&self.list[index]));
        let best = candidates
            .max_by(|&one, &other| self.gain(one, side).total_cmp(&self.gain(other, side)));
        if let Some(person) = best {
            let counts = self.list[person].counts.iter();
            for (lacking, count) in self.lacking[from as usize].iter_mut().zip(counts) {
                *lacking += count;
            }
            self.put(person, side);
        }
    }
}
