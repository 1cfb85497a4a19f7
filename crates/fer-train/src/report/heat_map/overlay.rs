//! One map over one face.

use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use plotters::style::colors::colormaps::ViridisRGB;
use svg::node::element::Image;

use super::super::drawing::{SIDE, rounded};
use super::super::error::FigureError;

/// Pixels that are drawn for each of the picture, along each edge.
const DETAIL: usize = 8;
/// How much of the colour covers the face where the map is 0, and how much more where it is largest.
const COVER: [f64; 2] = [0.18, 0.55];

/// The colour of a value from 0 to 1, red, green and blue: viridis, whose lightness rises evenly and
/// which colour-blind readers see as others do.
pub fn colour(value: f64) -> [u8; 3] {
    let colour = ViridisRGB::get_color(value.clamp(0.0, 1.0));
    [colour.0, colour.1, colour.2]
}

/// The map over the face, a square of `side` units.
pub(super) fn image(
    face: &[u8],
    map: &[f64],
    [x, y]: [f32; 2],
    side: f32,
) -> Result<Image, FigureError> {
    for (index, got) in [face.len(), map.len()].into_iter().enumerate() {
        let expected = SIDE * SIDE;
        if got != expected {
            return Err(FigureError::PictureLength {
                index,
                expected,
                got,
            });
        }
    }
    let edge = (SIDE * DETAIL) as u32;
    let mut png = Cursor::new(Vec::new());
    PngEncoder::new(&mut png).write_image(
        &mixed(face, map),
        edge,
        edge,
        ExtendedColorType::Rgb8,
    )?;
    let data = STANDARD.encode(png.into_inner());
    Ok(Image::new()
        .set("x", rounded(x))
        .set("y", rounded(y))
        .set("width", rounded(side))
        .set("height", rounded(side))
        .set("href", format!("data:image/png;base64,{data}")))
}

/// Red, green and blue of the enlarged face under the enlarged map, row by row.
fn mixed(face: &[u8], map: &[f64]) -> Vec<u8> {
    let largest = map.iter().copied().fold(0.0, f64::max);
    let share = |value: f64| match largest > 0.0 {
        true => (value / largest).max(0.0),
        false => 0.0,
    };
    let edge = SIDE * DETAIL;
    let mut pixels = Vec::with_capacity(3 * edge * edge);
    for row in 0..edge {
        for column in 0..edge {
            let heat = between(row, column, |pixel| share(map[pixel]));
            let grey = f64::from(face[row / DETAIL * SIDE + column / DETAIL]);
            let cover = COVER[0] + COVER[1] * heat;
            pixels.extend(colour(heat).map(|part| {
                let mixed = grey + cover * (f64::from(part) - grey);
                mixed.round() as u8
            }));
        }
    }
    pixels
}

/// The value at a place of the enlarged picture, linear between the middles of four pixels.
fn between(row: usize, column: usize, value: impl Fn(usize) -> f64) -> f64 {
    let last = SIDE - 1;
    let place = |at: usize| ((at as f64 + 0.5) / DETAIL as f64 - 0.5).clamp(0.0, last as f64);
    let (y, x) = (place(row), place(column));
    let (top, left) = (y as usize, x as usize);
    let (bottom, right) = ((top + 1).min(last), (left + 1).min(last));
    let (down, across) = (y - top as f64, x - left as f64);
    let line = |row: usize| {
        let (one, other) = (value(row * SIDE + left), value(row * SIDE + right));
        one + across * (other - one)
    };
    let (upper, lower) = (line(top), line(bottom));
    upper + down * (lower - upper)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_grow_lighter_all_the_way() {
        let lightness = |[red, green, blue]: [u8; 3]| {
            // Relative luminance of sRGB.
            let linear = |part: u8| (f64::from(part) / 255.0).powf(2.2);
            0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
        };
        let steps: Vec<f64> = (0..=20)
            .map(|step| lightness(colour(f64::from(step) / 20.0)))
            .collect();
        assert!(steps.is_sorted_by(|one, other| one < other), "{steps:?}");
        assert_eq!((colour(-1.0), colour(2.0)), (colour(0.0), colour(1.0)));
    }

    #[test]
    fn a_map_of_nothing_leaves_an_even_veil() {
        let pixels = mixed(&[100; 2304], &[-1.0; 2304]);
        assert!(pixels.chunks_exact(3).all(|pixel| pixel == &pixels[..3]));
    }
}
