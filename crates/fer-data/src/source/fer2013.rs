//! FER2013 as Kaggle publishes it: a csv of `emotion,pixels,Usage`, one face a row
//! (Goodfellow et al. 2013, "Challenges in representation learning").

use std::path::{Path, PathBuf};
use std::str;

use csv::ByteRecord;
use rayon::prelude::*;

use crate::dataset::{Dataset, DatasetParts, Entry, PictureStore};
use crate::description::Description;
use crate::error::DataError;
use crate::expression::{ClassNames, Expression, Vocabulary};
use crate::picture::{PIXELS, Picture};
use crate::skipped::{Skipped, reason};
use crate::source::ferplus::{self, Verdict};
use crate::source::table::{Lines, unquoted};
use crate::source::{Layout, OpenSettings, compressed, refuse_labels};
use crate::split::{Split, stratified};
use crate::worker::guarded;

/// Rows parsed together by all threads.
const BLOCK: usize = 1024;

/// What the column `Usage` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Usage {
    Training,
    PublicTest,
    PrivateTest,
}

impl Usage {
    pub(crate) fn parse(word: &[u8]) -> Option<Self> {
        match word.trim_ascii() {
            b"Training" => Some(Usage::Training),
            b"PublicTest" => Some(Usage::PublicTest),
            b"PrivateTest" => Some(Usage::PrivateTest),
            _ => None,
        }
    }
}

struct Row {
    label: Expression,
    pixels: Picture,
    usage: Usage,
}

/// The pictures of the rows that could be read, packed, with the number of each row.
struct Faces {
    path: PathBuf,
    pixels: Vec<u8>,
    rows: Vec<u64>,
}

impl PictureStore for Faces {
    fn picture(&self, position: usize) -> Result<Picture, DataError> {
        let start = position * PIXELS;
        Picture::from_pixels(&self.pixels[start..start + PIXELS], &self.origin(position))
    }

    fn origin(&self, position: usize) -> String {
        format!("{} row {}", self.path.display(), self.rows[position])
    }
}

/// The whole table, with what could not be read.
struct Table {
    faces: Faces,
    labels: Vec<Expression>,
    usages: Vec<Usage>,
    malformed: Vec<Skipped>,
    total: u64,
}

/// Opens a fer2013.csv, with FER+ votes where the settings name them.
pub(crate) fn open(path: &Path, settings: &OpenSettings) -> Result<Dataset, DataError> {
    if settings.split.test_fraction.is_some() {
        return Err(DataError::Setting {
            name: "test_fraction",
            value: "set".into(),
            expected: "fer2013.csv brings its own test rows; leave it out",
        });
    }
    refuse_labels(
        settings,
        "fer2013.csv brings its own numbering; leave it out",
    )?;
    let table = read(path)?;
    let mut skipped = table.malformed;
    let votes = match &settings.ferplus {
        Some(votes) => Some(ferplus::read(votes, path, table.total)?),
        None => None,
    };
    let mut entries = Vec::with_capacity(table.labels.len());
    for (position, (&label, &usage)) in table.labels.iter().zip(&table.usages).enumerate() {
        let row = table.faces.rows[position];
        let leave_out = |reason| Skipped {
            entry: table.faces.origin(position),
            reason,
            detail: String::new(),
        };
        if usage == Usage::PrivateTest && settings.split.validation_fraction.is_some() {
            skipped.push(leave_out(
                "PrivateTest row, while PublicTest is the test split",
            ));
            continue;
        }
        let (label, distribution) = match &votes {
            None => (seven_index(label), None),
            Some(votes) => match votes.judge(row, usage, settings.ferplus_target)? {
                Verdict::Label(label, distribution) => (label, distribution),
                Verdict::LeaveOut(reason) => {
                    skipped.push(leave_out(reason));
                    continue;
                }
            },
        };
        entries.push(Entry {
            position,
            label,
            distribution,
            subject: None,
            split: own_split(usage, settings.split.validation_fraction.is_some()),
        });
    }
    let split_rule = divide(&mut entries, settings);
    let description = Description {
        layout: Some(Layout::Csv),
        labels: match votes {
            Some(_) => "FER+ votes".into(),
            None => format!("fer2013: {}", Vocabulary::Fer2013.numbering()),
        },
        ..Description::default()
    };
    let dataset = Dataset::new(DatasetParts {
        name: if votes.is_some() {
            "FER2013 with FER+ votes".into()
        } else {
            "FER2013".into()
        },
        class_names: class_names(votes.is_some()),
        entries,
        store: Box::new(table.faces),
        skipped,
        split_rule,
        split_settings: settings.split.clone(),
    })?;
    Ok(dataset.with_description(description))
}

fn class_names(votes: bool) -> ClassNames {
    if votes {
        Expression::class_names()
    } else {
        Expression::seven_class_names()
    }
}

fn seven_index(label: Expression) -> usize {
    let place = Expression::SEVEN.iter().position(|&other| other == label);
    place.unwrap_or_else(|| unreachable!("FER2013 numbers its seven labels alone"))
}

fn own_split(usage: Usage, validation_is_cut: bool) -> Split {
    match (usage, validation_is_cut) {
        (Usage::Training, _) => Split::Train,
        (Usage::PublicTest, false) => Split::Validation,
        (Usage::PublicTest, true) | (Usage::PrivateTest, _) => Split::Test,
    }
}

