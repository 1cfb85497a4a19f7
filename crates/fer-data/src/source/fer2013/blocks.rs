//! A text in blocks of whole lines, so that several can be read at once.

use std::io::{self, Read};

use memchr::{memchr2, memrchr2};

use crate::source::table::{LONGEST_ROW, too_long};

/// A reader that gives whole lines, many at a time. A line ends with LF, CR or both.
pub(crate) struct Blocks<R> {
    reader: R,
    /// The start of a line whose end has not been read.
    rest: Vec<u8>,
    size: usize,
    ended: bool,
}

impl<R: Read> Blocks<R> {
    /// Blocks of about `size` bytes, or of one line where that is longer.
    pub(crate) fn new(reader: R, size: usize) -> Self {
        Blocks {
            reader,
            rest: Vec::new(),
            size,
            ended: false,
        }
    }

    /// Puts the next lines into `block` in place of what it holds: nothing at the end of the text.
    ///
    /// # Errors
    /// Those of the reader; a line of more than [`LONGEST_ROW`] bytes and a block.
    pub(crate) fn fill(&mut self, block: &mut Vec<u8>) -> io::Result<()> {
        block.clear();
        block.append(&mut self.rest);
        let mut wanted = self.size;
        while !self.ended {
            let missing = wanted.saturating_sub(block.len());
            let read = self
                .reader
                .by_ref()
                .take(missing as u64)
                .read_to_end(block)?;
            self.ended = read < missing;
            if self.ended {
                break;
            }
            if let Some(end) = last_line_end(block) {
                self.rest.extend_from_slice(&block[end..]);
                block.truncate(end);
                break;
            }
            if block.len() > LONGEST_ROW {
                return Err(too_long());
            }
            wanted = 2 * block.len().max(1);
        }
        Ok(())
    }
}

/// Where the last line surely ends: a CR at the very end may belong to an LF that follows.
fn last_line_end(block: &[u8]) -> Option<usize> {
    let (_, before) = block.split_last()?;
    let place = memrchr2(b'\n', b'\r', before)?;
    Some(if block[place..].starts_with(b"\r\n") {
        place + 2
    } else {
        place + 1
    })
}

/// The lines of a block without their ends, empty ones too.
pub(crate) struct Lines<'a>(&'a [u8]);

impl<'a> Lines<'a> {
    pub(crate) fn of(block: &'a [u8]) -> Self {
        Lines(block)
    }

    /// The text that has not been given yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.0
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let end = memchr2(b'\n', b'\r', self.0).unwrap_or(self.0.len());
        let (line, rest) = self.0.split_at(end);
        self.0 = match rest {
            [b'\r', b'\n', rest @ ..] | [_, rest @ ..] => rest,
            [] => rest,
        };
        Some(line)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn blocks(text: &str, size: usize) -> Vec<Vec<u8>> {
        let mut blocks = Blocks::new(text.as_bytes(), size);
        let mut all = Vec::new();
        loop {
            let mut block = Vec::new();
            blocks.fill(&mut block).unwrap();
            if block.is_empty() {
                return all;
            }
            all.push(block);
        }
    }

    fn lines(block: &[u8]) -> Vec<String> {
        let lines = Lines::of(block).map(|line| String::from_utf8(line.to_vec()).unwrap());
        lines.collect()
    }

    #[test]
    fn the_lines_are_the_same_for_every_size_of_block_and_every_kind_of_line_end() {
        let words = ["first", "", "third and longer", "4", "", "", "the last"];
        for end in ["\n", "\r\n", "\r"] {
            for closed in [true, false] {
                let text = words.join(end) + if closed { end } else { "" };
                for size in 1..=text.len() + 2 {
                    let found: Vec<String> = blocks(&text, size)
                        .iter()
                        .flat_map(|block| lines(block))
                        .collect();
                    assert_eq!(found, words, "{end:?}, blocks of {size}");
                }
            }
        }
    }

    #[test]
    fn a_small_block_holds_few_lines_and_a_long_line_stays_whole() {
        let text = format!("a\nb\n{}\nc\n", "x".repeat(100));
        let found = blocks(&text, 4);
        assert!(found.len() > 2, "{found:?}");
        assert!(
            found
                .iter()
                .any(|block| lines(block).contains(&"x".repeat(100)))
        );
        assert_eq!(blocks(&text, 1000).len(), 1);
        assert!(blocks("", 4).is_empty());
    }
}
