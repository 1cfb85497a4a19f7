//! Light on the drawing: direction, strength and contrast.

use rand::{Rng, RngExt};

use super::SIDE;
use super::identity::Identity;
use super::pose::Pose;

/// Half the height of the lit ellipsoid, in pixels.
const HEIGHT: f32 = 23.0;

/// The light of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Light {
    /// Where it comes from, x to the right and y down in the picture, and towards the camera;
    /// of length 1.
    pub direction: [f32; 3],
    /// The share of light without a direction, 0 to 1: 1 leaves no shadow.
    pub ambient: f32,
    /// Factor of all light: 1 is plain.
    pub brightness: f32,
    /// Factor of the distance from middle grey: 1 is plain.
    pub contrast: f32,
}

impl Light {
    /// Light from everywhere.
    pub const EVEN: Light = Light {
        direction: [0.0, 0.0, 1.0],
        ambient: 1.0,
        brightness: 1.0,
        contrast: 1.0,
    };

    /// A light by chance.
    pub fn random(chance: &mut impl Rng) -> Light {
        let across: f32 = chance.random_range(-0.9..0.9);
        let down: f32 = chance.random_range(-0.8..0.3);
        let length = (across * across + down * down + 0.49).sqrt();
        Light {
            direction: [across / length, down / length, 0.7 / length],
            ambient: chance.random_range(0.4..0.95),
            brightness: chance.random_range(0.85..1.15),
            contrast: chance.random_range(0.9..1.3),
        }
    }

    /// Lights a drawing of 48×48 values from 0 to 1 in place. Lambert's law on the ellipsoid of
    /// the head; the wall behind gets a weak slope along the same direction. The camera exposes
    /// for the shade of the skin, so that a dark face is not lost, nor a light one.
    pub(super) fn shine(&self, picture: &mut [f32], pose: &Pose, identity: &Identity) {
        let exposure = self.brightness * (0.56 / identity.skin.max(0.05)).powf(0.4);
        let unplace = pose.unplace();
        let width = identity.head.width + 0.8;
        let front = self.direction[2].max(0.3);
        for (place, value) in picture.iter_mut().enumerate() {
            let point = [place % SIDE, place / SIDE].map(|edge| edge as f32 + 0.5);
            let [x, y] = unplace(point);
            let (across, down) = (x / width, y / HEIGHT);
            let radius = (across * across + down * down).sqrt();
            let shrink = 0.92 / radius.max(0.92);
            let normal = [
                across * shrink,
                down * shrink,
                (1.0 - (radius * shrink).powi(2)).max(0.0).sqrt(),
            ];
            let slope: f32 = normal.iter().zip(self.direction).map(|(n, l)| n * l).sum();
            let lit = self.ambient + (1.0 - self.ambient) * (slope.max(0.0) / front).min(1.5);
            let wall = 1.0
                + (1.0 - self.ambient)
                    * 0.3
                    * (across * self.direction[0] + down * self.direction[1]).clamp(-1.0, 1.0);
            let head = ((1.13 - radius) / 0.13).clamp(0.0, 1.0);
            let light = exposure * (head * lit + (1.0 - head) * wall);
            *value = 0.5 + self.contrast * (*value * light - 0.5);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey_person() -> Identity {
        Identity {
            skin: 0.56,
            ..Identity::new(1, 0)
        }
    }

    #[test]
    fn even_light_leaves_the_drawing_as_it_is() {
        let drawing: Vec<f32> = (0..SIDE * SIDE)
            .map(|place| place as f32 / 2304.0)
            .collect();
        let mut lit = drawing.clone();
        Light::EVEN.shine(&mut lit, &Pose::FRONTAL, &grey_person());
        assert!(
            lit.iter()
                .zip(&drawing)
                .all(|(one, other)| (one - other).abs() < 1e-5)
        );
    }

    #[test]
    fn light_from_the_left_leaves_the_right_in_shadow() {
        let mut picture = vec![0.5; SIDE * SIDE];
        let light = Light {
            direction: [-0.8, 0.0, 0.6],
            ambient: 0.5,
            ..Light::EVEN
        };
        light.shine(&mut picture, &Pose::FRONTAL, &grey_person());
        let row = 24 * SIDE;
        let [left, middle, right] = [12, 24, 36].map(|column| picture[row + column]);
        assert!(left > middle + 0.1 && middle > right + 0.1);
    }
}
