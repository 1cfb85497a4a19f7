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

    /// Where the region lies on a face that fills a picture of 48×48, as those of FER2013 do on their
    /// mean: boxes of left, top, right and bottom edge in pixels, right and bottom excluded. Those of
    /// a region and of different ones do not overlap.
    ///
    /// ```
    /// use fer_data::Region;
    ///
    /// let [mouth] = Region::Mouth.boxes() else { panic!("one mouth") };
    /// assert_eq!(mouth[1], 33, "its upper edge");
    /// ```
    pub fn boxes(self) -> &'static [[usize; 4]] {
        match self {
            Region::Brow => &[[8, 10, 24, 16], [24, 10, 40, 16]],
            Region::Eyes => &[[9, 16, 22, 22], [26, 16, 39, 22]],
            Region::Nose => &[[22, 16, 26, 22], [19, 22, 29, 32]],
            Region::Cheeks => &[[8, 22, 19, 33], [29, 22, 40, 33]],
            Region::Mouth => &[[15, 33, 33, 42]],
            Region::Jaw => &[[13, 42, 35, 48]],
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
    fn the_boxes_lie_apart_in_the_picture_and_mirror_each_other() {
        let mut taken = [[false; 48]; 48];
        for &[left, top, right, bottom] in Region::ALL.iter().flat_map(|region| region.boxes()) {
            for row in &mut taken[top..bottom] {
                for pixel in &mut row[left..right] {
                    assert!(!*pixel, "{left} {top} {right} {bottom}");
                    *pixel = true;
                }
            }
        }
        for row in taken {
            assert!((0..48).all(|column| row[column] == row[47 - column]));
        }
    }

    #[test]
    fn every_region_is_moved_by_some_unit() {
        for region in Region::ALL {
            assert!(region.action_units().count() > 0, "{}", region.name());
        }
    }
}
