//! Small changes to training pictures that keep the expression.

mod change;
mod erasing;
mod interpolation;

use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::augmentation::erasing::erase;
use crate::error::DataError;
use crate::picture::PIXELS;
use crate::random::stream;

pub(crate) use change::Change;

/// Which changes are drawn at random for each training picture. Every default is none.
///
/// What a picture gets depends on the seed, the epoch and the picture alone, and on which turn it
/// is where [sampling](crate::Sampling) gives it several.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Augmentation {
    /// Probability of mirroring left and right, 0 to 1. It hides the side of contempt. Default 0.
    pub flip: f32,
    /// Farthest rotation to either side, in degrees, 0 to 180. Default 0.
    pub rotation: f32,
    /// Greatest change of size, as a share: 0.1 draws 0.9 to 1.1. 0 to below 1. Default 0.
    pub scale: f32,
    /// Farthest shift along each axis, as a share of the side, 0 to 1. Default 0.
    pub shift: f32,
    /// Greatest brightness added or taken, on a scale where white is 1. 0 to 1. Default 0.
    pub brightness: f32,
    /// Greatest change of contrast about the picture's mean, as a share: 0.2 draws 0.8 to 1.2. 0 to 1.
    /// Default 0.
    pub contrast: f32,
    /// Probability of erasing a rectangle of 2 % to 25 % of the area, filled with noise
    /// (Zhong et al. 2017, "Random erasing data augmentation"). 0 to 1. Default 0.
    pub erasing: f32,
}

impl Augmentation {
    /// Checks every range.
    ///
    /// # Errors
    /// [`DataError::Setting`], naming the field.
    pub fn check(&self) -> Result<(), DataError> {
        const SHARE: &str = "a share from 0 to 1";
        let ranges = [
            ("augmentation.flip", self.flip, 1.0, SHARE),
            (
                "augmentation.rotation",
                self.rotation,
                180.0,
                "degrees from 0 to 180",
            ),
            (
                "augmentation.scale",
                self.scale,
                0.99,
                "a share from 0 to 0.99",
            ),
            ("augmentation.shift", self.shift, 1.0, SHARE),
            ("augmentation.brightness", self.brightness, 1.0, SHARE),
            ("augmentation.contrast", self.contrast, 1.0, SHARE),
            ("augmentation.erasing", self.erasing, 1.0, SHARE),
        ];
        for (name, value, most, expected) in ranges {
            if !(0.0..=most).contains(&value) {
                return Err(DataError::Setting {
                    name,
                    value: value.to_string(),
                    expected,
                });
            }
        }
        Ok(())
    }

    /// Whether nothing is ever changed.
    pub fn is_none(&self) -> bool {
        *self == Augmentation::default()
    }

