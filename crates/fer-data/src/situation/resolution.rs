use image::{GrayImage, Luma};

use super::shrinking::shrink;
use super::values;
use crate::picture::{Picture, Resize};

/// The picture at `side` × `side` pixels, a whole number, and enlarged again.
pub(super) fn coarsened(picture: &Picture, side: f32) -> Picture {
    let side = side.round() as usize;
    let small = shrink(&values(picture), side);
    let value = |x: u32, y: u32| small[y as usize * side + x as usize];
    let small = GrayImage::from_fn(side as u32, side as u32, |x, y| {
        Luma([value(x, y).round() as u8])
    });
    Resize::Antialiased.apply(&small)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::io::Cursor;

    use image::ImageFormat;

    use super::*;
    use crate::drawn::DrawnFaces;
    use crate::picture::{PIXELS, SIDE};

    #[test]
    fn half_the_side_is_the_mean_of_four_enlarged_as_a_file_of_that_size_is() {
        let face = Picture::from_pixels(&DrawnFaces::new(3).draw(5).pixels, "a face").unwrap();
        let mean = |x: usize, y: usize| {
            let at = |x, y| u32::from(face.pixels()[y * SIDE + x]);
            let (x, y) = (2 * x, 2 * y);
            let sum = at(x, y) + at(x + 1, y) + at(x, y + 1) + at(x + 1, y + 1);
            ((sum + 2) / 4) as u8
        };
        let small: Vec<u8> = (0..24 * 24).map(|at| mean(at % 24, at / 24)).collect();
        let mut file = Cursor::new(Vec::new());
        let small = GrayImage::from_raw(24, 24, small).unwrap();
        small.write_to(&mut file, ImageFormat::Png).unwrap();
        let expected = Picture::decode(file.get_ref(), "a small file").unwrap();
        assert_eq!(coarsened(&face, 24.0), expected);
        assert_ne!(coarsened(&face, 24.0), face);
    }

    #[test]
    fn one_pixel_is_the_mean_and_a_gradient_stays_one() {
        let gradient: Vec<u8> = (0..PIXELS).map(|at| (at % SIDE * 5) as u8).collect();
        let gradient = Picture::from_pixels(&gradient, "a gradient").unwrap();
        let one = coarsened(&gradient, 1.0);
        assert!(one.is_flat() && (one.mean() - gradient.mean()).abs() <= 0.5);
        for side in [36.0, 24.0, 16.0, 12.0, 8.0] {
            let coarse = coarsened(&gradient, side);
            let away = coarse.pixels().iter().zip(gradient.pixels());
            let away = away.map(|(&one, &two)| one.abs_diff(two)).max().unwrap();
            // Half a pixel of the small picture repeats beyond its edge.
            assert!(f32::from(away) <= 5.0 * 24.0 / side + 1.0, "{side}: {away}");
            let mut rows = coarse.pixels().chunks_exact(SIDE);
            assert!(rows.all(|row| row.is_sorted()), "{side}");
        }
    }
}