/// Cuts a validation part from the training rows where a fraction is asked for.
fn divide(entries: &mut [Entry], settings: &OpenSettings) -> String {
    let Some(fraction) = settings.split.validation_fraction else {
        return "the file's own: Training trains, PublicTest validates, PrivateTest tests".into();
    };
    let training: Vec<usize> = (0..entries.len())
        .filter(|&index| entries[index].split == Split::Train)
        .collect();
    let labels: Vec<usize> = training.iter().map(|&index| entries[index].label).collect();
    let sides = stratified(&labels, settings.split.seed, fraction, 0.0);
    for (index, side) in training.into_iter().zip(sides) {
        entries[index].split = side;
    }
    format!("{fraction} of Training validates, stratified by class; PublicTest tests")
}

fn read(path: &Path) -> Result<Table, DataError> {
    let bytes = compressed::open(path).map_err(|source| DataError::Read {
        path: path.to_path_buf(),
        source,
    })?;
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        // A stray quote must not swallow the rows after it.
        .quoting(false)
        .buffer_capacity(1 << 20)
        .from_reader(bytes);
    let broken = |error: csv::Error| DataError::Table {
        path: path.to_path_buf(),
        reason: error.to_string(),
    };
    let columns = Columns::find(path, reader.byte_headers().map_err(broken)?)?;
    let lines = Lines::after_header(&reader);
    let mut table = Table {
        faces: Faces {
            path: path.to_path_buf(),
            pixels: Vec::new(),
            rows: Vec::new(),
        },
        labels: Vec::new(),
        usages: Vec::new(),
        malformed: Vec::new(),
        total: 0,
    };
    let mut block = vec![ByteRecord::new(); BLOCK];
    loop {
        let mut filled = 0;
        while filled < BLOCK
            && reader
                .read_byte_record(&mut block[filled])
                .map_err(broken)?
        {
            filled += 1;
        }
        let before = table.total;
        let rows: Result<Vec<Result<Row, String>>, DataError> = block[..filled]
            .par_iter()
            .enumerate()
            .map(|(place, record)| {
                let row = before + place as u64 + 1;
                let name = || format!("{} row {row}", path.display());
                guarded(name, || columns.parse(record))
            })
            .collect();
        for (record, row) in block.iter().zip(rows?) {
            table.push(lines.of(record.position()), row);
        }
        if filled < BLOCK {
            return Ok(table);
        }
    }
}

impl Table {
    fn push(&mut self, line: u64, row: Result<Row, String>) {
        self.total += 1;
        match row {
            Ok(row) => {
                self.faces.pixels.extend_from_slice(row.pixels.pixels());
                self.faces.rows.push(self.total);
                self.labels.push(row.label);
                self.usages.push(row.usage);
            }
            Err(reason) => {
                let path = self.faces.path.clone();
                let error = DataError::Row {
                    path,
                    row: self.total,
                    line,
                    reason: reason.clone(),
                };
                self.malformed.push(Skipped {
                    entry: format!("{} row {}", self.faces.path.display(), self.total),
                    reason: reason::MALFORMED_ROW,
                    detail: error.to_string(),
                });
            }
        }
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
    fn find(path: &Path, header: &ByteRecord) -> Result<Self, DataError> {
        let place = |name: &str| {
            header
                .iter()
                .position(|column| unquoted(column).eq_ignore_ascii_case(name.as_bytes()))
                .ok_or_else(|| DataError::Unrecognised {
                    path: path.to_path_buf(),
                    reason: format!(
                        "its first line has no column `{name}`; a fer2013.csv starts with `emotion,pixels,Usage`, a manifest has the columns `path` and `label`, this starts with `{}`",
                        excerpt(&header.iter().collect::<Vec<_>>().join(&b','))
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

    fn parse(&self, record: &ByteRecord) -> Result<Row, String> {
        if record.len() != self.count {
            return Err(format!("{} fields, expected {}", record.len(), self.count));
        }
        let emotion = unquoted(&record[self.emotion]);
        let number = str::from_utf8(emotion)
            .ok()
            .and_then(|text| text.parse::<usize>().ok());
        let Some(&label) = number.and_then(|number| Vocabulary::Fer2013.order().get(number)) else {
            return Err(format!(
                "unknown label `{}`, expected 0 to 6",
                excerpt(emotion)
            ));
        };
        let usage = unquoted(&record[self.usage]);
        let Some(usage) = Usage::parse(usage) else {
            return Err(format!(
                "unknown Usage `{}`, expected Training, PublicTest or PrivateTest",
                excerpt(usage)
            ));
        };
        let pixels = parse_pixels(unquoted(&record[self.pixels]))?;
        Ok(Row {
            label,
            pixels,
            usage,
        })
    }
}

fn parse_pixels(text: &[u8]) -> Result<Picture, String> {
    let mut pixels = Vec::with_capacity(PIXELS);
    for word in text
        .split(|&byte| byte == b' ')
        .filter(|word| !word.is_empty())
    {
        let value = word.iter().try_fold(0u32, |value, &digit| match digit {
            b'0'..=b'9' if value <= 255 => Some(value * 10 + u32::from(digit - b'0')),
            _ => None,
        });
        match value.and_then(|value| u8::try_from(value).ok()) {
            Some(value) => pixels.push(value),
            None => {
                let place = pixels.len() + 1;
                return Err(format!(
                    "pixel {place} is `{}`, expected 0 to 255",
                    excerpt(word)
                ));
            }
        }
    }
    Picture::from_pixels(&pixels, "")
        .map_err(|_| format!("{} pixels, expected {PIXELS}", pixels.len()))
}

/// The start of some bytes, safe to print.
fn excerpt(bytes: &[u8]) -> String {
    let start = &bytes[..bytes.len().min(40)];
    String::from_utf8_lossy(start).escape_debug().to_string()
}
