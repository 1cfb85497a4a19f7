/// What a file is that is none of the formats that are decoded, and what to do about it.
pub(crate) fn describe(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "the file is empty (0 bytes): copy or download it again".into();
    }
    if bytes.iter().all(|&byte| byte == 0) {
        return "the file holds nothing but zeros: copy or download it again".into();
    }
    if bytes.starts_with(b"version https://git-lfs") {
        return "it is the pointer of a Git LFS file and not the file: run `git lfs pull`".into();
    }
    let text = start_of_text(bytes);
    if let Some(text) = &text
        && ["<!doctype html", "<html", "<head"]
            .iter()
            .any(|tag| text.starts_with(tag))
    {
        return "it is a web page, probably the answer of a failed download: download it again"
            .into();
    }
    if let Some(kind) = known(bytes, text.as_deref()) {
        return format!("it is {kind}, which is not read here: save it as PNG or JPEG");
    }
    let kind = match text {
        Some(_) => "it is text",
        None => "its first bytes belong to no known picture",
    };
    format!(
        "{kind} and no PNG, JPEG, BMP, GIF, WebP, TIFF or PNM file: take it out of the data, or save it as PNG"
    )
}

/// Other kinds of files that lie among pictures.
fn known(bytes: &[u8], text: Option<&str>) -> Option<&'static str> {
    let brand = match bytes.get(4..12) {
        Some(brand) if brand.starts_with(b"ftyp") => &brand[4..],
        _ => &[],
    };
    match brand {
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"mif1" | b"msf1" => {
            return Some("a HEIC picture");
        }
        b"avif" | b"avis" => return Some("an AVIF picture"),
        [] => {}
        _ => return Some("a video"),
    }
    const STARTS: [(&[u8], &str); 13] = [
        (b"%PDF", "a PDF document"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"\x1f\x8b", "a gzip archive"),
        (b"7z\xbc\xaf", "a 7z archive"),
        (b"Rar!", "a RAR archive"),
        (b"8BPS", "a Photoshop picture"),
        (b"\0\0\x01\0", "an icon"),
        (b"\xff\x0a", "a JPEG XL picture"),
        (b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
        (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
        (b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
        (b"qoif", "a QOI picture"),
        (b"\x76\x2f\x31\x01", "an OpenEXR picture"),
    ];
    if text.is_some_and(|text| text.starts_with("<svg") || text.contains("<svg ")) {
        return Some("an SVG drawing");
    }
    STARTS
        .iter()
        .find(|(start, _)| bytes.starts_with(start))
        .map(|(_, kind)| *kind)
}

/// The first thousand bytes in lower case, if they are UTF-8 without control characters.
fn start_of_text(bytes: &[u8]) -> Option<String> {
    let start = &bytes[..bytes.len().min(1000)];
    let text = match std::str::from_utf8(start) {
        Ok(text) => text,
        // Only a character that the thousand cuts in two.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&start[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    let printable = |letter: char| !letter.is_control() || letter.is_whitespace();
    text.chars().all(printable).then(|| {
        text.trim_start_matches(['\u{feff}', ' ', '\n', '\r', '\t'])
            .to_lowercase()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_often_lies_among_pictures_is_called_by_its_name() {
        let cases: [(&[u8], &str); 10] = [
            (b"", "empty"),
            (&[0; 900], "zeros"),
            (b"\n<!DOCTYPE html><html>", "web page"),
            (
                b"version https://git-lfs.github.com/spec/v1",
                "git lfs pull",
            ),
            (b"<?xml version='1.0'?><svg width='3'/>", "SVG"),
            (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
            (b"\0\0\0\x18ftypavif\0\0\0\0", "AVIF"),
            (b"%PDF-1.4", "PDF"),
            (b"hello", "it is text"),
            (&[200, 1, 7, 9], "no known picture"),
        ];
        for (bytes, expected) in cases {
            let found = describe(bytes);
            assert!(found.contains(expected), "{found}");
        }
    }
}
