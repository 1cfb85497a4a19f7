//! One picture file: decoded, or left out with a reason.

use std::io::{self, Read};
use std::path::Path;

use crate::error::{DataError, Flaw};
use crate::picture::{MOST_BYTES, Picture, PictureFacts, PictureFormat, Resize};
use crate::regular::open_regular;
use crate::skipped::{Skipped, reason};

/// Bytes that tell a format.
const HEAD: usize = 64;

/// A file up to this length, in bytes, is read at once, whatever it is.
const SHORT: u64 = 64 << 10;

/// Reads and decodes the file at `path`. The memory of `bytes`, whatever it holds, is used to read.
pub(crate) fn decode(
    path: &Path,
    resize: Resize,
    bytes: &mut Vec<u8>,
) -> Result<(Picture, PictureFacts), Skipped> {
    let name = path.display().to_string();
    let leave_out = |reason, detail: String| Skipped::new(&name, reason, detail);
    let unreadable = |error: io::Error| leave_out(reason::UNREADABLE, error.to_string());
    let (mut file, length) = open_regular(path).map_err(unreadable)?;
    if length == 0 {
        return Err(leave_out(reason::EMPTY_FILE, "it has 0 bytes".into()));
    }
    bytes.clear();
    let mut start = file.by_ref().take(length.min(SHORT));
    start.read_to_end(bytes).map_err(unreadable)?;
    if PictureFormat::of(bytes).is_none() {
        bytes.truncate(HEAD);
    } else if length > MOST_BYTES {
        let detail = format!("{length} bytes, at most {MOST_BYTES} are read");
        return Err(leave_out(reason::TOO_LARGE, detail));
    } else if length > SHORT {
        // What is appended meanwhile is another file's.
        let mut rest = file.take(length - SHORT);
        rest.read_to_end(bytes).map_err(unreadable)?;
    }
    Picture::decode_with_facts(bytes, &name, resize).map_err(|error| match error {
        DataError::Decode { flaw, reason, .. } => leave_out(kind(flaw, path), reason),
        other => leave_out(reason::UNREADABLE, other.to_string()),
    })
}

fn kind(flaw: Flaw, path: &Path) -> &'static str {
    match flaw {
        Flaw::Foreign if is_named_like_a_picture(path) => reason::NOT_A_PICTURE,
        Flaw::Foreign => reason::OTHER_FILE,
        Flaw::TooLarge => reason::TOO_LARGE,
        Flaw::Broken => reason::BROKEN_PICTURE,
    }
}

/// Whether a file is named like a picture.
pub(crate) fn is_named_like_a_picture(path: &Path) -> bool {
    PictureFormat::of_name(path).is_some()
}

/// The format of a picture's content, where its name says another.
pub(crate) fn misnamed(path: &Path, facts: &PictureFacts) -> Option<PictureFormat> {
    (PictureFormat::of_name(path) != Some(facts.format)).then_some(facts.format)
}
