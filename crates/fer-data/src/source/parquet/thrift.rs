//! What a Parquet file says of itself, looked through before the crate `parquet` believes it.
//!
//! The crate (60.1.0) passes over what it does not know, and takes no byte for a truth value in a list: a
//! file of a kilobyte that claims lists of two thousand million of them keeps it busy for hours. Nothing
//! in Parquet's footer or in the heads of its pages is such a list, so a file that has one is refused.
//! Every other value takes a byte at least, which bounds the work by the length.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

/// The deepest nesting, as in the crate.
const DEEPEST: usize = 64;

/// How many bytes are read for the head of a page: what is enough for nearly all, and the most.
const HEADS: [u64; 2] = [1 << 13, 1 << 20];

/// The end of a file: the length of the footer before it in four bytes, and the magic.
const END: u64 = 8;

/// What is wrong with a list or a head.
type Suspicion = String;

/// Looks through the footer.
///
/// # Errors
/// What cannot be read, or in words what is not believed. A footer that is damaged in any other way is
/// for the crate to refuse.
pub(super) fn check_footer(file: &mut File) -> io::Result<Result<(), Suspicion>> {
    let length = file.seek(SeekFrom::End(0))?;
    if length < END {
        return Ok(Ok(()));
    }
    file.seek(SeekFrom::Start(length - END))?;
    let mut end = [0; 4];
    file.read_exact(&mut end)?;
    let footer = u64::from(u32::from_le_bytes(end));
    if footer > length - END {
        return Ok(Ok(()));
    }
    let bytes = read(file, length - END - footer..length - END)?;
    Ok(suspicious(Walk::new(&bytes).walk_struct(0)).map(drop))
}

/// Looks through the heads of the pages that stand in these bytes of the file.
///
/// # Errors
/// As [`check_footer`].
pub(super) fn check_pages(file: &mut File, pages: Range<u64>) -> io::Result<Result<(), Suspicion>> {
    let mut start = pages.start;
    while start < pages.end {
        let mut next = None;
        for longest in HEADS {
            let end = pages.end.min(start + longest);
            let head = read(file, start..end)?;
            let mut walk = Walk::new(&head);
            match suspicious(walk.walk_struct(0)) {
                Ok(Some(size)) => next = Some(walk.place as u64 + u64::from(size)),
                Ok(None) if end < pages.end => continue,
                Ok(None) => (),
                Err(suspicion) => return Ok(Err(suspicion)),
            }
            break;
        }
        // Damaged, or no page at all.
        let Some(length) = next else {
            return Ok(Ok(()));
        };
        start += length;
    }
    Ok(Ok(()))
}

fn read(file: &mut File, range: Range<u64>) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(range.start))?;
    let mut bytes = Vec::new();
    file.take(range.end.saturating_sub(range.start))
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

enum Stop {
    /// The bytes end, or are no Thrift.
    Damaged,
    Suspicious(&'static str),
}

/// The size of a page, where a walk came to its end.
fn suspicious(walked: Result<Option<u32>, Stop>) -> Result<Option<u32>, Suspicion> {
    match walked {
        Ok(size) => Ok(size),
        Err(Stop::Damaged) => Ok(None),
        Err(Stop::Suspicious(what)) => {
            Err(format!("it is no Parquet file that can be trusted: {what}"))
        }
    }
}

/// A walk over Thrift's compact protocol
/// (<https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>).
struct Walk<'a> {
    bytes: &'a [u8],
    place: usize,
}

