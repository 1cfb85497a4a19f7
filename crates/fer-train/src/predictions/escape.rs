//! Texts that no spreadsheet takes for a formula.

use std::borrow::Cow;

/// What makes a spreadsheet compute a cell that begins with it, and the apostrophe that keeps it from
/// that.
const STARTS: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\n'];
const GUARD: char = '\'';

/// `text` with an apostrophe before it where it begins like a formula or with an apostrophe.
pub(super) fn escaped(text: &str) -> Cow<'_, str> {
    if text.starts_with(STARTS) || text.starts_with(GUARD) {
        return Cow::Owned(format!("{GUARD}{text}"));
    }
    Cow::Borrowed(text)
}

/// What [`escaped`] was given.
pub(super) fn unescaped(cell: &str) -> &str {
    cell.strip_prefix(GUARD).unwrap_or(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_guarded_and_every_text_comes_back() {
        for text in [
            "=1+1", "+1", "-1", "@sum", "\tx", "\r", "\n=", "'", "''=", "", "a=1", "happy",
        ] {
            let cell = escaped(text);
            assert!(!cell.starts_with(STARTS), "{cell}");
            assert_eq!(unescaped(&cell), text);
        }
        assert_eq!(escaped("row 3"), "row 3");
    }
}
