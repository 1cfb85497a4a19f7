/// What is read of a JPEG file beside its pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outline {
    /// Colour components of the frame: 1 grey, 3 colour, 4 CMYK.
    pub(crate) components: u8,
    /// Whether the marker of the end was met. Without it the file is cut short, and decoders fill
    /// the rest with grey.
    pub(crate) ended: bool,
}

const END_OF_IMAGE: u8 = 0xD9;

/// Walks the markers of a JPEG file (ITU-T T.81, annex B). Segments are skipped by their length, so
/// the end of a thumbnail inside one is not taken for the end of the picture.
pub(crate) fn outline(bytes: &[u8]) -> Outline {
    let mut outline = Outline::default();
    let mut at = 2;
    while let Some((marker, after)) = next_marker(bytes, at) {
        at = after;
        match marker {
            END_OF_IMAGE => {
                outline.ended = true;
                return outline;
            }
            // Restart markers, a second start and TEM stand alone.
            0xD0..=0xD8 | 0x01 => continue,
            // Frame headers; 0xC4, 0xC8 and 0xCC among them are something else.
            0xC0..=0xCF if !matches!(marker, 0xC4 | 0xC8 | 0xCC) => {
                outline.components = bytes.get(at + 7).copied().unwrap_or(0);
            }
            _ => {}
        }
        let Some(&[high, low]) = bytes.get(at..at + 2) else {
            return outline;
        };
        at += usize::from(u16::from_be_bytes([high, low]));
    }
    outline
}

/// The next marker at or after `at`, and the place behind it. Anything else is passed over: the data
/// of a scan, where a 0xFF followed by 0 is a value, and stray bytes, which other decoders suffer too.
fn next_marker(bytes: &[u8], at: usize) -> Option<(u8, usize)> {
    let pairs = bytes.get(at..)?.windows(2);
    pairs
        .enumerate()
        .find(|(_, pair)| pair[0] == 0xFF && !matches!(pair[1], 0 | 0xFF))
        .map(|(offset, pair)| (pair[1], at + offset + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A start, a segment that holds the end of a thumbnail, a frame of three, a scan.
    const HEAD: &[u8] = &[
        0xFF, 0xD8, 0xFF, 0xE1, 0, 6, 0xFF, 0xD9, 0xFF, 0xD9, 0xFF, 0xC0, 0, 8, 8, 0, 1, 0, 1, 3,
        0xFF, 0xDA, 0, 2, 17, 0xFF, 0, 0xFF, 0xD0, 4,
    ];

    #[test]
    fn the_end_of_a_thumbnail_is_not_the_end_of_the_picture() {
        let cut = outline(HEAD);
        assert_eq!((cut.components, cut.ended), (3, false));
        let whole = outline(&[HEAD, &[0xFF, 0xD9, 1, 2, 3]].concat());
        assert_eq!((whole.components, whole.ended), (3, true));
    }

    #[test]
    fn every_cut_is_without_an_end() {
        for length in 0..HEAD.len() {
            assert!(!outline(&HEAD[..length]).ended, "{length} bytes");
        }
    }
}
