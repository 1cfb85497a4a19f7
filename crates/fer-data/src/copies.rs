//! Pictures that are equal, pixel by pixel.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use rayon::prelude::*;

use crate::dataset::Dataset;
use crate::error::DataError;
use crate::picture::PIXELS;
use crate::skipped::reason;
use crate::split::Split;

impl Dataset {
    /// The groups of pictures that are equal, pixel by pixel: two or more indices each, ascending;
    /// groups in the order of their first picture.
    ///
    /// # Errors
    /// A picture that cannot be read.
    pub fn copies(&self) -> Result<Vec<Vec<usize>>, DataError> {
        let hashes = (0..self.len()).into_par_iter().map(|index| {
            let mut hasher = DefaultHasher::new();
            self.with_pixels(index, |pixels| pixels.hash(&mut hasher))?;
            Ok((hasher.finish(), index as u32))
        });
        let mut hashes = hashes.collect::<Result<Vec<(u64, u32)>, DataError>>()?;
        hashes.par_sort_unstable();
        let mut groups = Vec::new();
        for alike in hashes.chunk_by(|one, other| one.0 == other.0) {
            if alike.len() > 1 {
                let indices = alike.iter().map(|&(_, index)| index as usize);
                groups.extend(self.equal(indices)?);
            }
        }
        groups.sort_unstable();
        Ok(groups)
    }

    /// The groups of equal pictures among those at `indices`, whose hashes are equal.
    fn equal(&self, indices: impl Iterator<Item = usize>) -> Result<Vec<Vec<usize>>, DataError> {
        let mut groups: Vec<(Box<[u8; PIXELS]>, Vec<usize>)> = Vec::new();
        for index in indices {
            let pixels = self.with_pixels(index, |pixels| *pixels)?;
            match groups.iter_mut().find(|(first, _)| **first == pixels) {
                Some((_, group)) => group.push(index),
                None => groups.push((Box::new(pixels), vec![index])),
            }
        }
        let groups = groups.into_iter().map(|(_, group)| group);
        Ok(groups.filter(|group| group.len() > 1).collect())
    }

    /// The pictures of `split` that are equal, pixel by pixel, to some picture of train.
    ///
    /// # Errors
    /// A picture that cannot be read.
    pub fn copies_of_train(&self, split: Split) -> Result<Vec<usize>, DataError> {
        if split == Split::Train {
            return Ok(self.indices(split));
        }
        self.copies_that_are(split, |other| other == Split::Train)
    }

    /// Leaves out of train every picture that is equal, pixel by pixel, to one of validation or
    /// test; they join [`skipped`](Self::skipped).
    ///
    /// # Errors
    /// A picture that cannot be read.
    pub fn drop_copies_from_train(&mut self) -> Result<usize, DataError> {
        let copies = self.copies_that_are(Split::Train, |other| other != Split::Train)?;
        let copies = copies.into_iter().map(|index| (index, reason::COPY));
        let copies: BTreeMap<usize, &str> = copies.collect();
        self.leave_out(&copies);
        Ok(copies.len())
    }

    /// The pictures of `split` that have an equal in another, ascending.
    fn copies_that_are(
        &self,
        split: Split,
        other: impl Fn(Split) -> bool,
    ) -> Result<Vec<usize>, DataError> {
        let split_of = |&index: &usize| self.split(index);
        let mut copies = Vec::new();
        for group in self.copies()? {
            if group.iter().any(|index| other(split_of(index))) {
                copies.extend(group.into_iter().filter(|index| split_of(index) == split));
            }
        }
        copies.sort_unstable();
        Ok(copies)
    }
}
