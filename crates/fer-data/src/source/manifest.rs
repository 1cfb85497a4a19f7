//! A manifest: a csv of paths and labels, with subject, split and groups where known.

mod files;

use std::collections::BTreeSet;
use std::path::Path;

use csv::{ByteRecord, StringRecord};

use crate::dataset::Dataset;
use crate::error::DataError;
use crate::notice::{Notice, listed};
use crate::skipped::{Skipped, reason};
use crate::source::assembly::{Candidate, Gathered};
use crate::source::labels::Labels;
use crate::source::manifest::files::Files;
use crate::source::table::{LONGEST_CELL, Lines, MOST_MALFORMED, Rows, many_malformed};
use crate::source::{Layout, OpenSettings, compressed, refuse_votes};
use crate::split::Split;

const PATH: &[&str] = &[
    "path",
    "filepath",
    "imagepath",
    "file",
    "filename",
    "image",
    "imagename",
    "picture",
    "subdirectoryfilepath",
];
pub(crate) const LABEL: &[&str] = &["label", "expression", "emotion", "class", "category"];
pub(crate) const SUBJECT: &[&str] = &[
    "subject",
    "subjectid",
    "person",
    "personid",
    "identity",
    "participant",
];
pub(crate) const SPLIT: &[&str] = &["split", "usage", "subset"];

/// The longest value of a group, in letters; of a longer one the start is kept.
const LONGEST_VALUE: usize = 200;

/// A column with more values than this divides pictures into no groups.
const MOST_GROUPS: usize = 100;

/// The letters and digits of a column's name, in lower case.
pub(crate) fn bare(column: &str) -> String {
    let letters = column.chars().filter(|letter| letter.is_alphanumeric());
    letters.collect::<String>().to_lowercase()
}

/// Where the columns of a manifest stand.
pub(crate) struct Columns {
    path: usize,
    label: usize,
    subject: Option<usize>,
    split: Option<usize>,
    groups: Vec<usize>,
    count: usize,
}

impl Columns {
    /// The columns of a header, if it is a manifest's.
    pub(crate) fn find(header: &StringRecord) -> Option<Self> {
        let names: Vec<String> = header.iter().map(bare).collect();
        let place = |known: &[&str]| {
            let mut known = known.iter();
            known.find_map(|word| names.iter().position(|name| name == word))
        };
        let (path, label) = (place(PATH)?, place(LABEL)?);
        let (subject, split) = (place(SUBJECT), place(SPLIT));
        let taken = [Some(path), Some(label), subject, split];
        Some(Columns {
            path,
            label,
            subject,
            split,
            groups: (0..names.len())
                .filter(|&column| !taken.contains(&Some(column)) && !names[column].is_empty())
                .collect(),
            count: names.len(),
        })
    }
}

struct Row {
    number: u64,
    path: String,
    label: String,
    subject: Option<String>,
    split: Option<String>,
    groups: Vec<Option<String>>,
}

/// Opens the manifest at `path`; its paths are relative to the folder that it lies in.
pub(crate) fn open(path: &Path, settings: &OpenSettings) -> Result<Dataset, DataError> {
    refuse_votes(settings, "a manifest")?;
    let labels = Labels::new(settings)?;
    let mut table = Table::read(path)?;
    let mut notices = Vec::new();
    table.drop_wide_columns(&mut notices);
    let words: BTreeSet<&str> = table
        .rows
        .iter()
        .map(|row| row.label.as_str())
        .filter(|label| !label.is_empty())
        .collect();
    let meanings = labels.resolve(path, &words, &mut notices)?;
    let has_splits = table.rows.iter().any(|row| row.split.is_some());
    let mut files = Files::beside(path);
    let mut candidates = Vec::new();
    for row in table.rows {
        let entry = format!("{} row {}", path.display(), row.number);
        let leave_out = |reason, detail: String| Skipped::new(entry, reason, detail);
        let class = match meanings.get(&row.label) {
            Some(Ok(class)) => class.clone(),
            Some(Err(reason)) => {
                let detail = format!("label `{}` of {}", row.label, row.path);
                table.skipped.push(leave_out(reason, detail));
                continue;
            }
            None => {
                let detail = format!("no label for {}", row.path);
                table.skipped.push(leave_out(reason::UNKNOWN_LABEL, detail));
                continue;
            }
        };
        let word = row.split.unwrap_or_default();
        let split = Split::from_word(&word);
        if has_splits && split.is_none() {
            let detail = format!("`{word}`, expected train, validation or test");
            table.skipped.push(leave_out(reason::UNKNOWN_SPLIT, detail));
            continue;
        }
        match files.take(&row.path, &class, row.number) {
            Ok(file) => candidates.push(Candidate {
                path: file,
                class,
                subject: row.subject,
                split,
                groups: row.groups,
            }),
            Err((reason, detail)) => table.skipped.push(leave_out(reason, detail)),
        }
    }
    let gathered = Gathered {
        name: "a manifest",
        layout: Layout::Manifest,
        labels: labels.describe(),
        candidates,
        columns: table.columns,
        skipped: table.skipped,
        notices,
    };
    gathered.assemble(settings)
}

