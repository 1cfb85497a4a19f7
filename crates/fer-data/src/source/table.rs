//! What the readers of tables share.

use std::io::Read;

use csv::{Position, Reader};

/// Tells on which line of the file a record starts.
///
/// The csv crate counts line feeds, and where lines end with CRLF the one of a line belongs to the
/// record after it.
#[derive(Clone, Copy)]
pub(crate) struct Lines {
    behind: u64,
}

impl Lines {
    /// For a reader that has read its header, which stands on the first line.
    pub(crate) fn after_header<R: Read>(reader: &Reader<R>) -> Self {
        Lines {
            behind: 2u64.saturating_sub(reader.position().line()),
        }
    }

    /// The line of a record, counted from 1.
    pub(crate) fn of(self, position: Option<&Position>) -> u64 {
        position.map_or(0, Position::line) + self.behind
    }
}

/// A field without the blanks and the pair of quotes around it.
pub(crate) fn unquoted(field: &[u8]) -> &[u8] {
    let field = field.trim_ascii();
    match field {
        [b'"', inner @ .., b'"'] => inner.trim_ascii(),
        _ => field,
    }
}
