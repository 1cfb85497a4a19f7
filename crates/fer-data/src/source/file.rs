//! One picture file: decoded, or left out with a reason.

use std::fs::{self, File};
use std::io::{self, Cursor, Read};
use std::path::Path;

use image::{ImageDecoder, ImageFormat, ImageReader};

use crate::picture::Picture;
use crate::skipped::{Skipped, reason};

/// The longest file, in bytes, that is taken for a picture.
const MOST_BYTES: u64 = 256 << 20;

/// The longest side, in pixels, that is decoded.
const LONGEST_SIDE: u32 = 20_000;

/// The most memory, in bytes, that the pixels of one picture may take.
const MOST_MEMORY: u64 = 512 << 20;

/// Bytes that tell a format.
const HEAD: usize = 64;

/// A decoded file.
pub(crate) struct Decoded {
    /// What it shows.
    pub(crate) picture: Picture,
    /// The format of its content, where its name says another.
    pub(crate) misnamed: Option<&'static str>,
}

/// Reads and decodes the file at `path`.
///
/// How pictures are made grey and 48×48 is decided here, for every source of files.
pub(crate) fn decode(path: &Path) -> Result<Decoded, Skipped> {
    let name = path.display().to_string();
    let leave_out = |reason, detail: String| Skipped::new(&name, reason, detail);
    let unreadable = |error: io::Error| leave_out(reason::UNREADABLE, error.to_string());
    let length = fs::metadata(path).map_err(unreadable)?.len();
    if length == 0 {
        return Err(leave_out(reason::EMPTY_FILE, "it has 0 bytes".into()));
    }
    let mut bytes = Vec::new();
    let mut file = File::open(path).map_err(unreadable)?;
    let head = file.by_ref().take(HEAD as u64).read_to_end(&mut bytes);
    head.map_err(unreadable)?;
    let known = image::guess_format(&bytes).ok();
    let Some(format) = known.filter(ImageFormat::reading_enabled) else {
        return Err(no_picture(path, &name));
    };
    if length > MOST_BYTES {
        let detail = format!("{length} bytes, at most {MOST_BYTES} are read");
        return Err(leave_out(reason::TOO_LARGE, detail));
    }
    file.read_to_end(&mut bytes).map_err(unreadable)?;
    if format == ImageFormat::Jpeg && is_cut_short(&bytes) {
        let detail = "the JPEG has no end";
        return Err(leave_out(reason::BROKEN_PICTURE, detail.into()));
    }
    match Picture::decode(&bytes, &name) {
        Ok(picture) => Ok(Decoded {
            picture,
            misnamed: misnamed(path, format),
        }),
        Err(error) => Err(match excess(&bytes) {
            Some(detail) => leave_out(reason::TOO_LARGE, detail),
            None => leave_out(reason::BROKEN_PICTURE, error.to_string()),
        }),
    }
}

/// Whether a file is named like a picture.
pub(crate) fn is_named_like_a_picture(path: &Path) -> bool {
    ImageFormat::from_path(path).is_ok()
}

fn no_picture(path: &Path, name: &str) -> Skipped {
    let detail = "its first bytes belong to no PNG, JPEG, BMP, GIF, WebP, TIFF or PNM file";
    if is_named_like_a_picture(path) {
        Skipped::new(name, reason::NOT_A_PICTURE, detail)
    } else {
        Skipped::new(name, reason::OTHER_FILE, detail)
    }
}

fn misnamed(path: &Path, content: ImageFormat) -> Option<&'static str> {
    let named = ImageFormat::from_path(path).ok();
    (named != Some(content)).then(|| content.extensions_str().first().copied().unwrap_or(""))
}

/// Whether a JPEG's last scan has no end: decoders fill what is missing with grey and say nothing.
///
/// Within a scan no byte of a marker follows 0xff (ITU-T T.81, B.1.1.5), so that the bytes of the
/// markers themselves can be sought.
fn is_cut_short(bytes: &[u8]) -> bool {
    let last = |marker: u8| bytes.windows(2).rposition(|pair| pair == [0xff, marker]);
    let (start_of_scan, end_of_image) = (last(0xda), last(0xd9));
    end_of_image < start_of_scan || end_of_image.is_none()
}

/// By what a picture is too large, where its header says so.
fn excess(bytes: &[u8]) -> Option<String> {
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .ok()?;
    reader.no_limits();
    let decoder = reader.into_decoder().ok()?;
    let (width, height) = decoder.dimensions();
    if width.max(height) > LONGEST_SIDE {
        return Some(format!(
            "{width}×{height} pixels, at most {LONGEST_SIDE} a side are read"
        ));
    }
    let memory = decoder.total_bytes();
    (memory > MOST_MEMORY)
        .then(|| format!("{width}×{height} pixels take {memory} bytes, at most {MOST_MEMORY} may"))
}
