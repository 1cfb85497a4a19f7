//! The parts of a face that action units move.

use super::ActionUnit;

/// A part of the face, as the explanations of a prediction name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Region {
    /// The eyebrows, the forehead above them and the furrow between them.
    Brow,
    /// The eyes with their upper and lower lids.
    Eyes,
    /// The nose from its root to the nostrils.
    Nose,
    /// The cheeks and the folds between nose and cheek.
    Cheeks,
    /// The lips, the teeth and the corners of the mouth.
    Mouth,
    /// The lower jaw with the chin.
    Jaw,
}

impl Region {
    /// Every region, from the top of the face to its bottom.
    pub const ALL: [Region; 6] = [
        Region::Brow,
        Region::Eyes,
        Region::Nose,
        Region::Cheeks,
        Region::Mouth,
        Region::Jaw,
    ];

    /// The place of the region in [`Region::ALL`], 0 to 5.
    pub fn index(self) -> usize {
        self as usize
    }

    /// The name people read, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Region::Brow => "brow",
            Region::Eyes => "eyes",
            Region::Nose => "nose",
            Region::Cheeks => "cheeks",
            Region::Mouth => "mouth",
            Region::Jaw => "jaw",
        }
    }

    /// The action units that move this region, in the order of their numbers.
    ///
    /// ```
    /// use fer_data::{ActionUnit, Region};
    ///
    /// let brow: Vec<u8> = Region::Brow.action_units().map(ActionUnit::number).collect();
    /// assert_eq!(brow, [1, 2, 4]);
    /// ```
    pub fn action_units(self) -> impl Iterator<Item = ActionUnit> {
        ActionUnit::ALL
            .into_iter()
            .filter(move |unit| unit.regions().contains(&self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_is_the_place_in_the_list() {
        for (place, region) in Region::ALL.into_iter().enumerate() {
            assert_eq!(region.index(), place);
        }
    }

    #[test]
    fn every_region_is_moved_by_some_unit() {
        for region in Region::ALL {
            assert!(region.action_units().count() > 0, "{}", region.name());
        }
    }
}
