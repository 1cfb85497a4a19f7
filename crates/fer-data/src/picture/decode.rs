use std::fs;
use std::io::Cursor;
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, ImageDecoder, ImageError, ImageReader, Limits};

use crate::error::{DataError, Flaw};
use crate::picture::facts::{PictureFacts, PictureFormat, PictureMode};
use crate::picture::resize::Resize;
use crate::picture::{Picture, foreign, jpeg, luma};

/// The longest side, in pixels, that is decoded.
pub const LONGEST_SIDE: u32 = 20_000;

/// The most memory, in bytes, that the pixels of one picture may take as the file stores them.
pub const MOST_MEMORY: u64 = 512 << 20;

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
        let bytes = fs::read(path).map_err(|source| DataError::Read {
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
        let (grey, facts) = upright_grey(bytes, name)?;
        Ok((resize.apply(&grey), facts))
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

/// The grey image as people see it, in its own size.
pub(crate) fn upright_grey(
    bytes: &[u8],
    name: &str,
) -> Result<(GrayImage, PictureFacts), DataError> {
    let grey = |image| match image {
        grey @ DynamicImage::ImageLuma8(_) => grey,
        other => DynamicImage::ImageLuma8(luma::grey(&other)),
    };
    let (image, facts) = upright(bytes, Path::new(name), grey).map_err(named(name))?;
    Ok((image.into_luma8(), facts))
}

/// The coloured image as people see it, in its own size.
#[cfg(feature = "detect")]
pub(crate) fn upright_colours(bytes: &[u8], name: &str) -> Result<image::RgbImage, DataError> {
    let colours = |image: DynamicImage| DynamicImage::ImageRgb8(image.into_rgb8());
    let (image, _) = upright(bytes, Path::new(name), colours).map_err(named(name))?;
    Ok(image.into_rgb8())
}

fn named(name: &str) -> impl FnOnce((Flaw, String)) -> DataError {
    move |(flaw, reason)| DataError::Decode {
        name: name.to_string(),
        flaw,
        reason,
    }
}

/// The image as people see it, its values made by `convert`; or what is wrong, and what to do.
fn upright(
    bytes: &[u8],
    name: &Path,
    convert: impl FnOnce(DynamicImage) -> DynamicImage,
) -> Result<(DynamicImage, PictureFacts), (Flaw, String)> {
    let format =
        PictureFormat::of(bytes).ok_or_else(|| (Flaw::Foreign, foreign::describe(bytes)))?;
    let explain = |error: ImageError| explain(&error, format, name);
    let outline = match format {
        PictureFormat::Jpeg => jpeg::outline(bytes),
        _ => jpeg::Outline::default(),
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format.decoder());
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder().map_err(explain)?;
    check_size(decoder.dimensions(), decoder.total_bytes())?;
    limits.reserve(decoder.total_bytes()).map_err(explain)?;
    decoder.set_limits(limits).map_err(explain)?;
    let mode = PictureMode::of(bytes, format, decoder.original_color_type(), outline);
    if mode.bits == 32 {
        let reason = "its values are floating-point numbers, of which nobody knows what is white: \
                      save it with 8 or 16 bits";
        return Err((Flaw::Broken, reason.into()));
    }
    // Damaged EXIF says nothing about the pixels: they are upright as stored.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let image = DynamicImage::from_decoder(decoder).map_err(explain)?;
    if format == PictureFormat::Jpeg && !outline.ended {
        let reason = damaged(format, name, "the end of the picture is missing");
        return Err((Flaw::Broken, reason));
    }
    let mut image = convert(image);
    image.apply_orientation(orientation);
    let facts = PictureFacts {
        width: image.width(),
        height: image.height(),
        mode,
        format,
    };
    Ok((image, facts))
}

fn check_size((width, height): (u32, u32), bytes: u64) -> Result<(), (Flaw, String)> {
    if width == 0 || height == 0 {
        let reason =
            format!("it is {width}×{height} pixels, which is no picture: take it out of the data");
        return Err((Flaw::Broken, reason));
    }
    if width > LONGEST_SIDE || height > LONGEST_SIDE {
        let reason = format!(
            "it claims {width}×{height} pixels, and at most {LONGEST_SIDE} a side are decoded: \
             scale it down or crop the face first"
        );
        return Err((Flaw::TooLarge, reason));
    }
    if bytes > MOST_MEMORY {
        let reason = format!(
            "its {width}×{height} pixels would take {} MiB, and at most {} are decoded: scale it \
             down or crop the face first",
            bytes.div_ceil(1 << 20),
            MOST_MEMORY >> 20
        );
        return Err((Flaw::TooLarge, reason));
    }
    Ok(())
}

/// What a decoder's refusal means to the owner of the file.
fn explain(error: &ImageError, format: PictureFormat, name: &Path) -> (Flaw, String) {
    match error {
        ImageError::Unsupported(_) => {
            let advice = "save it as PNG with 8 bits a colour";
            let reason = format!("this kind of {format} file is not read ({error}): {advice}");
            (Flaw::Broken, reason)
        }
        ImageError::Limits(_) => {
            let most = MOST_MEMORY >> 20;
            let advice = "scale it down or crop the face first";
            let reason = format!("decoding it would take more than {most} MiB: {advice}");
            (Flaw::TooLarge, reason)
        }
        _ => (Flaw::Broken, damaged(format, name, &error.to_string())),
    }
}

fn damaged(format: PictureFormat, name: &Path, what: &str) -> String {
    let misnamed = match PictureFormat::of_name(name) {
        Some(promised) if promised != format => format!(", although its name says {promised}"),
        _ => String::new(),
    };
    format!(
        "its content is {format}{misnamed}, but damaged or cut short ({what}): copy or download it \
         again, or take it out of the data"
    )
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