impl<'a> Walk<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Walk { bytes, place: 0 }
    }

    fn byte(&mut self) -> Result<u8, Stop> {
        let byte = self.bytes.get(self.place).copied();
        self.place += 1;
        byte.ok_or(Stop::Damaged)
    }

    fn number(&mut self) -> Result<u64, Stop> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Stop::Damaged)
    }

    fn pass(&mut self, count: u64) -> Result<(), Stop> {
        let left = self.bytes.len().saturating_sub(self.place);
        if count > left as u64 {
            return Err(Stop::Damaged);
        }
        self.place += count as usize;
        Ok(())
    }

    /// Walks over a struct. Returns the whole number in its field 3, which is the packed size of a page
    /// where the struct is the head of one.
    fn walk_struct(&mut self, depth: usize) -> Result<Option<u32>, Stop> {
        let (mut field, mut size) = (0, None);
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Ok(size);
            }
            field = match head >> 4 {
                0 => unzigzag(self.number()?),
                step => field + i64::from(step),
            };
            let kind = head & 0x0f;
            if (field, kind) == (3, 5) {
                size = u32::try_from(unzigzag(self.number()?)).ok();
            } else {
                self.walk_value(kind, depth)?;
            }
        }
    }

    fn walk_value(&mut self, kind: u8, depth: usize) -> Result<(), Stop> {
        if depth > DEEPEST {
            return Err(Stop::Damaged);
        }
        match kind {
            // The truth value of a field is its kind.
            1 | 2 => Ok(()),
            3 => self.pass(1),
            4..=6 => self.number().map(drop),
            7 => self.pass(8),
            8 => {
                let length = self.number()?;
                self.pass(length)
            }
            9 | 10 => self.walk_list(depth + 1),
            11 => self.walk_map(depth + 1),
            12 => self.walk_struct(depth + 1).map(drop),
            13 => self.pass(16),
            _ => Err(Stop::Damaged),
        }
    }

    fn walk_list(&mut self, depth: usize) -> Result<(), Stop> {
        let head = self.byte()?;
        let count = match head >> 4 {
            15 => self.number()?,
            count => u64::from(count),
        };
        let kind = head & 0x0f;
        if count > 0 {
            refuse_truth(kind)?;
        }
        (0..count).try_for_each(|_| self.walk_value(kind, depth))
    }

    fn walk_map(&mut self, depth: usize) -> Result<(), Stop> {
        let count = self.number()?;
        if count == 0 {
            return Ok(());
        }
        let kinds = self.byte()?;
        let (key, value) = (kinds >> 4, kinds & 0x0f);
        refuse_truth(key)?;
        refuse_truth(value)?;
        (0..count).try_for_each(|_| {
            self.walk_value(key, depth)?;
            self.walk_value(value, depth)
        })
    }
}

fn refuse_truth(kind: u8) -> Result<(), Stop> {
    match kind {
        1 | 2 => Err(Stop::Suspicious(
            "it holds a list of truth values, which takes no room and may be of any length",
        )),
        _ => Ok(()),
    }
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::io::Write;

    use super::*;

    fn footer(thrift: &[u8]) -> Result<(), Suspicion> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"PAR1").unwrap();
        file.write_all(thrift).unwrap();
        file.write_all(&(thrift.len() as u32).to_le_bytes())
            .unwrap();
        file.write_all(b"PAR1").unwrap();
        check_footer(&mut file).unwrap()
    }

    #[test]
    fn lists_that_take_no_room_are_refused_wherever_they_stand() {
        let many = [0xff, 0xff, 0xff, 0xff, 0x07];
        let list = [&[0x19, 0xf1][..], &many, &[0]].concat();
        assert!(footer(&list).unwrap_err().contains("truth values"));
        let in_struct = [&[0x1c][..], &list, &[0]].concat();
        assert!(footer(&in_struct).is_err());
        let map = [&[0x1b][..], &many, &[0x15, 0]].concat();
        assert!(footer(&map).is_err());
        let in_list = [&[0x19, 0x19, 0xf2][..], &many, &[0]].concat();
        assert!(footer(&in_list).is_err());
    }

    #[test]
    fn what_is_whole_or_merely_damaged_is_left_to_the_crate() {
        // A truth value as a field, a number, a word, a list of two numbers, a map and a struct.
        let whole = [
            0x11, 0x15, 4, 0x18, 2, b'a', b'b', 0x19, 0x25, 2, 4, 0x1b, 1, 0x58, 2, 1, b'c', 0x1c,
            0, 0,
        ];
        footer(&whole).unwrap();
        for length in 0..whole.len() {
            footer(&whole[..length]).unwrap();
        }
        footer(&[0x19; 5000]).unwrap();
        footer(&[0x0f; 30]).unwrap();
    }

    #[test]
    fn heads_of_pages_are_found_one_after_the_other() {
        let good = [0x15, 0, 0x15, 8, 0x15, 4, 0, b'x', b'y'];
        let bad = [0x15, 0, 0x15, 8, 0x15, 4, 0x69, 0x11, 0];
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[&good[..], &good, &bad].concat()).unwrap();
        let pages = |file: &mut File, end| check_pages(file, 0..end).unwrap();
        pages(&mut file, 18).unwrap();
        assert!(pages(&mut file, 27).is_err());
    }
}
