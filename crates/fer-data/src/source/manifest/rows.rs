use std::borrow::Cow;
use std::path::Path;

use csv::{ByteRecord, StringRecord};

use crate::description::GroupColumn;
use crate::error::DataError;
use crate::notice::{Notice, listed};
use crate::skipped::{Skipped, reason};
use crate::source::compressed;
use crate::source::manifest::Columns;
use crate::source::paths::Paths;
use crate::source::table::{self, LONGEST_CELL, Lines, MOST_MALFORMED, many_malformed};
use crate::source::words::Words;

/// The longest value of a group, in letters; of a longer one the start is kept.
const LONGEST_VALUE: usize = 200;

/// A column with more values than this divides pictures into no groups.
const MOST_GROUPS: usize = 100;

/// The rows of a manifest, column by column: 28 bytes each, the path's own, and four for each column of
/// groups.
#[derive(Default)]
pub(super) struct Rows {
    /// The number of each in the file, from 1.
    pub(super) numbers: Vec<u32>,
    pub(super) paths: Paths,
    pub(super) label_words: Words,
    /// Numbers of words; that of the empty word where a row has no label.
    pub(super) labels: Vec<u32>,
    pub(super) subject_words: Words,
    pub(super) subjects: Vec<Option<u32>>,
    pub(super) split_words: Words,
    /// As the labels.
    pub(super) splits: Vec<u32>,
    /// The columns of groups.
    pub(super) groups: Vec<GroupColumn>,
    /// The names of further columns that have such a name too.
    repeated: Vec<String>,
    /// Where these stand in the file, and whether they have more values than divide pictures.
    places: Vec<(usize, bool)>,
    pub(super) skipped: Vec<Skipped>,
}

impl Rows {
    /// Reads the manifest at `path`.
    pub(super) fn read(path: &Path) -> Result<Self, DataError> {
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
            .from_reader(table::Rows::new(bytes));
        let header = reader.headers().map_err(broken)?.clone();
        let columns = Columns::find(&header).ok_or_else(|| {
            let own: Vec<&str> = header.iter().collect();
            refuse(format!(
                "it is no manifest: it needs the columns `path` and `label`, and has {}",
                listed(&own, 12)
            ))
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut rows = Rows::new(folder, &columns, &header);
        let lines = Lines::after_header(&reader);
        let mut record = ByteRecord::new();
        let mut number = 0;
        loop {
            number += 1;
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
            if let Err(reason) = rows.push(folder, &columns, number, &record) {
                let error = DataError::Row {
                    path: path.to_path_buf(),
                    row: number.into(),
                    line,
                    reason,
                };
                rows.skipped.push(Skipped::new(
                    format!("{} row {number}", path.display()),
                    reason::MALFORMED_ROW,
                    error.to_string(),
                ));
            }
            if rows.skipped.len() > MOST_MALFORMED {
                return Err(refuse(many_malformed(&rows.skipped)));
            }
        }
        Ok(rows)
    }

    fn new(folder: &Path, columns: &Columns, header: &StringRecord) -> Self {
        let mut rows = Rows::default();
        rows.paths.folder(folder.to_path_buf());
        for &column in &columns.groups {
            let name = header[column].trim();
            if rows.groups.iter().any(|earlier| earlier.name == name) {
                rows.repeated.push(name.to_string());
            } else {
                rows.groups.push(GroupColumn::new(name));
                rows.places.push((column, false));
            }
        }
        rows
    }

    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    fn push(
        &mut self,
        folder: &Path,
        columns: &Columns,
        number: u32,
        record: &ByteRecord,
    ) -> Result<(), String> {
        let mut fields = Vec::with_capacity(record.len());
        for field in record {
            let field =
                str::from_utf8(field).map_err(|error| format!("it is not UTF-8: {error}"))?;
            fields.push(field.trim());
        }
        if fields.len() != columns.count {
            return Err(format!(
                "{} fields, expected {}",
                fields.len(),
                columns.count
            ));
        }
        let own = [
            Some(columns.path),
            Some(columns.label),
            columns.subject,
            columns.split,
        ];
        let mut own = own.into_iter().flatten();
        if let Some(long) = own.find(|&column| fields[column].len() > LONGEST_CELL) {
            return Err(format!(
                "field {} has {} bytes, at most {LONGEST_CELL} are read",
                long + 1,
                fields[long].len()
            ));
        }
        let path = fields[columns.path];
        if path.is_empty() {
            return Err("it names no path".into());
        }
        // Of another system: its separators are ours where no file is called so.
        match path.contains('\\') && !folder.join(path).exists() {
            true => self.paths.push(0, path.replace('\\', "/").as_ref()),
            false => self.paths.push(0, path.as_ref()),
        };
        self.numbers.push(number);
        self.labels
            .push(self.label_words.number(fields[columns.label]));
        let subject = columns.subject.map_or("", |column| fields[column]);
        let subject = (!subject.is_empty()).then(|| self.subject_words.number(subject));
        self.subjects.push(subject);
        let split = columns.split.map_or("", |column| fields[column]);
        self.splits.push(self.split_words.number(split));
        for (column, (place, wide)) in self.groups.iter_mut().zip(&mut self.places) {
            if !*wide {
                let value = shortened(fields[*place]);
                column.push((!value.is_empty()).then_some(&*value));
                *wide = column.values() > MOST_GROUPS;
            }
            if *wide {
                column.truncate(0);
            }
        }
        Ok(())
    }

    /// Tells of columns whose name an earlier one has, which are not read.
    pub(super) fn tell_repeated_columns(&self, notices: &mut Vec<Notice>) {
        if !self.repeated.is_empty() {
            let message = format!(
                "the header has the columns {} more than once, of which the first is read",
                listed(&self.repeated, 8)
            );
            notices.push(Notice::warning(
                message,
                "Give each column a name of its own",
            ));
        }
    }

    /// Forgets columns of groups with almost as many values as rows.
    pub(super) fn drop_wide_columns(&mut self, notices: &mut Vec<Notice>) {
        let mut wide = Vec::new();
        let columns = std::mem::take(&mut self.groups).into_iter();
        for (column, &(_, too_many)) in columns.zip(&self.places) {
            if too_many || column.values() == MOST_GROUPS && column.has_unknown() {
                wide.push(column.name);
            } else {
                self.groups.push(column);
            }
        }
        if !wide.is_empty() {
            let message = format!(
                "the columns {} have more than {MOST_GROUPS} values each and divide the pictures into no groups, so they are not read",
                listed(&wide, 8)
            );
            notices.push(Notice::note(message, ""));
        }
    }
}

/// Values that tell people apart are short: a column of long ones is of another kind, such as landmarks.
fn shortened(value: &str) -> Cow<'_, str> {
    match value.char_indices().nth(LONGEST_VALUE) {
        Some((end, _)) => format!("{}…", &value[..end]).into(),
        None => value.into(),
    }
}
