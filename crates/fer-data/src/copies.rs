//! Pictures that are equal, pixel by pixel.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::dataset::Dataset;
use crate::error::DataError;
use crate::picture::Picture;
use crate::skipped::reason;
use crate::split::Split;

impl Dataset {
    /// The groups of pictures that are equal, pixel by pixel: two or more indices each, ascending;
    /// groups in the order of their first picture.
    ///
    /// # Errors
    /// A picture that cannot be read.
    pub fn copies(&self) -> Result<Vec<Vec<usize>>, DataError> {
        let mut places: HashMap<&Picture, usize> = HashMap::new();
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for index in 0..self.len() {
            let place = *places.entry(self.picture(index)?).or_insert(groups.len());
            match groups.get_mut(place) {
                Some(group) => group.push(index),
                None => groups.push(vec![index]),
            }
        }
        groups.retain(|group| group.len() > 1);
        Ok(groups)
    }

    /// The pictures of `split` that are equal, pixel by pixel, to some picture of train.
    ///
    /// # Errors
    /// A picture that cannot be read.
    pub fn copies_of_train(&self, split: Split) -> Result<Vec<usize>, DataError> {
        let train = self.pictures_of(&[Split::Train])?;
        let mut copies = Vec::new();
        for index in self.indices(split) {
            if train.contains(self.picture(index)?) {
                copies.push(index);
            }
        }
        Ok(copies)
    }

    /// Leaves out of train every picture that is equal, pixel by pixel, to one of validation or
    /// test; they join [`skipped`](Self::skipped).
    ///
    /// # Errors
    /// A picture that cannot be read.
    pub fn drop_copies_from_train(&mut self) -> Result<usize, DataError> {
        let judged = self.pictures_of(&[Split::Validation, Split::Test])?;
        let mut copies = BTreeMap::new();
        for index in self.indices(Split::Train) {
            if judged.contains(self.picture(index)?) {
                copies.insert(index, reason::COPY);
            }
        }
        drop(judged);
        self.leave_out(&copies);
        Ok(copies.len())
    }

    fn pictures_of(&self, splits: &[Split]) -> Result<HashSet<&Picture>, DataError> {
        let mut pictures = HashSet::new();
        for index in 0..self.len() {
            if splits.contains(&self.entry(index).split) {
                pictures.insert(self.picture(index)?);
            }
        }
        Ok(pictures)
    }
}
