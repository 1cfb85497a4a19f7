//! The rows of a fer2013.csv, read by all threads.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::str;

use rayon::prelude::*;

use crate::dataset::Origins;
use crate::decoded::{Decoded, Gathering, MemorySettings};
use crate::error::DataError;
use crate::expression::{Expression, Vocabulary};
use crate::picture::{PIXELS, Picture};
use crate::skipped::{Skipped, reason};
use crate::source::compressed;
use crate::source::fer2013::blocks::{Blocks, Lines};
use crate::source::fer2013::{Usage, excerpt, pixels};
use crate::source::table::{MOST_MALFORMED, many_malformed, unquoted};
use crate::worker::guarded;

/// Bytes of text that one thread reads at a time: they stay in its core's cache.
const BLOCK: usize = 256 << 10;

/// Blocks that all threads read together, while the next ones are fetched.
const BLOCKS: usize = 16;

/// The whole table, with what could not be read.
pub(crate) struct Table {
    pub(crate) faces: Faces,
    pub(crate) decoded: Decoded,
    pub(crate) labels: Vec<Expression>,
    pub(crate) usages: Vec<Usage>,
    pub(crate) malformed: Vec<Skipped>,
    /// How many rows there are, the malformed ones too.
    pub(crate) total: u64,
}

/// The rows that could be read, by their numbers.
pub(crate) struct Faces {
    path: PathBuf,
    pub(crate) rows: Vec<u64>,
}

impl Origins for Faces {
    fn origin(&self, position: usize) -> String {
        format!("{} row {}", self.path.display(), self.rows[position])
    }
}

/// What a thread made of a block; rows and lines count from the block's start.
#[derive(Default)]
struct Part {
    faces: Vec<Face>,
    malformed: Vec<Malformed>,
    /// Whether so much was malformed that the rest was not looked at.
    is_junk: bool,
    rows: u64,
    lines: u64,
}

struct Face {
    row: u64,
    label: Expression,
    picture: Picture,
    usage: Usage,
}

struct Malformed {
    row: u64,
    line: u64,
    reason: String,
}

impl Table {
    /// Reads the file at `path`, plain or packed. Its text is never held as a whole.
    pub(crate) fn read(path: &Path, memory: &MemorySettings) -> Result<Self, DataError> {
        let bytes = compressed::open(path).map_err(|source| DataError::Read {
            path: path.to_path_buf(),
            source,
        })?;
        let broken = |error: io::Error| DataError::Table {
            path: path.to_path_buf(),
            reason: error.to_string(),
        };
        let mut rows = Rows::new(path, memory);
        let mut blocks = Blocks::new(bytes, BLOCK);
        let mut now = vec![Vec::new(); BLOCKS];
        let mut next = now.clone();
        fill(&mut blocks, &mut now).map_err(broken)?;
        let header = Header::split_off(&mut now[0]);
        let columns = Columns::find(path, &header.fields)?;
        let mut lines = header.lines;
        let name = || path.display().to_string();
        while now.iter().any(|block| !block.is_empty()) {
            let (parts, filled) = rayon::join(
                || -> Result<Vec<Part>, DataError> {
                    let part = |block: &Vec<u8>| guarded(name, || columns.part(block));
                    now.par_iter().map(part).collect()
                },
                || fill(&mut blocks, &mut next),
            );
            filled.map_err(broken)?;
            let mut is_junk = false;
            for part in parts? {
                is_junk |= part.is_junk;
                rows.push(part, &mut lines)?;
            }
            if is_junk || rows.malformed.len() > MOST_MALFORMED {
                return Err(broken(io::Error::other(many_malformed(&rows.malformed))));
            }
            std::mem::swap(&mut now, &mut next);
        }
        rows.finish()
    }
}

/// The rows that have been read.
struct Rows<'a> {
    faces: Faces,
    gathering: Gathering<'a>,
    labels: Vec<Expression>,
    usages: Vec<Usage>,
    malformed: Vec<Skipped>,
    total: u64,
}

impl<'a> Rows<'a> {
    fn new(path: &Path, memory: &'a MemorySettings) -> Self {
        Rows {
            faces: Faces {
                path: path.to_path_buf(),
                rows: Vec::new(),
            },
            gathering: Gathering::new(memory, 0),
            labels: Vec::new(),
            usages: Vec::new(),
            malformed: Vec::new(),
            total: 0,
        }
    }

    fn finish(self) -> Result<Table, DataError> {
        Ok(Table {
            faces: self.faces,
            decoded: self.gathering.finish()?,
            labels: self.labels,
            usages: self.usages,
            malformed: self.malformed,
            total: self.total,
        })
    }

