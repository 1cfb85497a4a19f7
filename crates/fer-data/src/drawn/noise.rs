//! What the camera adds: blur and the noise of the sensor.

use rand::{Rng, RngExt};

use super::SIDE;
use crate::random::stream;

/// Blur and noise of one picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Noise {
    /// Weight of a neighbouring pixel against the pixel itself, 0 to 0.5.
    pub blur: f32,
    /// Standard deviation of the noise, 0 to 1 being black to white.
    pub grain: f32,
    /// Seed of the grain.
    pub seed: u64,
}

impl Noise {
    /// A perfect camera.
    pub const NONE: Noise = Noise {
        blur: 0.0,
        grain: 0.0,
        seed: 0,
    };

    /// A camera by chance.
    pub fn random(chance: &mut impl Rng) -> Noise {
        Noise {
            blur: chance.random_range(0.0..0.15),
            grain: chance.random_range(0.004..0.016),
            seed: chance.random(),
        }
    }

    /// Blurs a drawing of 48×48 values, adds the grain, and rounds to bytes.
    pub(super) fn expose(&self, picture: &[f32]) -> Vec<u8> {
        let blurred = self.smear(&self.smear(picture, 1), SIDE);
        let mut chance = stream(self.seed, "drawn noise", 0);
        blurred
            .iter()
            .map(|value| {
                let grain = self.grain * normal(chance.random());
                ((value + grain) * 255.0).round().clamp(0.0, 255.0) as u8
            })
            .collect()
    }

    /// One pass of the blur along rows (`step` 1) or columns (`step` 48); edges repeat.
    fn smear(&self, picture: &[f32], step: usize) -> Vec<f32> {
        let whole = 1.0 / (1.0 + 2.0 * self.blur);
        let mut smeared = Vec::with_capacity(picture.len());
        for row in 0..SIDE {
            for column in 0..SIDE {
                let place = row * SIDE + column;
                let along = if step == 1 { column } else { row };
                let before = picture[place - if along == 0 { 0 } else { step }];
                let after = picture[place + if along == SIDE - 1 { 0 } else { step }];
                smeared.push((picture[place] + self.blur * (before + after)) * whole);
            }
        }
        smeared
    }
}

/// A number of mean 0 and variance 1, nearly normal: four uniform numbers of 16 bits added
/// (Irwin 1927, Hall 1927).
fn normal(bits: u64) -> f32 {
    let sum: f32 = (0..4)
        .map(|place| ((bits >> (16 * place)) & 0xffff) as f32 / 65536.0)
        .sum();
    (sum - 2.0) * 3.0_f32.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grain_has_its_mean_and_deviation() {
        let noise = Noise {
            blur: 0.0,
            grain: 0.1,
            seed: 3,
        };
        let bytes = noise.expose(&[0.5; SIDE * SIDE]);
        let values: Vec<f32> = bytes.iter().map(|&byte| f32::from(byte) / 255.0).collect();
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        let spread = values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / values.len() as f32;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
        assert!((spread.sqrt() - 0.1).abs() < 0.01, "{spread}");
    }

    #[test]
    fn the_blur_spreads_a_point_and_keeps_its_sum() {
        let mut picture = vec![0.0; SIDE * SIDE];
        picture[10 * SIDE + 20] = 1.0;
        let noise = Noise {
            blur: 0.25,
            ..Noise::NONE
        };
        let bytes = noise.expose(&picture);
        assert_eq!(bytes[10 * SIDE + 20], 113);
        assert_eq!(bytes[9 * SIDE + 20], 28);
        assert_eq!(bytes[10 * SIDE + 21], 28);
        assert_eq!(bytes[9 * SIDE + 19], 7);
        assert_eq!(bytes.iter().filter(|&&byte| byte > 0).count(), 9);
    }
}
