//! What the charts that plotters draws have in common.

use plotters::prelude::{IntoFont, RGBColor, TextStyle};

use super::canvas::FONT_FAMILY;

/// Drawn units to one unit of the figure.
pub(crate) const SCALE: u32 = 4;

/// Ink of ordinary text.
pub(crate) const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
/// Ink of what stands back.
pub(crate) const FAINT: RGBColor = RGBColor(0x66, 0x66, 0x66);
/// Lines of a grid.
pub(crate) const GRID: RGBColor = RGBColor(0xE2, 0xE2, 0xE2);
/// Blue, vermilion and bluish green of Okabe and Ito, told apart by colour-blind readers.
pub(crate) const BLUE: RGBColor = RGBColor(0x00, 0x72, 0xB2);
/// See [`BLUE`].
pub(crate) const VERMILION: RGBColor = RGBColor(0xD5, 0x5E, 0x00);
/// See [`BLUE`].
pub(crate) const GREEN: RGBColor = RGBColor(0x00, 0x9E, 0x73);

/// Size of a title.
pub(crate) const TITLE: f32 = 17.0;
/// Size of a label.
pub(crate) const LABEL: f32 = 13.0;

/// A length of the figure in drawn units.
pub(crate) fn units(length: f32) -> i32 {
    (length * SCALE as f32).round() as i32
}

/// Text of `size` units of the figure; the SVG backend divides sizes by 1.24.
pub(crate) fn style(size: f32, color: RGBColor) -> TextStyle<'static> {
    (FONT_FAMILY, 1.24 * f64::from(size) * f64::from(SCALE))
        .into_font()
        .color(&color)
}