    /// Changes `values`, the 2,304 pixels of picture `index` on a scale of 0 to 1, as drawn for
    /// `epoch` under `seed`. [`Batches`](crate::Batches) does this.
    ///
    /// # Panics
    /// When `values` has another length.
    pub fn apply(&self, values: &mut [f32], seed: u64, epoch: u64, index: u64) {
        assert_eq!(values.len(), PIXELS, "a picture has 2,304 values");
        let mut random = stream(seed, "augmentation", (epoch << 32) | index);
        let change = Change::draw(self, &mut random);
        if change.moves() {
            change.warp(values);
        }
        if change.lights() {
            change.light(values);
        }
        if random.random::<f32>() < self.erasing {
            erase(values, &mut random);
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::picture::SIDE;

    fn gradient() -> Vec<f32> {
        (0..PIXELS)
            .map(|place| (place % SIDE) as f32 / 64.0 + (place / SIDE) as f32 / 200.0)
            .collect()
    }

    fn changed(settings: &Augmentation, index: u64) -> Vec<f32> {
        let mut values = gradient();
        settings.apply(&mut values, 5, 2, index);
        values
    }

    #[test]
    fn nothing_asked_for_changes_nothing() {
        assert_eq!(changed(&Augmentation::default(), 0), gradient());
    }

    #[test]
    fn a_flip_mirrors_each_row_exactly() {
        let settings = Augmentation {
            flip: 1.0,
            ..Augmentation::default()
        };
        let flipped = changed(&settings, 0);
        for (row, before) in flipped.chunks(SIDE).zip(gradient().chunks(SIDE)) {
            let mirrored: Vec<f32> = before.iter().rev().copied().collect();
            assert_eq!(row, mirrored);
        }
    }

    #[test]
    fn contrast_spreads_the_values_about_their_mean() {
        let settings = Augmentation {
            contrast: 0.3,
            ..Augmentation::default()
        };
        let mean = |values: &[f32]| values.iter().sum::<f32>() / PIXELS as f32;
        let spread = |values: &[f32]| {
            let mean = mean(values);
            values
                .iter()
                .map(|value| (value - mean).powi(2))
                .sum::<f32>()
                .sqrt()
        };
        let quiet: Vec<f32> = gradient().iter().map(|value| 0.4 + value / 8.0).collect();
        let (mut least, mut most) = (f32::INFINITY, 0.0f32);
        for index in 0..500 {
            let mut values = quiet.clone();
            settings.apply(&mut values, 5, 2, index);
            assert!((mean(&values) - mean(&quiet)).abs() < 1e-4);
            let factor = spread(&values) / spread(&quiet);
            (least, most) = (least.min(factor), most.max(factor));
        }
        assert!(
            (0.699..0.71).contains(&least) && (1.29..1.301).contains(&most),
            "{least} {most}"
        );
    }

    #[test]
    fn erasing_can_reach_every_corner_and_changes_a_bounded_area() {
        let settings = Augmentation {
            erasing: 1.0,
            ..Augmentation::default()
        };
        let before = gradient();
        let mut corners = [false; 4];
        for index in 0..2000 {
            let after = changed(&settings, index);
            let differs = |place: usize| after[place] != before[place];
            let area = (0..PIXELS).filter(|&place| differs(place)).count();
            assert!((20..=700).contains(&area), "{area}");
            for (corner, place) in [0, SIDE - 1, PIXELS - SIDE, PIXELS - 1]
                .into_iter()
                .enumerate()
            {
                corners[corner] |= differs(place);
            }
        }
        assert_eq!(corners, [true; 4]);
    }

    #[test]
    fn a_change_depends_on_seed_epoch_and_picture_and_on_nothing_else() {
        let settings = Augmentation {
            rotation: 20.0,
            ..Augmentation::default()
        };
        let change = |seed, epoch, index| {
            let mut values = gradient();
            settings.apply(&mut values, seed, epoch, index);
            values
        };
        assert_eq!(change(1, 2, 3), change(1, 2, 3));
        assert_ne!(change(1, 2, 3), change(2, 2, 3));
        assert_ne!(change(1, 2, 3), change(1, 3, 3));
        assert_ne!(change(1, 2, 3), change(1, 2, 4));
    }

    #[test]
    fn a_change_that_is_off_leaves_the_numbers_of_the_others_alone() {
        let settings = Augmentation {
            flip: 0.5,
            rotation: 12.0,
            erasing: 1.0,
            ..Augmentation::default()
        };
        // The sums of the pictures as they came out before there was contrast.
        let found: Vec<f32> = (0..4)
            .map(|index| changed(&settings, index).iter().sum::<f32>())
            .collect();
        let expected = [1131.245, 1133.219, 1058.612, 1086.016];
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 0.01, "{found} {expected}");
        }
    }

    #[test]
    fn settings_out_of_range_are_refused_by_name() {
        let settings = Augmentation {
            flip: 1.5,
            ..Augmentation::default()
        };
        assert!(
            settings
                .check()
                .is_err_and(|error| error.to_string().contains("augmentation.flip"))
        );
        for field in ["rotation", "brightness"] {
            let settings: Augmentation =
                serde_json::from_str(&format!(r#"{{"{field}": 181}}"#)).unwrap();
            let error = settings.check().unwrap_err().to_string();
            assert!(error.contains(&format!("augmentation.{field}")), "{error}");
        }
        let settings = Augmentation {
            scale: f32::NAN,
            ..Augmentation::default()
        };
        assert!(settings.check().is_err());
    }
}
