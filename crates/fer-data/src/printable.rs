//! Text from outside, as people may be shown it.

use std::borrow::Cow;
use std::path::Path;

/// `text` as one line that steers neither a terminal nor the order in which letters are read: what
/// would is written out, such as `\n`, `\u{1b}` or `\u{202e}`. Names of files, labels and cells of
/// tables come from strangers, and so does whatever a model file says of itself.
///
/// ```
/// use fer_data::printable;
///
/// assert_eq!(printable("gpj\u{202e}.exe\u{1b}[2J"), "gpj\\u{202e}.exe\\u{1b}[2J");
/// assert_eq!(printable("Zürich, 48×48"), "Zürich, 48×48");
/// ```
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if steers(letter) {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    Cow::Owned(shown)
}

/// A path as [`printable`] text; bytes that are no Unicode become `�`.
pub fn printable_path(path: &Path) -> String {
    printable(&path.to_string_lossy()).into_owned()
}

/// Whether a letter does something else than stand in its place: the control characters of ASCII and
/// Latin-1, the ends of lines and paragraphs, the marks, embeddings, overrides and isolates of text
/// that runs both ways (Unicode Standard Annex 9), and the letters of language tags, which nobody sees.
pub(crate) fn steers(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{61c}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
                | '\u{feff}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_is_written_out_and_what_is_written_out_stays() {
        for (text, shown) in [
            ("a\u{1b}[31mb\tc", "a\\u{1b}[31mb\\tc"),
            ("one\nerror: two\r", "one\\nerror: two\\r"),
            ("\u{9b}31m\u{7f}", "\\u{9b}31m\\u{7f}"),
            ("\u{2067}x\u{2069}\u{200f}", "\\u{2067}x\\u{2069}\\u{200f}"),
            ("Zürich → 48×48 한국 👩‍👧", "Zürich → 48×48 한국 👩‍👧"),
        ] {
            assert_eq!(printable(text), shown);
            assert_eq!(printable(shown), shown);
        }
    }

    #[test]
    #[cfg(unix)]
    fn paths_that_are_no_unicode_are_shown_all_the_same() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        let path = Path::new(OsStr::from_bytes(b"caf\xe9\n.png"));
        assert_eq!(printable_path(path), "caf\u{fffd}\\n.png");
    }
}
