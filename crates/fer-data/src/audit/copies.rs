//! Pictures that are equal, or nearly.

use rayon::prelude::*;
use serde::Serialize;

use super::{Finding, Sides, finding};
use crate::dataset::Dataset;
use crate::error::DataError;
use crate::picture::{DifferenceHash, Picture};
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
            sides.add(dataset.entry(index).split, 1);
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
        let label = |&index: &usize| dataset.entry(index).label;
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
    let pictures = (0..dataset.len()).map(|index| dataset.picture(index));
    let pictures: Vec<&Picture> = pictures.collect::<Result<_, DataError>>()?;
    let hashes: Vec<DifferenceHash> = pictures
        .par_iter()
        .map(|one| one.difference_hash())
        .collect();
    let near = |one: usize, other: usize| {
        hashes[one].distance(hashes[other]) <= DifferenceHash::NEAR
            && pictures[one].is_near_copy(pictures[other])
    };
    let pairs: Vec<(usize, usize)> = (0..pictures.len())
        .into_par_iter()
        .flat_map_iter(|one| {
            let others = one + 1..pictures.len();
            others
                .filter(move |&other| near(one, other))
                .map(move |other| (one, other))
        })
        .collect();
    let mut found = NearCopies::default();
    for (one, other) in pairs {
        let (one, other) = (dataset.entry(one), dataset.entry(other));
        if one.split == other.split {
            found.within += 1;
        } else {
            found.across += 1;
        }
        found.conflicting += usize::from(one.label != other.label);
    }
    Ok(Some(found))
}
