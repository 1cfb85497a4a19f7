//! Pictures that are equal, or nearly.

use rayon::prelude::*;
use serde::Serialize;

use super::{Finding, Sides, finding};
use crate::dataset::Dataset;
use crate::error::DataError;
use crate::picture::DifferenceHash;
use crate::split::Split;

/// The most pictures that are held against each other.
const MOST_COMPARED: usize = 50_000;

/// Pictures that are equal to others, pixel by pixel.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Copies {
    /// Pictures of each split beyond the first of their kind in that split.
    pub within: Sides,
    /// Pictures of validation that also stand in train.
    pub validation_in_train: usize,
    /// Pictures of test that also stand in train.
    pub test_in_train: usize,
    /// Pictures of test that also stand in validation.
    pub test_in_validation: usize,
    /// The groups of equal pictures.
    pub groups: usize,
    /// The groups whose pictures have different labels.
    pub conflicting: Vec<Vec<Finding>>,
}

/// Pairs of pictures that are nearly equal: perceptual hashes at most 6 bits apart and a
/// correlation of at least 0.95. Exact copies count as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NearCopies {
    /// Pairs in one split.
    pub within: usize,
    /// Pairs of two splits.
    pub across: usize,
    /// Pairs with different labels.
    pub conflicting: usize,
}

/// Finds the groups of equal pictures.
pub(super) fn exact(dataset: &Dataset) -> Result<Copies, DataError> {
    let groups = dataset.copies()?;
    let mut copies = Copies {
        groups: groups.len(),
        ..Copies::default()
    };
    for group in groups {
        let mut sides = Sides::default();
        for &index in &group {
            sides.add(dataset.split(index), 1);
        }
        for split in Split::ALL {
            copies.within.add(split, sides.of(split).saturating_sub(1));
        }
        if sides.train > 0 {
            copies.validation_in_train += sides.validation;
            copies.test_in_train += sides.test;
        }
        if sides.validation > 0 {
            copies.test_in_validation += sides.test;
        }
        let label = |&index: &usize| dataset.label(index);
        if group.iter().any(|index| label(index) != label(&group[0])) {
            let pictures = group.iter().map(|&index| finding(dataset, index));
            copies.conflicting.push(pictures.collect());
        }
    }
    Ok(copies)
}

/// Finds the pairs of nearly equal pictures.
pub(super) fn near(dataset: &Dataset) -> Result<Option<NearCopies>, DataError> {
    if dataset.len() > MOST_COMPARED {
        return Ok(None);
    }
    let indices = (0..dataset.len()).into_par_iter();
    let hashes = indices
        .clone()
        .map(|index| Ok(dataset.picture(index)?.difference_hash()));
    let hashes = hashes.collect::<Result<Vec<DifferenceHash>, DataError>>()?;
    let pairs = indices.map(|one| near_to(dataset, &hashes, one));
    let pairs = pairs.collect::<Result<Vec<Vec<(usize, usize)>>, DataError>>()?;
    let mut found = NearCopies::default();
    for (one, other) in pairs.into_iter().flatten() {
        if dataset.split(one) == dataset.split(other) {
            found.within += 1;
        } else {
            found.across += 1;
        }
        found.conflicting += usize::from(dataset.label(one) != dataset.label(other));
    }
    Ok(Some(found))
}

/// The pairs of picture `one` and those after it that are nearly equal to it.
fn near_to(
    dataset: &Dataset,
    hashes: &[DifferenceHash],
    one: usize,
) -> Result<Vec<(usize, usize)>, DataError> {
    let near = |other: &usize| hashes[one].distance(hashes[*other]) <= DifferenceHash::NEAR;
    let mut others = (one + 1..hashes.len()).filter(near).peekable();
    let mut pairs = Vec::new();
    if others.peek().is_some() {
        let picture = dataset.picture(one)?;
        for other in others {
            if picture.is_near_copy(&dataset.picture(other)?) {
                pairs.push((one, other));
            }
        }
    }
    Ok(pairs)
}
