use std::f32::consts::TAU;

use rand::{Rng, RngExt};

use super::{rounded, values};
use crate::picture::Picture;
use crate::random::stream;

/// Noise of this standard deviation in grey levels on each pixel, that of picture `index`.
pub(super) fn noisy(picture: &Picture, deviation: f32, seed: u64, index: u64) -> Picture {
    let mut random = stream(seed, "situation noise", index);
    rounded(&values(picture).map(|value| value + deviation * normal(&mut random)))
}

/// A number of mean 0 and variance 1 (Box & Muller 1958).
fn normal(random: &mut impl Rng) -> f32 {
    let length = (-2.0 * (1.0 - random.random::<f32>()).ln()).sqrt();
    length * (TAU * random.random::<f32>()).cos()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::picture::PIXELS;

    #[test]
    fn the_noise_has_the_stated_deviation_and_the_shape_of_the_bell() {
        let grey = Picture::from_pixels(&[128; PIXELS], "grey").unwrap();
        for deviation in [5.0, 10.0, 20.0, 40.0] {
            let noisy = noisy(&grey, deviation, 3, 4);
            let found = noisy.deviation();
            assert!((found / f64::from(deviation) - 1.0).abs() < 0.03, "{found}");
            assert!((noisy.mean() - 128.0).abs() < f64::from(deviation) / 10.0);
        }
        let mut random = stream(3, "test", 0);
        let drawn: Vec<f32> = (0..100_000).map(|_| normal(&mut random)).collect();
        for (beyond, expected) in [(1.0, 0.1587), (2.0, 0.0228), (3.0, 0.00135)] {
            for sign in [-1.0, 1.0] {
                let found = drawn.iter().filter(|&&value| sign * value > beyond).count();
                let found = found as f64 / 1e5;
                assert!((found / expected - 1.0).abs() < 0.2, "{beyond}: {found}");
            }
        }
    }

    #[test]
    fn pixels_and_pictures_have_their_own_noise() {
        let grey = Picture::from_pixels(&[128; PIXELS], "grey").unwrap();
        let one = noisy(&grey, 20.0, 3, 4);
        let correlation = one.correlation(&noisy(&grey, 20.0, 3, 5)).unwrap();
        assert!(correlation.abs() < 0.1, "{correlation}");
        let mut moved = *one.pixels();
        moved.rotate_left(1);
        let moved = Picture::from_array(&moved);
        let correlation = one.correlation(&moved).unwrap();
        assert!(correlation.abs() < 0.1, "{correlation}");
    }
}
