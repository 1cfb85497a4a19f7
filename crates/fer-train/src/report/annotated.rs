//! A photograph with its faces and what was said of them.

use std::io::Cursor;

use fer_data::face::Bounds;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{DynamicImage, RgbImage};
use svg::node::element::Group;

use super::canvas::{png, text_width};
use super::drawing::{document, middle, rectangle, text};
use super::error::FigureError;

/// The longest side of a copy in pixels; larger photographs are scaled down to it.
const LARGEST: u32 = 2048;
/// Smaller pictures are enlarged to about this longest side, so that there is room for words.
const SMALLEST: u32 = 256;
/// JPEG's quality, of 100.
const QUALITY: u8 = 90;
/// The line around a face, and the letters beside it.
const LIGHT: &str = "#FFFFFF";
/// What lies below both.
const DARK: &str = "#222222";

/// What stands by a face.
pub struct Note {
    /// Where the face is; nothing for the whole picture.
    pub bounds: Option<Bounds>,
    /// What is said of it, in few words.
    pub label: String,
}

/// The picture as JPEG bytes with a box around each face and its label above it; at most 2,048 pixels
/// long.
///
/// # Errors
/// [`FigureError`] when the picture cannot be drawn or written.
pub fn annotated(picture: &RgbImage, notes: &[Note]) -> Result<Vec<u8>, FigureError> {
    let longest = picture.width().max(picture.height());
    let scale = match longest {
        ..SMALLEST => SMALLEST.div_ceil(longest.max(1)) as f32,
        longest => (LARGEST as f32 / longest as f32).min(1.0),
    };
    let length = |length: u32| ((length as f32 * scale).round() as u32).max(1);
    let (width, height) = (length(picture.width()), length(picture.height()));
    let copy = match scale {
        1.0 => picture.clone(),
        _ => imageops::resize(picture, width, height, FilterType::Triangle),
    };
    let mut copy = DynamicImage::ImageRgb8(copy).into_rgba8();
    let mut overlay = document(width as f32, height as f32);
    for note in notes {
        overlay = overlay.add(drawn(note, scale, (width as f32, height as f32)));
    }
    let overlay = image::load_from_memory(&png(&overlay.to_string(), 1.0)?)?;
    imageops::overlay(&mut copy, &overlay.into_rgba8(), 0, 0);
    let mut bytes = Cursor::new(Vec::new());
    let encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
    DynamicImage::ImageRgba8(copy)
        .into_rgb8()
        .write_with_encoder(encoder)?;
    Ok(bytes.into_inner())
}

fn drawn(note: &Note, scale: f32, (width, height): (f32, f32)) -> Group {
    let [x, y, across, down] = match note.bounds {
        Some(bounds) => {
            [bounds.x, bounds.y, bounds.width, bounds.height].map(|at| at as f32 * scale)
        }
        None => [0.0, 0.0, width, height],
    };
    let size = (across / 7.0).clamp(12.0, 32.0);
    let line = (size / 8.0).max(1.5);
    let label = text_width(&note.label, size) + size;
    let tall = 1.6 * size;
    let left = x.min(width - label).max(0.0);
    let top = if y >= tall { y - tall } else { y };
    let frame = |colour: &str, thickness: f32| {
        rectangle(x, y, across, down)
            .set("fill", "none")
            .set("stroke", colour)
            .set("stroke-width", thickness)
    };
    let baseline = top + tall / 2.0 + middle(size);
    Group::new()
        .add(frame(DARK, 2.0 * line))
        .add(frame(LIGHT, line))
        .add(rectangle(left, top, label, tall).set("fill", DARK))
        .add(text(&note.label, left + size / 2.0, baseline, size).set("fill", LIGHT))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use image::Rgb;

    use super::*;

    fn grey(width: u32, height: u32) -> RgbImage {
        RgbImage::from_pixel(width, height, Rgb([128, 128, 128]))
    }

    fn copy(picture: &RgbImage, notes: &[Note]) -> RgbImage {
        image::load_from_memory(&annotated(picture, notes).unwrap())
            .unwrap()
            .into_rgb8()
    }

    #[test]
    fn a_face_has_a_box_and_words_and_the_rest_is_left_as_it_is() {
        let note = Note {
            bounds: Some(Bounds {
                x: 100,
                y: 120,
                width: 80,
                height: 90,
            }),
            label: "happy 93 %".into(),
        };
        let copy = copy(&grey(400, 300), &[note]);
        assert_eq!(copy.dimensions(), (400, 300));
        let bright = |x: u32, y: u32| copy.get_pixel(x, y)[0] > 190;
        assert!(
            (118..123).any(|y| bright(160, y)),
            "the upper edge of the box"
        );
        assert!(
            (98..103).any(|x| bright(x, 180)),
            "the left edge of the box"
        );
        let written = (100..120).flat_map(|y| (100..190).map(move |x| (x, y)));
        assert!(
            written.filter(|&(x, y)| bright(x, y)).count() > 30,
            "the words"
        );
        for (x, y) in [(20, 20), (140, 165), (380, 280)] {
            assert!((126..=130).contains(&copy.get_pixel(x, y)[0]), "{x} {y}");
        }
    }

    #[test]
    fn large_pictures_are_scaled_down_and_small_ones_up() {
        let whole = || Note {
            bounds: None,
            label: "unsure".into(),
        };
        assert_eq!(copy(&grey(4096, 100), &[]).dimensions(), (2048, 50));
        assert_eq!(copy(&grey(48, 40), &[whole()]).dimensions(), (288, 240));
    }
}
