use std::io::Cursor;
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageReader, Limits};

use crate::error::{DataError, Flaw};
use crate::picture::decode::{LONGEST_SIDE, MOST_MEMORY};
use crate::picture::facts::{PictureFacts, PictureFormat, PictureMode};
use crate::picture::room::{ROOM, Taken};
use crate::picture::{foreign, jpeg, luma};

/// The most memory, in bytes, that a decoder may take before the size of the picture is known: for colour
/// profiles, which may be packed.
const MOST_FOR_HEAD: u64 = 64 << 20;

/// A picture of no more pixels may be stored in as few bytes as it likes.
const FEW_PIXELS: u64 = 1 << 20;

/// The most pixels that a byte of a JPEG file can stand for: each block of 64 takes a bit at least.
const MOST_PIXELS_OF_JPEG: u64 = 512;

/// As that, of other formats: deflate packs 1,032 to one, and a byte may hold eight pixels.
const MOST_PIXELS: u64 = 8 * 1032;

/// A picture whose pixels take no more bytes than this is decoded whatever else is.
const SMALL: u64 = 1 << 20;

/// The grey image as people see it, in its own size.
#[cfg(feature = "detect")]
pub(crate) fn upright_grey(
    bytes: &[u8],
    name: &str,
) -> Result<(image::GrayImage, PictureFacts), DataError> {
    let upright = Upright::grey(bytes, name)?;
    Ok((upright.image.into_luma8(), upright.facts))
}

/// The coloured image as people see it, in its own size.
#[cfg(feature = "detect")]
pub(crate) fn upright_colours(bytes: &[u8], name: &str) -> Result<image::RgbImage, DataError> {
    let colours = |image: DynamicImage| DynamicImage::ImageRgb8(image.into_rgb8());
    let upright = Upright::decode(bytes, Path::new(name), colours).map_err(named(name))?;
    Ok(upright.image.into_rgb8())
}

fn named(name: &str) -> impl FnOnce((Flaw, String)) -> DataError {
    move |(flaw, reason)| DataError::Decode {
        name: name.to_string(),
        flaw,
        reason,
    }
}

/// An image as people see it.
pub(super) struct Upright {
    pub(super) image: DynamicImage,
    pub(super) facts: PictureFacts,
    /// What its pixels took of the memory that all threads share, held as long as they are.
    _room: Option<Taken<'static>>,
}

impl Upright {
    /// Its values are grey, 8 bits each.
    pub(super) fn grey(bytes: &[u8], name: &str) -> Result<Self, DataError> {
        let grey = |image| match image {
            grey @ DynamicImage::ImageLuma8(_) => grey,
            other => DynamicImage::ImageLuma8(luma::grey(&other)),
        };
        Upright::decode(bytes, Path::new(name), grey).map_err(named(name))
    }

    /// Its values are made by `convert`; or what is wrong, and what to do.
    fn decode(
        bytes: &[u8],
        name: &Path,
        convert: impl FnOnce(DynamicImage) -> DynamicImage,
    ) -> Result<Self, (Flaw, String)> {
        let format =
            PictureFormat::of(bytes).ok_or_else(|| (Flaw::Foreign, foreign::describe(bytes)))?;
        let explain = |error: ImageError| explain(&error, format, name);
        let outline = match format {
            PictureFormat::Jpeg => jpeg::outline(bytes),
            _ => jpeg::Outline::default(),
        };
        let mut reader = ImageReader::with_format(Cursor::new(bytes), format.decoder());
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(MOST_FOR_HEAD);
        reader.limits(limits.clone());
        limits.max_alloc = Some(MOST_MEMORY);
        let mut decoder = reader.into_decoder().map_err(explain)?;
        let total = decoder.total_bytes();
        check_size(decoder.dimensions(), total)?;
        check_claim(decoder.dimensions(), bytes.len(), format)?;
        limits.reserve(total).map_err(explain)?;
        decoder.set_limits(limits).map_err(explain)?;
        let mode = PictureMode::of(bytes, format, decoder.original_color_type(), outline);
        if mode.bits == 32 {
            let reason = "its values are floating-point numbers, of which nobody knows what is \
                          white: save it with 8 or 16 bits";
            return Err((Flaw::Broken, reason.into()));
        }
        // Damaged EXIF says nothing about the pixels: they are upright as stored.
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let room = (total > SMALL).then(|| ROOM.take(total));
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
        Ok(Upright {
            image,
            facts,
            _room: room,
        })
    }
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

/// A few bytes that claim many pixels cost much memory and time, and show no face.
fn check_claim(
    (width, height): (u32, u32),
    bytes: usize,
    format: PictureFormat,
) -> Result<(), (Flaw, String)> {
    let pixels = u64::from(width) * u64::from(height);
    let most = match format {
        PictureFormat::Jpeg => MOST_PIXELS_OF_JPEG,
        _ => MOST_PIXELS,
    };
    if pixels <= FEW_PIXELS.max(most * bytes as u64) {
        return Ok(());
    }
    let reason = format!(
        "it claims {width}×{height} pixels, more than its {bytes} bytes can hold: copy or download it \
         again, or take it out of the data"
    );
    Err((Flaw::Broken, reason))
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
            let reason =
                "decoding it would take too much memory: scale it down or crop the face first";
            (Flaw::TooLarge, reason.into())
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
