use crate::split::Split;

/// What is known of one picture without decoding it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Position in the [`PictureStore`](crate::PictureStore).
    pub position: usize,
    /// The class, an index into the data set's [`ClassNames`](crate::ClassNames).
    pub label: usize,
    /// The share of each class when several were voted for, summing to 1; `None` means that the
    /// label has all of it.
    pub distribution: Option<Box<[f32]>>,
    /// Whose face it is, where known.
    pub subject: Option<u32>,
    /// The part of the data set.
    pub split: Split,
}

/// Entries column by column: 21 bytes each, and their shares where any has some.
#[derive(Default)]
pub(crate) struct Entries {
    positions: Vec<usize>,
    labels: Vec<u32>,
    /// Empty where no entry has any.
    distributions: Vec<Option<Box<[f32]>>>,
    subjects: Vec<Option<u32>>,
    splits: Vec<Split>,
}

impl Entries {
    /// None yet, with room for so many.
    pub(crate) fn with_capacity(count: usize) -> Self {
        Entries {
            positions: Vec::with_capacity(count),
            labels: Vec::with_capacity(count),
            distributions: Vec::new(),
            subjects: Vec::with_capacity(count),
            splits: Vec::with_capacity(count),
        }
    }

    pub(crate) fn push(&mut self, entry: Entry) {
        if entry.distribution.is_some() && self.distributions.is_empty() {
            self.distributions.resize(self.len(), None);
        }
        if entry.distribution.is_some() || !self.distributions.is_empty() {
            self.distributions.push(entry.distribution);
        }
        self.positions.push(entry.position);
        self.labels.push(entry.label as u32);
        self.subjects.push(entry.subject);
        self.splits.push(entry.split);
    }

    pub(crate) fn len(&self) -> usize {
        self.positions.len()
    }

    pub(crate) fn get(&self, index: usize) -> Entry {
        Entry {
            position: self.position(index),
            label: self.label(index),
            distribution: self.distribution(index).map(Box::from),
            subject: self.subject(index),
            split: self.split(index),
        }
    }

    pub(crate) fn position(&self, index: usize) -> usize {
        self.positions[index]
    }

    pub(crate) fn label(&self, index: usize) -> usize {
        self.labels[index] as usize
    }

    pub(crate) fn labels(&self) -> impl Iterator<Item = usize> + '_ {
        self.labels.iter().map(|&label| label as usize)
    }

    pub(crate) fn distribution(&self, index: usize) -> Option<&[f32]> {
        self.distributions.get(index)?.as_deref()
    }

    pub(crate) fn subject(&self, index: usize) -> Option<u32> {
        self.subjects[index]
    }

    pub(crate) fn split(&self, index: usize) -> Split {
        self.splits[index]
    }

    pub(crate) fn splits(&self) -> &[Split] {
        &self.splits
    }

    pub(crate) fn set_split(&mut self, index: usize, split: Split) {
        self.splits[index] = split;
    }

    /// Gives entry `index` this label in place of its label and its shares.
    pub(crate) fn relabel(&mut self, index: usize, label: usize) {
        self.labels[index] = label as u32;
        if let Some(distribution) = self.distributions.get_mut(index) {
            *distribution = None;
        }
    }

    /// Forgets the entries whose index `stays` says no to.
    pub(crate) fn retain(&mut self, stays: impl Fn(usize) -> bool) {
        retain(&mut self.positions, &stays);
        retain(&mut self.labels, &stays);
        retain(&mut self.distributions, &stays);
        retain(&mut self.subjects, &stays);
        retain(&mut self.splits, &stays);
    }
}

/// Forgets the values at the places that `stays` says no to.
pub(crate) fn retain<T>(values: &mut Vec<T>, stays: impl Fn(usize) -> bool) {
    let mut place = 0;
    values.retain(|_| {
        place += 1;
        stays(place - 1)
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_given_back_as_they_came_also_after_some_are_forgotten() {
        let entry = |position: usize| Entry {
            position: 3 * position,
            label: position % 4,
            distribution: (position % 3 == 2).then(|| [0.25, 0.75].into()),
            subject: (position % 2 == 1).then_some(u32::MAX),
            split: Split::ALL[position % 3],
        };
        let mut entries = Entries::default();
        (0..20).for_each(|position| entries.push(entry(position)));
        assert!((0..20).all(|index| entries.get(index) == entry(index)));
        entries.retain(|index| index % 5 != 0);
        assert_eq!(entries.len(), 16);
        assert_eq!(entries.get(1), entry(2));
        assert_eq!(entries.get(15), entry(19));
        entries.relabel(1, 7);
        assert_eq!((entries.label(1), entries.distribution(1)), (7, None));
    }
}
