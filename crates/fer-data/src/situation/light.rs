use std::array;

use super::{rounded, values};
use crate::picture::Picture;

/// The picture in light halved `stops` times.
pub(super) fn darkened(picture: &Picture, stops: f32) -> Picture {
    let share = (-stops).exp2();
    let darker: [u8; 256] = array::from_fn(|value| {
        let light = share * linear(value as f32 / 255.0);
        (255.0 * encoded(light)).round() as u8
    });
    Picture::from_array(&picture.pixels().map(|value| darker[usize::from(value)]))
}

/// Light from 0 to 1 of a value of sRGB from 0 to 1.
fn linear(value: f32) -> f32 {
    if value <= 0.04045 {
        value / 12.92
    } else {
        ((value + 0.055) / 1.055).powf(2.4)
    }
}

/// The value of sRGB of this light.
fn encoded(light: f32) -> f32 {
    if light <= 0.003_130_8 {
        light * 12.92
    } else {
        1.055 * light.powf(1.0 / 2.4) - 0.055
    }
}

/// Every value nearer to their mean by this share of its distance.
pub(super) fn flattened(picture: &Picture, share: f32) -> Picture {
    let mean = picture.mean() as f32;
    rounded(&values(picture).map(|value| mean + (1.0 - share) * (value - mean)))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::drawn::DrawnFaces;
    use crate::picture::{PIXELS, SIDE};

    fn grey(value: u8) -> Picture {
        Picture::from_pixels(&[value; PIXELS], "grey").unwrap()
    }

    fn face() -> Picture {
        Picture::from_pixels(&DrawnFaces::new(3).draw(0).pixels, "a drawn face").unwrap()
    }

    #[test]
    fn a_stop_halves_the_light_of_every_grey() {
        for value in [40, 128, 200, 255] {
            let found = darkened(&grey(value), 1.0);
            let light = |value: f64| linear(value as f32 / 255.0);
            let share = light(found.mean()) / light(f64::from(value));
            assert!((share - 0.5).abs() < 0.03, "{value}: {share}");
        }
        // Values of sRGB of half the light, and of a quarter of it, as any table of them has it.
        assert_eq!(darkened(&grey(255), 1.0), grey(188));
        assert_eq!(darkened(&grey(255), 2.0), grey(137));
    }

    #[test]
    fn a_face_grows_darker_and_keeps_the_order_of_its_values() {
        let (face, mut before) = (face(), face().mean());
        for stops in [0.5, 1.0, 2.0, 4.0, 6.0] {
            let dark = darkened(&face, stops);
            assert!(dark.mean() < before, "{stops}");
            before = dark.mean();
            let mut pairs: Vec<(u8, u8)> = face
                .pixels()
                .iter()
                .copied()
                .zip(dark.pixels().iter().copied())
                .collect();
            pairs.sort_unstable();
            assert!(pairs.windows(2).all(|pair| pair[0].1 <= pair[1].1));
        }
    }

    #[test]
    fn contrast_falls_by_the_share_taken_and_the_mean_stays() {
        let gradient: Vec<u8> = (0..PIXELS).map(|at| (at % SIDE * 5) as u8).collect();
        let gradient = Picture::from_pixels(&gradient, "a gradient").unwrap();
        for picture in [gradient, face()] {
            for share in [0.3, 0.5, 0.85] {
                let flat = flattened(&picture, share);
                assert!((flat.mean() - picture.mean()).abs() < 0.2, "{share}");
                let left = flat.deviation() / picture.deviation();
                assert!((left - f64::from(1.0 - share)).abs() < 0.01, "{left}");
            }
            assert!(flattened(&picture, 1.0).is_flat());
        }
        assert_eq!(flattened(&grey(77), 0.5), grey(77));
    }
}
