use std::fs;
use std::io::Cursor;
use std::path::Path;

use image::imageops::FilterType;
use image::{DynamicImage, GrayImage, ImageReader, Limits};

use crate::error::DataError;
use crate::picture::{Picture, SIDE};

/// The longest side, in pixels, that is decoded.
const LONGEST_SIDE: u32 = 20_000;
/// The most memory, in bytes, that decoding one picture may take.
const MOST_MEMORY: u64 = 512 << 20;

impl Picture {
    /// Reads a PNG, JPEG, BMP, GIF, WebP, TIFF or PNM file, told by its content.
    ///
    /// # Errors
    /// [`DataError::Read`] or [`DataError::Decode`], naming the file.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        let bytes = fs::read(path).map_err(|source| DataError::Read {
            path: path.to_path_buf(),
            source,
        })?;
        Picture::decode(&bytes, &path.display().to_string())
    }

    /// Decodes the bytes of a picture file; `name` is what an error calls it.
    ///
    /// # Errors
    /// [`DataError::Decode`] for bytes that are no whole picture of a known format, or one whose
    /// sides pass 20,000 pixels or whose decoding would take more than 512 MiB.
    pub fn decode(bytes: &[u8], name: &str) -> Result<Self, DataError> {
        let refuse = |reason: String| DataError::Decode {
            name: name.to_string(),
            reason,
        };
        let mut reader = ImageReader::new(Cursor::new(bytes))
            .with_guessed_format()
            .map_err(|error| refuse(error.to_string()))?;
        if reader.format().is_none() {
            return Err(refuse(unknown_format(bytes)));
        }
        let mut limits = Limits::default();
        limits.max_image_width = Some(LONGEST_SIDE);
        limits.max_image_height = Some(LONGEST_SIDE);
        limits.max_alloc = Some(MOST_MEMORY);
        reader.limits(limits);
        let image = reader.decode().map_err(|error| refuse(error.to_string()))?;
        Ok(Picture::from_image(&image))
    }

    /// Turns any decoded image into a picture: grey as ITU-R BT.601 luma (what OpenCV's
    /// `BGR2GRAY` computes), then 48×48 by an anti-aliased triangle filter.
    ///
    /// Sides are scaled independently, as the source document's `cv2.resize` does.
    pub fn from_image(image: &DynamicImage) -> Self {
        let grey = grey(image);
        let side = SIDE as u32;
        let sized = if grey.dimensions() == (side, side) {
            grey
        } else {
            image::imageops::resize(&grey, side, side, FilterType::Triangle)
        };
        let mut pixels = Box::new([0; crate::picture::PIXELS]);
        pixels.copy_from_slice(sized.as_raw());
        Picture::from_boxed(pixels)
    }
}

fn unknown_format(bytes: &[u8]) -> String {
    match bytes {
        [] => "the file is empty".into(),
        _ => "its first bytes belong to no PNG, JPEG, BMP, GIF, WebP, TIFF or PNM file".into(),
    }
}

/// Luma in OpenCV's 14-bit fixed point; pictures that are grey already keep their values.
fn grey(image: &DynamicImage) -> GrayImage {
    if !image.color().has_color() {
        return image.to_luma8();
    }
    let colour = image.to_rgb8();
    let luma = colour.pixels().map(|pixel| {
        let [red, green, blue] = pixel.0.map(u32::from);
        ((red * 4899 + green * 9617 + blue * 1868 + 8192) >> 14) as u8
    });
    let (width, height) = colour.dimensions();
    let values: Vec<u8> = luma.collect();
    GrayImage::from_fn(width, height, |x, y| {
        image::Luma([values[(y * width + x) as usize]])
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use image::{ImageFormat, Luma, Rgb, RgbImage};

    fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn grey_pixels_of_a_48_by_48_png_are_kept_as_they_are_with_the_bright_corner_in_place() {
        let image = GrayImage::from_fn(48, 48, |x, y| {
            Luma([if x > 40 && y < 4 { 250 } else { (x + y) as u8 }])
        });
        let picture =
            Picture::decode(&encoded(&image.clone().into(), ImageFormat::Png), "corner").unwrap();
        assert_eq!(picture.pixels().as_slice(), image.as_raw().as_slice());
        assert_eq!(picture.pixels()[47], 250, "the top right corner");
        assert_ne!(picture.pixels()[47 * 48], 250, "the bottom left corner");
    }

    #[test]
    fn colours_weigh_as_in_opencv() {
        let image = RgbImage::from_fn(48, 48, |x, _| match x {
            0..16 => Rgb([255, 0, 0]),
            16..32 => Rgb([0, 255, 0]),
            _ => Rgb([0, 0, 255]),
        });
        let picture = Picture::from_image(&image.into());
        assert_eq!(
            (
                picture.pixels()[0],
                picture.pixels()[20],
                picture.pixels()[40]
            ),
            (76, 150, 29)
        );
    }

    #[test]
    fn large_pictures_are_averaged_and_not_sampled() {
        let image = GrayImage::from_fn(480, 480, |x, _| Luma([if x % 2 == 0 { 0 } else { 255 }]));
        let picture = Picture::from_image(&image.into());
        assert!(
            picture
                .pixels()
                .iter()
                .all(|value| (120..=135).contains(value))
        );
    }

    #[test]
    fn each_format_decodes_and_what_is_none_is_refused_by_name() {
        let image: DynamicImage = RgbImage::from_pixel(60, 50, Rgb([90, 90, 90])).into();
        for format in [
            ImageFormat::Png,
            ImageFormat::Jpeg,
            ImageFormat::Bmp,
            ImageFormat::Gif,
            ImageFormat::WebP,
            ImageFormat::Tiff,
            ImageFormat::Pnm,
        ] {
            let picture = Picture::decode(&encoded(&image, format), "grey").unwrap();
            assert!(
                picture
                    .pixels()
                    .iter()
                    .all(|value| (88..=92).contains(value)),
                "{format:?}"
            );
        }
        let text = Picture::decode(b"hello", "note.txt")
            .unwrap_err()
            .to_string();
        assert!(text.contains("note.txt"), "{text}");
        let empty = Picture::decode(b"", "void.png").unwrap_err().to_string();
        assert!(
            empty.contains("void.png") && empty.contains("empty"),
            "{empty}"
        );
        let cut = &encoded(&image, ImageFormat::Png)[..60];
        assert!(
            Picture::decode(cut, "cut.png")
                .unwrap_err()
                .to_string()
                .contains("cut.png")
        );
    }
}
