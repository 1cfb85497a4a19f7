use std::array;

use image::{GrayImage, Luma, imageops};

use crate::picture::{Picture, SIDE};

/// A Gaussian blur of this standard deviation in pixels; the kernel ends at two to three of them.
pub(super) fn blurred(picture: &Picture, sigma: f32) -> Picture {
    if !sigma.is_normal() {
        // `imageops` takes 0 for a standard deviation of its own.
        return picture.clone();
    }
    let side = SIDE as u32;
    let grey = GrayImage::from_fn(side, side, |x, y| {
        Luma([picture.pixels()[y as usize * SIDE + x as usize]])
    });
    let blurred = imageops::blur(&grey, sigma);
    Picture::from_array(&array::from_fn(|at| blurred.as_raw()[at]))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::picture::PIXELS;

    #[test]
    fn a_line_becomes_a_bell_of_the_stated_width_along_both_axes() {
        // Of a line less is lost by rounding than of a point.
        let pixels: [u8; PIXELS] = array::from_fn(|at| if at % SIDE == 24 { 255 } else { 0 });
        let line = Picture::from_pixels(&pixels, "a line").unwrap();
        let transposed = array::from_fn(|at| pixels[at % SIDE * SIDE + at / SIDE]);
        let transposed = Picture::from_array(&transposed);
        for sigma in [0.5, 1.0, 1.5, 2.0, 3.0] {
            let blurred = blurred(&line, sigma);
            let row = &blurred.pixels()[20 * SIDE..][..SIDE];
            let sum: f64 = row.iter().map(|&value| f64::from(value)).sum();
            let squares = row.iter().enumerate();
            let squares = squares.map(|(x, &value)| f64::from(value) * (x as f64 - 24.0).powi(2));
            let found = (squares.sum::<f64>() / sum).sqrt();
            assert!(
                (found / f64::from(sigma) - 1.0).abs() < 0.09,
                "{sigma}: {found}"
            );
            let across = super::blurred(&transposed, sigma);
            let across = (0..PIXELS).map(|at| across.pixels()[at % SIDE * SIDE + at / SIDE]);
            assert!(across.eq(*blurred.pixels()), "{sigma}");
        }
    }

    #[test]
    fn grey_stays_up_to_the_edge() {
        let grey = Picture::from_pixels(&[90; PIXELS], "grey").unwrap();
        assert_eq!(blurred(&grey, 3.0), grey);
    }
}
