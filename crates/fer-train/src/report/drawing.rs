//! The pieces that figures are drawn with: sheets, texts and pictures as SVG elements.

use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use svg::Document;
use svg::node::element::{Image, Rectangle, Text};

use super::canvas::{FONT_FAMILY, text_width};
use super::error::FigureError;

/// Side of a picture in pixels.
pub(crate) const SIDE: usize = 48;
/// Ink of ordinary text.
pub(crate) const INK: &str = "#222222";
/// Ink of text that stands back.
pub(crate) const FAINT: &str = "#666666";
/// Ink of what is wrong (vermilion of Okabe and Ito, told apart by colour-blind readers).
pub(crate) const WRONG: &str = "#D55E00";
/// Height of a capital letter over the font's size, in the built-in font.
const CAPITAL: f32 = 0.711;

/// An empty document of the given size in units, rounded up to whole ones so that its last pixels
/// are whole as well.
pub(crate) fn document(width: f32, height: f32) -> Document {
    let (width, height) = (width.ceil(), height.ceil());
    Document::new()
        .set("width", width)
        .set("height", height)
        .set("viewBox", format!("0 0 {width} {height}"))
        .set("font-family", FONT_FAMILY)
}

/// A document with a white ground.
pub(crate) fn sheet(width: f32, height: f32) -> Document {
    document(width, height)
        .add(rectangle(0.0, 0.0, width.ceil(), height.ceil()).set("fill", "#FFFFFF"))
}

/// A rectangle; colours are the caller's.
pub(crate) fn rectangle(x: f32, y: f32, width: f32, height: f32) -> Rectangle {
    Rectangle::new()
        .set("x", rounded(x))
        .set("y", rounded(y))
        .set("width", rounded(width))
        .set("height", rounded(height))
}

/// `content` with the replacement character for each character that XML cannot hold.
pub(crate) fn visible(content: &str) -> String {
    content
        .chars()
        .map(|letter| if in_xml(letter) { letter } else { '\u{FFFD}' })
        .collect()
}

/// A line of text that starts at `x` and stands on `y`.
pub(crate) fn text(content: &str, x: f32, y: f32, size: f32) -> Text {
    Text::new(visible(content))
        .set("x", rounded(x))
        .set("y", rounded(y))
        .set("font-size", rounded(size))
        .set("fill", INK)
}

/// A line of text whose capitals are centred on (`x`, `y`).
pub(crate) fn centred(content: &str, x: f32, y: f32, size: f32) -> Text {
    text(content, x, y + middle(size), size).set("text-anchor", "middle")
}

/// How far below its middle the capitals of a text of this size stand.
pub(crate) fn middle(size: f32) -> f32 {
    size * CAPITAL / 2.0
}

/// `content`, its end replaced by "…" where it would be wider than `limit` units at `size`.
pub(crate) fn shortened(content: &str, size: f32, limit: f32) -> String {
    if text_width(content, size) <= limit {
        return content.to_owned();
    }
    let letters: Vec<char> = content.chars().collect();
    let cut = |length: usize| {
        format!(
            "{}…",
            letters[..length].iter().collect::<String>().trim_end()
        )
    };
    let fitting = (0..letters.len()).collect::<Vec<_>>();
    let length = fitting.partition_point(|&length| text_width(&cut(length), size) <= limit);
    cut(length.saturating_sub(1))
}

/// A grey 48×48 picture (row by row, 0 black to 255 white) as a square of `side` units.
///
/// # Errors
/// [`FigureError::PictureLength`] for another number of pixels, naming picture `index`.
pub(crate) fn picture(
    pixels: &[u8],
    index: usize,
    (x, y): (f32, f32),
    side: f32,
) -> Result<Image, FigureError> {
    let (expected, got) = (SIDE * SIDE, pixels.len());
    if got != expected {
        return Err(FigureError::PictureLength {
            index,
            expected,
            got,
        });
    }
    let mut png = Cursor::new(Vec::new());
    PngEncoder::new(&mut png).write_image(
        pixels,
        SIDE as u32,
        SIDE as u32,
        ExtendedColorType::L8,
    )?;
    let data = STANDARD.encode(png.into_inner());
    Ok(Image::new()
        .set("x", rounded(x))
        .set("y", rounded(y))
        .set("width", rounded(side))
        .set("height", rounded(side))
        .set("href", format!("data:image/png;base64,{data}")))
}

/// Hundredths of a unit are all that a figure needs.
pub(crate) fn rounded(value: f32) -> f32 {
    (value * 100.0).round() / 100.0
}

/// The characters of XML 1.0, section 2.2, less the control characters that it discourages.
fn in_xml(letter: char) -> bool {
    !letter.is_control() && !matches!(letter, '\u{FFFE}' | '\u{FFFF}')
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn markup_and_control_characters_are_only_text() {
        let drawn = text("<script> a&b \u{1}\"'", 0.0, 0.0, 12.0).to_string();
        assert!(
            drawn.contains("&lt;script&gt; a&amp;b \u{FFFD}\"'"),
            "{drawn}"
        );
    }

    #[test]
    fn only_texts_that_are_too_wide_are_shortened() {
        assert_eq!(shortened("happy", 12.0, 100.0), "happy");
        let short = shortened("a very long name indeed", 12.0, 60.0);
        assert!(
            short.starts_with("a very") && short.ends_with('…'),
            "{short}"
        );
        assert!(text_width(&short, 12.0) <= 60.0);
        assert!(text_width(&short, 12.0) > 45.0);
        assert_eq!(shortened("happy", 12.0, 1.0), "…");
    }

    #[test]
    fn a_picture_of_another_length_is_named() {
        let error = picture(&[0; 2303], 4, (0.0, 0.0), 48.0).unwrap_err();
        assert_eq!(
            error.to_string(),
            "expected 2304 grey pixels in picture 4, got 2303"
        );
        assert!(picture(&[0; 2304], 4, (0.0, 0.0), 48.0).is_ok());
    }
}
