//! What is said of the files that may be pictures.

use std::collections::{BTreeMap, BTreeSet};

use crate::description::GroupColumn;
use crate::entries::{Entries, Entry};
use crate::error::DataError;
use crate::expression::ClassNames;
use crate::source::words::Words;
use crate::split::Split;

/// A file that may be a picture, with all that is said of it.
pub(crate) struct Candidate<'a, G> {
    /// Its number among the files; 0 where it is none.
    pub(crate) file: u32,
    /// The name of its class.
    pub(crate) class: &'a str,
    pub(crate) subject: Option<&'a str>,
    pub(crate) split: Option<Split>,
    /// One value for each of the columns.
    pub(crate) groups: G,
}

/// Candidates in their order, packed: 17 bytes each, and four for each column.
pub(crate) struct Candidates {
    files: Vec<u32>,
    class_words: Words,
    classes: Vec<u32>,
    subject_words: Words,
    subjects: Vec<Option<u32>>,
    splits: Vec<Option<Split>>,
    groups: Vec<GroupColumn>,
}

/// Candidates that have become entries.
pub(crate) struct Labelled {
    pub(crate) class_names: ClassNames,
    pub(crate) subject_names: Vec<String>,
    pub(crate) entries: Entries,
    /// Whether each brings its split.
    pub(crate) divided: bool,
    pub(crate) groups: Vec<GroupColumn>,
}

impl Candidates {
    /// None yet, of at most so many, with properties of these names that divide them into groups.
    pub(crate) fn new(columns: Vec<String>, most: usize) -> Self {
        Candidates {
            files: Vec::with_capacity(most),
            class_words: Words::default(),
            classes: Vec::with_capacity(most),
            subject_words: Words::default(),
            subjects: Vec::with_capacity(most),
            splits: Vec::with_capacity(most),
            groups: columns.into_iter().map(GroupColumn::new).collect(),
        }
    }

    pub(crate) fn push<'a>(
        &mut self,
        candidate: Candidate<'a, impl IntoIterator<Item = Option<&'a str>>>,
    ) {
        self.files.push(candidate.file);
        self.classes.push(self.class_words.number(candidate.class));
        let subject = candidate.subject;
        let subject = subject.map(|subject| self.subject_words.number(subject));
        self.subjects.push(subject);
        self.splits.push(candidate.split);
        for (column, value) in self.groups.iter_mut().zip(candidate.groups) {
            column.push(value);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.classes.len()
    }

    /// The number of the file of the one at `place`.
    pub(crate) fn file(&self, place: usize) -> usize {
        self.files[place] as usize
    }

    /// The numbers of all files, which are not needed here any more.
    pub(crate) fn take_files(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.files)
    }

    /// Puts the one at `place` to an earlier place, where it stays.
    pub(crate) fn keep(&mut self, place: usize, earlier: usize) {
        self.files[earlier] = self.files[place];
        self.classes[earlier] = self.classes[place];
        self.subjects[earlier] = self.subjects[place];
        self.splits[earlier] = self.splits[place];
        for column in &mut self.groups {
            column.keep(place, earlier);
        }
    }

    /// Forgets all but the first ones.
    pub(crate) fn truncate(&mut self, count: usize) {
        self.files.truncate(count);
        self.classes.truncate(count);
        self.subjects.truncate(count);
        self.splits.truncate(count);
        for column in &mut self.groups {
            column.truncate(count);
        }
    }

    /// The names of the classes.
    pub(crate) fn classes(&self) -> BTreeSet<String> {
        let names = self.class_words.clone().into_list();
        used(&names, self.classes.iter().copied())
            .into_keys()
            .collect()
    }

    /// Entries with the classes and the subjects that occur, numbered in the order of the bytes of their
    /// names.
    ///
    /// # Errors
    /// Names that are no names of classes.
    pub(crate) fn labelled(self) -> Result<Labelled, DataError> {
        let (class_names, labels) = numbered(self.class_words, self.classes.iter().copied());
        let people = self.subjects.iter().copied().flatten();
        let (subject_names, numbers) = numbered(self.subject_words, people);
        let divided = self.splits.iter().all(Option::is_some);
        let mut entries = Entries::with_capacity(self.classes.len());
        let rows = self.classes.into_iter().zip(self.subjects).zip(self.splits);
        for (position, ((class, subject), split)) in rows.enumerate() {
            entries.push(Entry {
                position,
                label: labels[class as usize] as usize,
                distribution: None,
                subject: subject.map(|subject| numbers[subject as usize]),
                split: split.unwrap_or(Split::Train),
            });
        }
        Ok(Labelled {
            class_names: ClassNames::new(class_names)?,
            subject_names,
            entries,
            divided,
            groups: self.groups,
        })
    }
}

/// The words that are used, sorted, each with its number in `words`.
fn used(words: &[String], numbers: impl Iterator<Item = u32>) -> BTreeMap<String, usize> {
    let mut occurs = vec![false; words.len()];
    numbers.for_each(|number| occurs[number as usize] = true);
    let numbers = (0..words.len()).filter(|&number| occurs[number]);
    numbers
        .map(|number| (words[number].clone(), number))
        .collect()
}

/// The words that are used, sorted, and the place among them of each number.
fn numbered(words: Words, numbers: impl Iterator<Item = u32>) -> (Vec<String>, Vec<u32>) {
    let mut places = vec![0; words.len()];
    let used = used(&words.into_list(), numbers);
    for (place, &number) in (0..).zip(used.values()) {
        places[number] = place;
    }
    (used.into_keys().collect(), places)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_has_its_classes_people_and_groups_and_no_others() {
        let mut candidates = Candidates::new(vec!["age".into()], 5);
        let rows = [
            ("sad", Some("eve"), Some("30")),
            ("lost", Some("nobody"), Some("90")),
            ("happy", None, None),
            ("sad", Some("adam"), Some("30")),
        ];
        for (file, (class, subject, age)) in (10..).zip(rows) {
            candidates.push(Candidate {
                file,
                class,
                subject,
                split: None,
                groups: [age],
            });
        }
        assert_eq!(candidates.classes().len(), 3);
        candidates.keep(0, 0);
        candidates.keep(2, 1);
        candidates.keep(3, 2);
        candidates.truncate(3);
        assert_eq!(candidates.take_files(), [10, 12, 13]);
        let labelled = candidates.labelled().unwrap();
        assert_eq!(
            labelled.class_names.iter().collect::<Vec<_>>(),
            ["happy", "sad"]
        );
        assert_eq!(labelled.subject_names, ["adam", "eve"]);
        let entries = &labelled.entries;
        let rows = (0..3).map(|index| (entries.label(index), entries.subject(index)));
        assert_eq!(
            rows.collect::<Vec<_>>(),
            [(1, Some(1)), (0, None), (1, Some(0))]
        );
        let ages = (0..3).map(|position| labelled.groups[0].value(position));
        assert_eq!(ages.collect::<Vec<_>>(), [Some("30"), None, Some("30")]);
        assert!(!labelled.divided);
    }
}
