//! From an SVG document to a PNG, the same on every machine: the font is part of the program.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::fontdb::Database;
use resvg::usvg::{ImageHrefResolver, Options, Tree};

use super::drawing;
use super::error::FigureError;

/// The families that every text of a figure names: the font that PNGs are drawn with, then
/// whatever a viewer without it has.
pub const FONT_FAMILY: &str = "Roboto, sans-serif";

/// Roboto Regular, its Latin, Greek and Cyrillic letters (Apache-2.0, see `assets`).
pub(crate) const FONT: &[u8] = include_bytes!("../../assets/Roboto-Regular-subset.ttf");

static FONTS: LazyLock<Arc<Database>> = LazyLock::new(|| {
    let mut fonts = Database::new();
    fonts.load_font_data(FONT.to_vec());
    fonts.set_sans_serif_family("Roboto");
    // The generic family to which the renderer turns when it knows none of those that are named.
    fonts.set_serif_family("Roboto");
    Arc::new(fonts)
});

/// Renders an SVG document as PNG bytes (RGBA, 8 bits a channel), `scale` pixels to one unit of
/// the document, rounded up to whole pixels.
///
/// Texts are drawn with the built-in font, whatever family they name; a letter that it lacks is
/// drawn as an empty box. Pictures inside the document are drawn only where the document itself
/// holds them; no file is read.
///
/// # Errors
/// [`FigureError::Svg`] for text that is not SVG, [`FigureError::Size`] when no pixel or too many
/// would result, [`FigureError::Png`] when the PNG cannot be written.
pub fn png(svg: &str, scale: f32) -> Result<Vec<u8>, FigureError> {
    let tree = tree(svg)?;
    let (width, height) = (tree.size().width() * scale, tree.size().height() * scale);
    let mut pixels = Pixmap::new(width.ceil() as u32, height.ceil() as u32)
        .ok_or(FigureError::Size { width, height })?;
    resvg::render(
        &tree,
        Transform::from_scale(scale, scale),
        &mut pixels.as_mut(),
    );
    pixels
        .encode_png()
        .map_err(|error| FigureError::Png(error.to_string()))
}

/// Width of `text` in units of the document when drawn with the built-in font at `size` units;
/// 0 for text that draws nothing.
pub(crate) fn text_width(text: &str, size: f32) -> f32 {
    let document = drawing::document(1.0, 1.0).add(drawing::text(text, 0.0, 0.0, size));
    tree(&document.to_string())
        .ok()
        .and_then(|tree| {
            let texts = tree.root().children().iter();
            texts
                .map(|node| node.bounding_box().width())
                .reduce(f32::max)
        })
        .unwrap_or(0.0)
}

fn tree(svg: &str) -> Result<Tree, FigureError> {
    let options = Options {
        font_family: "Roboto".to_owned(),
        fontdb: FONTS.clone(),
        image_href_resolver: ImageHrefResolver {
            resolve_data: ImageHrefResolver::default_data_resolver(),
            resolve_string: Box::new(|_, _| None),
        },
        ..Options::default()
    };
    Ok(Tree::from_str(svg, &options)?)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn dark_pixels(svg: &str) -> usize {
        let picture = image::load_from_memory(&png(svg, 2.0).unwrap())
            .unwrap()
            .to_luma8();
        picture.pixels().filter(|pixel| pixel.0[0] < 128).count()
    }

    fn written(text: &str) -> String {
        drawing::sheet(80.0, 20.0)
            .add(drawing::text(text, 4.0, 15.0, 12.0))
            .to_string()
    }

    #[test]
    fn the_scale_sets_the_size_in_pixels() {
        let document = drawing::sheet(30.0, 19.5).to_string();
        let picture = image::load_from_memory(&png(&document, 2.0).unwrap()).unwrap();
        assert_eq!((picture.width(), picture.height()), (60, 40));
    }

    #[test]
    fn text_is_drawn_without_any_installed_font() {
        assert_eq!(dark_pixels(&written("")), 0);
        let latin = dark_pixels(&written("happy"));
        assert!(latin > 50, "{latin}");
        assert_ne!(latin, dark_pixels(&written("радость")));
    }

    #[test]
    fn other_families_fall_back_to_the_built_in_font() {
        let elsewhere = written("happy").replace(FONT_FAMILY, "Nowhere");
        assert_ne!(elsewhere, written("happy"));
        assert_eq!(dark_pixels(&elsewhere), dark_pixels(&written("happy")));
    }

    #[test]
    fn widths_follow_the_letters_and_the_size() {
        let narrow = text_width("iiii", 12.0);
        assert!(narrow > 8.0 && narrow < 20.0, "{narrow}");
        assert!(text_width("mmmm", 12.0) > 2.0 * narrow);
        assert!((text_width("iiii", 24.0) - 2.0 * narrow).abs() < 0.1);
        assert_eq!(text_width("", 12.0), 0.0);
    }

    #[test]
    fn what_is_not_svg_or_has_no_pixels_is_refused() {
        assert!(matches!(png("<svg", 1.0), Err(FigureError::Svg(_))));
        let document = drawing::sheet(30.0, 20.0).to_string();
        assert!(matches!(png(&document, 0.0), Err(FigureError::Size { .. })));
        assert!(matches!(png(&document, 1e9), Err(FigureError::Size { .. })));
    }
}
