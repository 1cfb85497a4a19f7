//! Texts that no spreadsheet takes for a formula. Names of files and classes come from strangers, and every
//! table that has such texts writes them so; numbers stay as they are.

use std::borrow::Cow;

/// What makes a spreadsheet compute a cell that begins with it.
const STARTS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// What keeps it from that.
const GUARD: char = '\'';

/// `text` with an apostrophe before it where it begins like a formula or with an apostrophe.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    if text.starts_with(STARTS) || text.starts_with(GUARD) {
        return Cow::Owned(format!("{GUARD}{text}"));
    }
    Cow::Borrowed(text)
}

/// What [`escaped`] was given.
pub(crate) fn unescaped(cell: &str) -> &str {
    cell.strip_prefix(GUARD).unwrap_or(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_guarded_and_every_text_comes_back() {
        for text in [
            "=1+1", "+1", "-1", "@sum", "\tx", "\r", "\n=", "＝1", "'", "''=", "", "a=1", "happy",
        ] {
            let cell = escaped(text);
            assert!(!cell.starts_with(STARTS), "{cell}");
            assert_eq!(unescaped(&cell), text);
        }
        assert_eq!(escaped("row 3"), "row 3");
    }
}
