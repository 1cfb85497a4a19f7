//! Small changes to training pictures that keep the expression.

mod sampling;

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use crate::augmentation::sampling::bilinear;
use crate::error::DataError;
use crate::picture::{PIXELS, SIDE};
use crate::random::stream;

/// Which changes are drawn at random for each training picture. Every default is none.
///
/// What a picture gets depends on the seed, the epoch and the picture alone.
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
        let ranges = [
            ("augmentation.flip", self.flip, 1.0),
            ("augmentation.rotation", self.rotation, 180.0),
            ("augmentation.scale", self.scale, 0.99),
            ("augmentation.shift", self.shift, 1.0),
            ("augmentation.brightness", self.brightness, 1.0),
            ("augmentation.contrast", self.contrast, 1.0),
            ("augmentation.erasing", self.erasing, 1.0),
        ];
        for (name, value, most) in ranges {
            if !(0.0..=most).contains(&value) {
                return Err(DataError::Setting {
                    name,
                    value: value.to_string(),
                    expected: "a share from 0 to 1 (rotation: degrees from 0 to 180)",
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
    /// `epoch` under `seed`.
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

/// One drawn change: angles in radians, shifts in pixels.
#[derive(Debug)]
struct Change {
    mirrored: bool,
    angle: f32,
    size: f32,
    shift: [f32; 2],
    brightness: f32,
    contrast: f32,
}

impl Change {
    fn draw(settings: &Augmentation, random: &mut impl Rng) -> Self {
        let mut within = |most: f32| most * (2.0 * random.random::<f32>() - 1.0);
        let angle = within(settings.rotation).to_radians();
        let size = 1.0 + within(settings.scale);
        let shift = [(); 2].map(|()| within(settings.shift) * SIDE as f32);
        let brightness = within(settings.brightness);
        let contrast = match settings.contrast {
            0.0 => 1.0,
            most => 1.0 + within(most),
        };
        let mirrored = random.random::<f32>() < settings.flip;
        Change {
            mirrored,
            angle,
            size,
            shift,
            brightness,
            contrast,
        }
    }

    fn lights(&self) -> bool {
        self.brightness != 0.0 || self.contrast != 1.0
    }

    /// Spreads the values about their mean, then adds the brightness.
    fn light(&self, values: &mut [f32]) {
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        let shift = mean - mean * self.contrast + self.brightness;
        for value in values {
            *value = (*value * self.contrast + shift).clamp(0.0, 1.0);
        }
    }

    fn moves(&self) -> bool {
        self.mirrored || self.angle != 0.0 || self.size != 1.0 || self.shift != [0.0; 2]
    }

    /// Moves the picture about its centre, between pixels by bilinear weights, beyond the edge by
    /// reflection.
    fn warp(&self, values: &mut [f32]) {
        let source = values.to_vec();
        let centre = (SIDE as f32 - 1.0) / 2.0;
        let (sine, cosine) = self.angle.sin_cos();
        for (place, value) in values.iter_mut().enumerate() {
            let x = (place % SIDE) as f32 - centre - self.shift[0];
            let y = (place / SIDE) as f32 - centre - self.shift[1];
            let across = (cosine * x + sine * y) / self.size;
            let down = (cosine * y - sine * x) / self.size;
            let across = if self.mirrored { -across } else { across };
            *value = bilinear(&source, across + centre, down + centre);
        }
    }
}

fn erase(values: &mut [f32], random: &mut impl Rng) {
    let area = PIXELS as f32 * random.random_range(0.02..=0.25f32);
    let aspect = random.random_range(0.3f32.ln()..=3.3f32.ln()).exp();
    let side = |length: f32| (length.round() as usize).clamp(1, SIDE);
    let (height, width) = (side((area * aspect).sqrt()), side((area / aspect).sqrt()));
    let top = random.random_range(0..=SIDE - height);
    let left = random.random_range(0..=SIDE - width);
    for row in values.chunks_exact_mut(SIDE).skip(top).take(height) {
        row[left..left + width].fill_with(|| random.random());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn each_draw_reaches_its_whole_range_and_no_farther() {
        let settings = Augmentation {
            rotation: 12.0,
            scale: 0.2,
            shift: 0.1,
            brightness: 0.3,
            flip: 0.5,
            ..Augmentation::default()
        };
        let changes: Vec<Change> = (0..4000)
            .map(|index| Change::draw(&settings, &mut stream(1, "test", index)))
            .collect();
        let reaches = |values: Vec<f32>, low: f32, high: f32| {
            let least = values.iter().copied().fold(f32::INFINITY, f32::min);
            let most = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let margin = 0.01 * (high - low);
            assert!(
                low - 1e-6 <= least && least < low + margin,
                "{least} against {low}"
            );
            assert!(
                high - margin < most && most <= high + 1e-6,
                "{most} against {high}"
            );
        };
        reaches(
            changes
                .iter()
                .map(|change| change.angle.to_degrees())
                .collect(),
            -12.0,
            12.0,
        );
        reaches(changes.iter().map(|change| change.size).collect(), 0.8, 1.2);
        reaches(
            changes.iter().map(|change| change.shift[0]).collect(),
            -4.8,
            4.8,
        );
        reaches(
            changes.iter().map(|change| change.shift[1]).collect(),
            -4.8,
            4.8,
        );
        reaches(
            changes.iter().map(|change| change.brightness).collect(),
            -0.3,
            0.3,
        );
        let mirrored = changes.iter().filter(|change| change.mirrored).count();
        assert!((1850..2150).contains(&mirrored), "{mirrored}");
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
        let settings = Augmentation {
            scale: f32::NAN,
            ..Augmentation::default()
        };
        assert!(settings.check().is_err());
    }
}