    fn push(&mut self, part: Part, lines: &mut u64) -> Result<(), DataError> {
        for face in part.faces {
            self.gathering.push(face.picture)?;
            self.faces.rows.push(self.total + face.row);
            self.labels.push(face.label);
            self.usages.push(face.usage);
        }
        for malformed in part.malformed {
            let row = self.total + malformed.row;
            let error = DataError::Row {
                path: self.faces.path.clone(),
                row,
                line: *lines + malformed.line,
                reason: malformed.reason,
            };
            self.malformed.push(Skipped {
                entry: format!("{} row {row}", self.faces.path.display()),
                reason: reason::MALFORMED_ROW,
                detail: error.to_string(),
            });
        }
        self.total += part.rows;
        *lines += part.lines;
        Ok(())
    }
}

fn fill(blocks: &mut Blocks<impl Read>, next: &mut [Vec<u8>]) -> io::Result<()> {
    next.iter_mut().try_for_each(|block| blocks.fill(block))
}

/// The first line that is not empty.
struct Header {
    fields: Vec<Vec<u8>>,
    /// The lines up to it and itself.
    lines: u64,
}

impl Header {
    /// Takes the header off the first block of a text.
    fn split_off(block: &mut Vec<u8>) -> Self {
        let text = block.strip_prefix("\u{feff}".as_bytes()).unwrap_or(block);
        let (mut lines, mut header) = (0, &[][..]);
        let mut all = Lines::of(text);
        for line in all.by_ref() {
            lines += 1;
            header = line;
            if !line.is_empty() {
                break;
            }
        }
        let fields = header.split(|&byte| byte == b',').map(<[u8]>::to_vec);
        let header = Header {
            fields: fields.collect(),
            lines,
        };
        *block = all.rest().to_vec();
        header
    }
}

/// Where the three columns stand; some copies of the file have another order or blanks in the
/// names.
struct Columns {
    emotion: usize,
    pixels: usize,
    usage: usize,
    count: usize,
}

impl Columns {
    fn find(path: &Path, header: &[Vec<u8>]) -> Result<Self, DataError> {
        let place = |name: &str| {
            header
                .iter()
                .position(|column| unquoted(column).eq_ignore_ascii_case(name.as_bytes()))
                .ok_or_else(|| DataError::Unrecognised {
                    path: path.to_path_buf(),
                    reason: format!(
                        "its first line has no column `{name}`; a fer2013.csv starts with `emotion,pixels,Usage`, a manifest has the columns `path` and `label`, this starts with `{}`",
                        excerpt(&header.join(&b','))
                    ),
                })
        };
        Ok(Columns {
            emotion: place("emotion")?,
            pixels: place("pixels")?,
            usage: place("usage")?,
            count: header.len(),
        })
    }

    fn part(&self, block: &[u8]) -> Part {
        let mut part = Part::default();
        for line in Lines::of(block) {
            part.lines += 1;
            if line.is_empty() {
                continue;
            }
            if part.malformed.len() > MOST_MALFORMED / BLOCKS {
                part.is_junk = true;
                break;
            }
            part.rows += 1;
            match self.face(line, part.rows) {
                Ok(face) => part.faces.push(face),
                Err(reason) => part.malformed.push(Malformed {
                    row: part.rows,
                    line: part.lines,
                    reason,
                }),
            }
        }
        part
    }

    fn face(&self, line: &[u8], row: u64) -> Result<Face, String> {
        let [mut emotion, mut pixels, mut usage] = [&[][..]; 3];
        let (mut count, mut start) = (0, 0);
        for end in memchr::memchr_iter(b',', line).chain([line.len()]) {
            let field = &line[start..end];
            match count {
                place if place == self.emotion => emotion = unquoted(field),
                place if place == self.pixels => pixels = unquoted(field),
                place if place == self.usage => usage = unquoted(field),
                _ => (),
            }
            (count, start) = (count + 1, end + 1);
        }
        if count != self.count {
            return Err(format!("{count} fields, expected {}", self.count));
        }
        Ok(Face {
            row,
            label: label(emotion)?,
            usage: usage_of(usage)?,
            picture: picture(pixels)?,
        })
    }
}

fn label(field: &[u8]) -> Result<Expression, String> {
    let number = str::from_utf8(field)
        .ok()
        .and_then(|text| text.parse::<usize>().ok());
    let label = number.and_then(|number| Vocabulary::Fer2013.order().get(number));
    label
        .copied()
        .ok_or_else(|| format!("unknown label `{}`, expected 0 to 6", excerpt(field)))
}

fn usage_of(field: &[u8]) -> Result<Usage, String> {
    Usage::parse(field).ok_or_else(|| {
        format!(
            "unknown Usage `{}`, expected Training, PublicTest or PrivateTest",
            excerpt(field)
        )
    })
}

fn picture(field: &[u8]) -> Result<Picture, String> {
    let mut values = [0; PIXELS];
    if pixels::quick(field, &mut values).is_none() {
        pixels::careful(field, &mut values)?;
    }
    Ok(Picture::from_array(&values))
}
