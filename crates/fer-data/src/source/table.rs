//! What the readers of tables share.

use std::io::{self, Read};

use csv::{Position, Reader};

use crate::skipped::Skipped;

/// The longest line or row of a table, in bytes.
pub(crate) const LONGEST_ROW: usize = 1 << 20;

/// The longest path, label, subject or split of a table, in bytes.
pub(crate) const LONGEST_CELL: usize = 4096;

/// A table with more malformed rows than this is none, and their list would fill the memory.
pub(crate) const MOST_MALFORMED: usize = 100_000;

/// What is said of a longer row.
pub(crate) fn too_long() -> io::Error {
    let reason = format!(
        "a row is longer than {LONGEST_ROW} bytes: a quote is opened and not closed, or this is no table"
    );
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

/// What is said of very many.
pub(crate) fn many_malformed(malformed: &[Skipped]) -> String {
    let first = malformed.first().map_or("", |first| &first.detail);
    format!("so many rows are malformed that it is no such table; the first: {first}")
}

/// A reader for the csv crate, which holds a row in memory however long it is: it fails once that is more
/// than any row has.
pub(crate) struct Rows<R> {
    reader: R,
    left: usize,
}

impl<R> Rows<R> {
    pub(crate) fn new(reader: R) -> Self {
        Rows {
            reader,
            left: LONGEST_ROW,
        }
    }

    /// To be called before each row.
    pub(crate) fn next(&mut self) {
        self.left = LONGEST_ROW;
    }
}

impl<R: Read> Read for Rows<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.left = self.left.checked_sub(count).ok_or_else(too_long)?;
        Ok(count)
    }
}

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