struct Table {
    rows: Vec<Row>,
    /// Names of the columns of groups.
    columns: Vec<String>,
    skipped: Vec<Skipped>,
}

impl Table {
    fn read(path: &Path) -> Result<Self, DataError> {
        let bytes = compressed::open(path).map_err(|source| DataError::Read {
            path: path.to_path_buf(),
            source,
        })?;
        let refuse = |reason: String| DataError::Table {
            path: path.to_path_buf(),
            reason,
        };
        let broken = |error: csv::Error| refuse(error.to_string());
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .from_reader(Rows::new(bytes));
        let header = reader.headers().map_err(broken)?.clone();
        let columns = Columns::find(&header).ok_or_else(|| {
            let own: Vec<&str> = header.iter().collect();
            refuse(format!(
                "it is no manifest: it needs the columns `path` and `label`, and has {}",
                listed(&own, 12)
            ))
        })?;
        let mut table = Table {
            rows: Vec::new(),
            columns: columns
                .groups
                .iter()
                .map(|&column| header[column].trim().to_string())
                .collect(),
            skipped: Vec::new(),
        };
        let lines = Lines::after_header(&reader);
        let mut record = ByteRecord::new();
        for number in 1.. {
            reader.get_mut().next();
            let read = reader.read_byte_record(&mut record);
            if !read.map_err(|error| refuse(format!("row {number}: {error}")))? {
                break;
            }
            let line = lines.of(record.position());
            if record.iter().any(|field| field.contains(&b'\n')) {
                return Err(refuse(format!(
                    "row {number} (line {line}) runs over several lines: a quote is opened there and not closed"
                )));
            }
            match parse(&columns, number, &record) {
                Ok(row) => table.rows.push(row),
                Err(reason) => {
                    let error = DataError::Row {
                        path: path.to_path_buf(),
                        row: number,
                        line,
                        reason,
                    };
                    table.skipped.push(Skipped::new(
                        format!("{} row {number}", path.display()),
                        reason::MALFORMED_ROW,
                        error.to_string(),
                    ));
                }
            }
            if table.skipped.len() > MOST_MALFORMED {
                return Err(refuse(many_malformed(&table.skipped)));
            }
        }
        Ok(table)
    }

    /// Forgets columns of groups with almost as many values as rows.
    fn drop_wide_columns(&mut self, notices: &mut Vec<Notice>) {
        let mut wide = Vec::new();
        for place in (0..self.columns.len()).rev() {
            let values: BTreeSet<Option<&str>> = self
                .rows
                .iter()
                .map(|row| row.groups[place].as_deref())
                .collect();
            if values.len() > MOST_GROUPS {
                wide.push(self.columns.remove(place));
                for row in &mut self.rows {
                    row.groups.remove(place);
                }
            }
        }
        if !wide.is_empty() {
            wide.reverse();
            let message = format!(
                "the columns {} have more than {MOST_GROUPS} values each and divide the pictures into no groups, so they are not read",
                listed(&wide, 8)
            );
            notices.push(Notice::note(message, ""));
        }
    }
}

/// Values that tell people apart are short: a column of long ones is of another kind, such as landmarks.
fn shortened(value: String) -> String {
    match value.char_indices().nth(LONGEST_VALUE) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value,
    }
}

fn parse(columns: &Columns, number: u64, record: &ByteRecord) -> Result<Row, String> {
    let record = StringRecord::from_byte_record(record.clone())
        .map_err(|error| format!("it is not UTF-8: {}", error.utf8_error()))?;
    if record.len() != columns.count {
        return Err(format!(
            "{} fields, expected {}",
            record.len(),
            columns.count
        ));
    }
    let value = |column: usize| {
        let value = record[column].trim();
        (!value.is_empty()).then(|| value.to_string())
    };
    let own = [
        Some(columns.path),
        Some(columns.label),
        columns.subject,
        columns.split,
    ];
    if let Some(long) = own
        .into_iter()
        .flatten()
        .find(|&column| record[column].len() > LONGEST_CELL)
    {
        let length = record[long].len();
        return Err(format!(
            "field {} has {length} bytes, at most {LONGEST_CELL} are read",
            long + 1
        ));
    }
    Ok(Row {
        number,
        path: value(columns.path).ok_or("it names no path")?,
        label: value(columns.label).unwrap_or_default(),
        subject: columns.subject.and_then(value),
        split: columns.split.and_then(value),
        groups: columns
            .groups
            .iter()
            .map(|&column| value(column).map(shortened))
            .collect(),
    })
}
