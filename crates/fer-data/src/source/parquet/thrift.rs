//! What a Parquet file says of itself, looked through before the crate `parquet` believes it.
//!
//! The crate (60.1.0) takes the memory that a list of any claimed length wants, and that a page is said to
//! unpack to; and it takes no byte for a truth value in a list, so that a file of a kilobyte that claims
//! lists of two thousand million of them keeps it busy for hours. A file with a list of truth values,
//! which nothing in Parquet's footer or in the heads of its pages is, with a list that is longer than what
//! is left of the bytes, or with a page that unpacks to more than can be is refused. That bounds memory
//! and work by the length of the file.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

/// The deepest nesting, as in the crate.
const DEEPEST: usize = 64;

/// How many bytes are read for the head of a page: what is enough for most, for nearly all, and the most.
const HEADS: [u64; 3] = [1 << 8, 1 << 14, 1 << 20];

/// The most bytes that a page unpacks to, and how many times its packed size where that is less than
/// [`SMALL_PAGE`]. Pictures are packed already, and what writers call a page has a megabyte or two.
const LARGEST_PAGE: i64 = 512 << 20;
const MOST_TIMES: i64 = 1024;
const SMALL_PAGE: i64 = 16 << 20;

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
        let mut next = Ok(0);
        for longest in HEADS {
            let end = pages.end.min(start + longest);
            let head = read(file, start..end)?;
            let mut walk = Walk::new(&head);
            next = match suspicious(walk.walk_struct(0).and_then(Sizes::believed)) {
                Ok(Some(packed)) => Ok(walk.place as u64 + packed),
                Ok(None) => Err("the head of a page of it is damaged".into()),
                Err(suspicion) => Err(suspicion),
            };
            // The head may be longer than what was read of it.
            if next.is_ok() || end == pages.end {
                break;
            }
        }
        match next {
            Ok(length) => start += length,
            Err(suspicion) => return Ok(Err(suspicion)),
        }
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

/// What a walk came to; nothing where it met damage.
fn suspicious<T>(walked: Result<T, Stop>) -> Result<Option<T>, Suspicion> {
    match walked {
        Ok(found) => Ok(Some(found)),
        Err(Stop::Damaged) => Ok(None),
        Err(Stop::Suspicious(what)) => {
            Err(format!("it is no Parquet file that can be trusted: {what}"))
        }
    }
}

/// The whole numbers in fields 2 and 3 of a struct: where it is the head of a page, how many bytes the page
/// has unpacked and packed.
#[derive(Clone, Copy, Default)]
struct Sizes {
    unpacked: Option<i64>,
    packed: Option<i64>,
}

impl Sizes {
    /// How many bytes the page has in the file.
    fn believed(self) -> Result<u64, Stop> {
        let (Some(unpacked), Some(packed)) = (self.unpacked, self.packed) else {
            return Err(Stop::Damaged);
        };
        // The crate takes the lower half of a number that has more than 32 bits.
        if !(0..=i64::from(i32::MAX)).contains(&packed) || unpacked < 0 {
            return Err(Stop::Suspicious("the size of a page of it is none"));
        }
        let most = (packed * MOST_TIMES).clamp(SMALL_PAGE, LARGEST_PAGE);
        if unpacked > most {
            return Err(Stop::Suspicious(
                "a page of it is said to unpack to more than it can",
            ));
        }
        Ok(packed as u64)
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

    fn walk_struct(&mut self, depth: usize) -> Result<Sizes, Stop> {
        const WHOLE_NUMBER: u8 = 5;
        let (mut field, mut sizes) = (0, Sizes::default());
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Ok(sizes);
            }
            field = match head >> 4 {
                0 => unzigzag(self.number()?),
                step => i64::saturating_add(field, step.into()),
            };
            match (field, head & 0x0f) {
                (2, WHOLE_NUMBER) => sizes.unpacked = Some(unzigzag(self.number()?)),
                (3, WHOLE_NUMBER) => sizes.packed = Some(unzigzag(self.number()?)),
                (_, kind) => self.walk_value(kind, depth)?,
            }
        }
    }

    /// A number of elements, each of which takes a byte at least.
    fn check_count(&self, count: u64) -> Result<(), Stop> {
        let left = self.bytes.len().saturating_sub(self.place);
        if count > left as u64 {
            return Err(Stop::Suspicious("a list in it is longer than the file"));
        }
        Ok(())
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
        self.check_count(count)?;
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
        self.check_count(count)?;
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
            if let Err(said) = footer(&whole[..length]) {
                assert!(said.contains("longer than the file"), "{said}");
            }
        }
        footer(&[0x19; 5000]).unwrap();
        footer(&[0x0f; 30]).unwrap();
    }

    #[test]
    fn heads_of_pages_are_found_one_after_the_other() {
        let good = [0x15, 0, 0x15, 8, 0x15, 4, 0, b'x', b'y'];
        let list = [0x15, 0, 0x15, 8, 0x15, 4, 0x69, 0x11, 0];
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[&good[..], &good, &list].concat()).unwrap();
        let pages = |file: &mut File, end| check_pages(file, 0..end).unwrap();
        pages(&mut file, 18).unwrap();
        assert!(pages(&mut file, 27).unwrap_err().contains("truth values"));
    }

    #[test]
    fn claims_beyond_what_there_is_are_refused() {
        let long = [0x19, 0xfc, 0xff, 0xff, 0x03, 0x15, 0, 0];
        assert!(footer(&long).unwrap_err().contains("longer than the file"));
        let page = |unpacked: &[u8]| {
            let head = [&[0x15, 0, 0x15][..], unpacked, &[0x15, 4, 0, b'x', b'y']].concat();
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&head).unwrap();
            check_pages(&mut file, 0..head.len() as u64).unwrap()
        };
        page(&[0x80, 0x80, 0x80, 0x08]).unwrap();
        let said = page(&[0xfe, 0xff, 0xff, 0xff, 0x0f]).unwrap_err();
        assert!(said.contains("unpack"), "{said}");
        let said = page(&[0xfe, 0xff, 0xff, 0xff, 0x1f]).unwrap_err();
        assert!(said.contains("unpack"), "beyond 32 bits: {said}");
        assert!(page(&[0x01]).unwrap_err().contains("size"), "below 0");
        assert!(page(&[0xff; 30]).unwrap_err().contains("damaged"));
    }
}
