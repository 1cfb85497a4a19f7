use std::path::Path;

use image::DynamicImage;

use crate::error::DataError;
use crate::picture::facts::PictureFacts;
use crate::picture::resize::Resize;
use crate::picture::upright::Upright;
use crate::picture::{Picture, luma};
use crate::regular::read_regular;

/// The longest side, in pixels, that is decoded.
pub const LONGEST_SIDE: u32 = 20_000;

/// The most memory, in bytes, that the pixels of one picture may take as the file stores them.
pub const MOST_MEMORY: u64 = 512 << 20;

/// The longest file, in bytes, that is taken for a picture.
pub(crate) const MOST_BYTES: u64 = 256 << 20;

/// Decoding: a file's bytes become an upright grey picture of 48×48.
///
/// Colours become grey as `cv2.imread(IMREAD_COLOR)` followed by OpenCV's `BGR2GRAY` makes them.
/// Alpha is dropped and not blended, since a face behind a transparent border stays the face that
/// the file holds, and since no background colour would be right. 16-bit values keep their upper
/// byte. EXIF's orientation is applied, of an animation the first frame is taken, of a TIFF file the
/// first page.
impl Picture {
    /// Reads a PNG, JPEG, BMP, GIF, WebP, TIFF or PNM file, told by its content, and resizes it by
    /// [`Resize::Antialiased`].
    ///
    /// # Errors
    /// [`DataError::Read`] or [`DataError::Decode`], naming the file.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        Picture::open_with(path, Resize::default())
    }

    /// As [`open`](Self::open), resized as asked.
    ///
    /// # Errors
    /// As `open`.
    pub fn open_with(path: &Path, resize: Resize) -> Result<Self, DataError> {
        Ok(Picture::open_with_facts(path, resize)?.0)
    }

    /// As [`open_with`](Self::open_with), and what the file was.
    ///
    /// # Errors
    /// As `open`.
    pub fn open_with_facts(path: &Path, resize: Resize) -> Result<(Self, PictureFacts), DataError> {
        let bytes = read_regular(path, MOST_BYTES).map_err(|source| DataError::Read {
            path: path.to_path_buf(),
            source,
        })?;
        Picture::decode_with_facts(&bytes, &path.display().to_string(), resize)
    }

    /// Decodes the bytes of a picture file; `name` is what an error calls it. Resizes by
    /// [`Resize::Antialiased`].
    ///
    /// # Errors
    /// [`DataError::Decode`] for bytes that are no whole picture of a known format, or one whose
    /// sides pass [`LONGEST_SIDE`] or whose pixels would take more than [`MOST_MEMORY`]: what is
    /// wrong, and what to do.
    pub fn decode(bytes: &[u8], name: &str) -> Result<Self, DataError> {
        Picture::decode_with(bytes, name, Resize::default())
    }

    /// As [`decode`](Self::decode), resized as asked.
    ///
    /// # Errors
    /// As `decode`.
    pub fn decode_with(bytes: &[u8], name: &str, resize: Resize) -> Result<Self, DataError> {
        Ok(Picture::decode_with_facts(bytes, name, resize)?.0)
    }

    /// As [`decode_with`](Self::decode_with), and what the file was.
    ///
    /// # Errors
    /// As `decode`.
    pub fn decode_with_facts(
        bytes: &[u8],
        name: &str,
        resize: Resize,
    ) -> Result<(Self, PictureFacts), DataError> {
        let upright = Upright::grey(bytes, name)?;
        Ok((resize.apply(&upright.image.into_luma8()), upright.facts))
    }

    /// Turns any decoded image into a picture by [`Resize::Antialiased`].
    ///
    /// # Panics
    /// If the image has no pixel.
    pub fn from_image(image: &DynamicImage) -> Self {
        Picture::from_image_with(image, Resize::default())
    }

    /// As [`from_image`](Self::from_image), resized as asked.
    ///
    /// # Panics
    /// If the image has no pixel.
    pub fn from_image_with(image: &DynamicImage, resize: Resize) -> Self {
        assert!(
            image.width() > 0 && image.height() > 0,
            "an image of no pixels is no picture"
        );
        resize.apply(&luma::grey(image))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::io::Cursor;

    use image::{GrayImage, ImageFormat, Luma, Rgb, RgbImage};

    use super::*;

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
