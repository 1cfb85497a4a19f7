//! Squares cut out of a grey picture, turned upright.

use image::{GrayImage, Luma, imageops};

use crate::face::bounds::Square;

/// How finely a square is sampled at most, in samples along the side of one pixel of the result.
const FINEST: f32 = 4.0;

/// A picture of `width`×`height` around the point `centre` of `grey`, with `step` pixels of it from
/// one value to the next, turned by `roll` degrees clockwise. Between pixels a value is bilinear;
/// beyond the border the edge pixels go on. `grey` has at least one pixel.
pub(crate) fn sampled(
    grey: &GrayImage,
    centre: (f32, f32),
    roll: f32,
    step: f32,
    (width, height): (u32, u32),
) -> GrayImage {
    let (sine, cosine) = match roll {
        0.0 => (0.0, 1.0),
        roll => roll.to_radians().sin_cos(),
    };
    GrayImage::from_fn(width, height, |column, row| {
        let across = (column as f32 + 0.5 - width as f32 / 2.0) * step;
        let down = (row as f32 + 0.5 - height as f32 / 2.0) * step;
        let x = centre.0 + across * cosine - down * sine - 0.5;
        let y = centre.1 + across * sine + down * cosine - 0.5;
        Luma([between(grey, x, y)])
    })
}

/// The value at a place between pixels, whose centres lie at whole numbers.
fn between(grey: &GrayImage, x: f32, y: f32) -> u8 {
    let width = grey.width() as usize;
    let place = |at: f32, length: u32| {
        let at = at.clamp(0.0, (length - 1) as f32);
        let first = at as usize;
        (
            first,
            (first + 1).min(length as usize - 1),
            at - first as f32,
        )
    };
    let (left, right, right_share) = place(x, grey.width());
    let (top, bottom, bottom_share) = place(y, grey.height());
    let value = |row: usize, column: usize| f32::from(grey.as_raw()[row * width + column]);
    let along = |row: usize| {
        let (first, second) = (value(row, left), value(row, right));
        first + (second - first) * right_share
    };
    let (upper, lower) = (along(top), along(bottom));
    (upper + (lower - upper) * bottom_share + 0.5) as u8
}

/// The square as an upright picture of `side`×`side`, averaged where it is larger.
pub(crate) fn cut(grey: &GrayImage, square: &Square, side: u32) -> GrayImage {
    let fineness = (square.side / side as f32).ceil().clamp(1.0, FINEST);
    let fine = side * fineness as u32;
    let step = square.side / fine as f32;
    let centre = (square.x, square.y);
    let sampled = sampled(grey, centre, square.roll, step, (fine, fine));
    if fine == side {
        sampled
    } else {
        imageops::thumbnail(&sampled, side, side)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slope() -> GrayImage {
        GrayImage::from_fn(60, 40, |x, y| Luma([(2 * x + 3 * y) as u8]))
    }

    fn square(x: f32, y: f32, side: f32, roll: f32) -> Square {
        Square { x, y, side, roll }
    }

    #[test]
    fn a_square_of_whole_pixels_is_copied_and_goes_on_with_the_edge() {
        let slope = slope();
        let cut_out = cut(&slope, &square(20.0, 25.0, 10.0, 0.0), 10);
        let expected = GrayImage::from_fn(10, 10, |x, y| *slope.get_pixel(15 + x, 20 + y));
        assert_eq!(cut_out, expected);
        let over = cut(&slope, &square(0.0, 25.0, 10.0, 0.0), 10);
        let expected =
            GrayImage::from_fn(10, 10, |x, y| *slope.get_pixel(x.saturating_sub(5), 20 + y));
        assert_eq!(over, expected);
    }

    #[test]
    fn what_is_turned_clockwise_comes_out_upright() {
        // Bright towards the left: what is upright has its bright side at the top.
        let turned = GrayImage::from_fn(41, 41, |x, _| Luma([200 - 4 * x as u8]));
        let upright = cut(&turned, &square(20.5, 20.5, 21.0, -90.0), 21);
        let rows: Vec<u8> = (0..21).map(|row| upright.get_pixel(10, row)[0]).collect();
        assert!(rows.windows(2).all(|pair| pair[0] > pair[1]), "{rows:?}");
        let other = cut(&turned, &square(20.5, 20.5, 21.0, 90.0), 21);
        assert!(other.get_pixel(10, 0)[0] < other.get_pixel(10, 20)[0]);
    }

    #[test]
    fn a_large_square_is_averaged() {
        let lines = GrayImage::from_fn(400, 400, |x, _| Luma([if x % 2 == 0 { 0 } else { 250 }]));
        let small = cut(&lines, &square(200.0, 200.0, 200.0, 0.0), 50);
        assert!(small.iter().all(|value| (120..=130).contains(value)));
    }
}
