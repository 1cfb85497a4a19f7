//! What is drawn for one picture, and how it is done to the picture.

use std::array;

use rand::{Rng, RngExt};

use crate::augmentation::Augmentation;
use crate::augmentation::interpolation::bilinear;
use crate::picture::SIDE;

/// One drawn change: angles in radians, shifts in pixels.
#[derive(Debug)]
pub(crate) struct Change {
    mirrored: bool,
    angle: f32,
    size: f32,
    shift: [f32; 2],
    brightness: f32,
    contrast: f32,
}

/// Nothing changed.
const STILL: Change = Change {
    mirrored: false,
    angle: 0.0,
    size: 1.0,
    shift: [0.0; 2],
    brightness: 0.0,
    contrast: 1.0,
};

impl Change {
    /// A rotation alone, clockwise.
    pub(crate) fn rotation(degrees: f32) -> Self {
        Change {
            angle: degrees.to_radians(),
            ..STILL
        }
    }

    /// Draws a change. What is off and came later than the others draws nothing, so that a run
    /// without it keeps its numbers.
    pub(crate) fn draw(settings: &Augmentation, random: &mut impl Rng) -> Self {
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

    pub(crate) fn moves(&self) -> bool {
        self.mirrored || self.angle != 0.0 || self.size != 1.0 || self.shift != [0.0; 2]
    }

    pub(crate) fn lights(&self) -> bool {
        self.brightness != 0.0 || self.contrast != 1.0
    }

    /// Spreads the values about their mean, then adds the brightness.
    pub(crate) fn light(&self, values: &mut [f32]) {
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        let shift = mean - mean * self.contrast + self.brightness;
        for value in values {
            *value = (*value * self.contrast + shift).clamp(0.0, 1.0);
        }
    }

    /// Moves the picture about its centre, between pixels by bilinear weights, beyond the edge by
    /// reflection: mirrored, then turned and sized, then shifted, as torchvision's
    /// `RandomAffine` orders them. Each pixel asks for the place that it comes from.
    pub(crate) fn warp(&self, values: &mut [f32]) {
        let source = values.to_vec();
        let centre = (SIDE as f32 - 1.0) / 2.0;
        let (sine, cosine) = self.angle.sin_cos();
        let columns: [f32; SIDE] = array::from_fn(|column| column as f32 - centre - self.shift[0]);
        for (row, line) in values.chunks_exact_mut(SIDE).enumerate() {
            let y = row as f32 - centre - self.shift[1];
            // The places of a whole row come before its values, because the compiler does this
            // arithmetic several columns at once.
            let places = columns.map(|x| {
                let across = (cosine * x + sine * y) / self.size;
                let down = (cosine * y - sine * x) / self.size;
                let across = if self.mirrored { -across } else { across };
                [across + centre, down + centre]
            });
            for (value, [x, y]) in line.iter_mut().zip(places) {
                *value = bilinear(&source, x, y);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::PIXELS;
    use crate::random::stream;

    #[test]
    fn each_draw_reaches_its_whole_range_and_no_farther() {
        let settings = Augmentation {
            rotation: 12.0,
            scale: 0.2,
            shift: 0.1,
            brightness: 0.3,
            contrast: 0.4,
            flip: 0.5,
            ..Augmentation::default()
        };
        let changes: Vec<Change> = (0..4000)
            .map(|index| Change::draw(&settings, &mut stream(1, "test", index)))
            .collect();
        let reaches = |value: fn(&Change) -> f32, low: f32, high: f32| {
            let least = changes.iter().map(value).fold(f32::INFINITY, f32::min);
            let most = changes.iter().map(value).fold(f32::NEG_INFINITY, f32::max);
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
        reaches(|change| change.angle.to_degrees(), -12.0, 12.0);
        reaches(|change| change.size, 0.8, 1.2);
        reaches(|change| change.shift[0], -4.8, 4.8);
        reaches(|change| change.shift[1], -4.8, 4.8);
        reaches(|change| change.brightness, -0.3, 0.3);
        reaches(|change| change.contrast, 0.6, 1.4);
        let mirrored = changes.iter().filter(|change| change.mirrored).count();
        assert!((1850..2150).contains(&mirrored), "{mirrored}");
    }

    #[test]
    fn rotation_size_and_shift_together_are_those_of_torchvision() {
        let angle = 10f64.to_radians();
        let (sine, cosine) = (angle.sin(), angle.cos());
        let change = Change {
            angle: angle as f32,
            size: 1.1,
            shift: [3.0, -2.0],
            ..STILL
        };
        // Forward, as its documentation has it: R(a) · S(s).
        let forward = |x: f64, y: f64| {
            [
                1.1 * (cosine * x - sine * y) + 3.0,
                1.1 * (sine * x + cosine * y) - 2.0,
            ]
        };
        // A smooth picture at its source, seen at its target.
        let smooth = |x: f64, y: f64| 0.5 + 0.012 * x + 0.004 * y;
        let place = |at: usize| [at % SIDE, at / SIDE].map(|index| index as f64 - 23.5);
        let mut values: Vec<f32> = (0..PIXELS)
            .map(place)
            .map(|[x, y]| smooth(x, y) as f32)
            .collect();
        change.warp(&mut values);
        for [x, y] in [[0.0, 0.0], [9.0, -4.0], [-8.0, 11.0], [6.0, 13.0]] {
            let [across, down] = forward(x, y).map(|coordinate| (coordinate + 23.5) as f32);
            let found = bilinear(&values, across, down);
            let expected = smooth(x, y) as f32;
            assert!(
                (found - expected).abs() < 1e-4,
                "{x} {y}: {found} {expected}"
            );
        }
    }
}
