use rand::RngExt;

use super::{rounded, values};
use crate::augmentation::Change;
use crate::picture::Picture;
use crate::random::stream;

/// The picture turned about its centre, to the side that chance gives picture `index`.
pub(super) fn turned(picture: &Picture, degrees: f32, seed: u64, index: u64) -> Picture {
    let clockwise = stream(seed, "situation rotation", index).random::<bool>();
    let mut values = values(picture);
    Change::rotation(if clockwise { degrees } else { -degrees }).warp(&mut values);
    rounded(&values)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::picture::{PIXELS, SIDE};

    /// Where the one bright spot of a picture is, seen from its centre, x to the right and y down.
    fn spot(picture: &Picture) -> [f64; 2] {
        let mut sums = [0.0; 3];
        for (at, &value) in picture.pixels().iter().enumerate() {
            let weight = f64::from(value);
            sums[0] += weight;
            sums[1] += weight * ((at % SIDE) as f64 - 23.5);
            sums[2] += weight * ((at / SIDE) as f64 - 23.5);
        }
        [sums[1] / sums[0], sums[2] / sums[0]]
    }

    #[test]
    fn a_spot_above_the_centre_goes_to_either_side_by_the_angle() {
        let mut pixels = [0; PIXELS];
        for at in [8 * SIDE + 23, 8 * SIDE + 24] {
            pixels[at] = 255;
        }
        let above = Picture::from_pixels(&pixels, "a spot").unwrap();
        let radius = -spot(&above)[1];
        let mut sides = [0; 2];
        for index in 0..200 {
            let [x, y] = spot(&turned(&above, 30.0, 7, index));
            assert!((x.abs() - radius * 0.5).abs() < 0.2, "{x}");
            assert!((y + radius * 0.75f64.sqrt()).abs() < 0.2, "{y}");
            sides[usize::from(x > 0.0)] += 1;
            assert!(
                spot(&turned(&above, 60.0, 7, index))[0] * x > 0.0,
                "the same side"
            );
        }
        assert!(sides.iter().all(|&side| side > 70), "{sides:?}");
    }

    #[test]
    fn a_grey_picture_is_grey_whatever_the_angle() {
        let grey = Picture::from_pixels(&[90; PIXELS], "grey").unwrap();
        assert_eq!(turned(&grey, 37.0, 1, 0), grey);
    }
}
