use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row as Record, reader::RowIter};

use crate::error::{DataError, Flaw};
use crate::picture::{Picture, PictureFacts, Resize};
use crate::regular::open_regular;
use crate::skipped::reason;
use crate::source::parquet::columns::Columns;
use crate::source::parquet::thrift;
use crate::worker::guarded;

/// One row, with its picture decoded or the reason why it is left out.
pub(super) struct Row {
    pub(super) picture: Result<(Picture, PictureFacts), (&'static str, String)>,
    pub(super) label: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) split: Option<String>,
}

/// The rows of one file.
pub(super) struct Rows {
    path: PathBuf,
    reader: SerializedFileReader<File>,
    columns: Columns,
}

impl Rows {
    /// Reads what the file at `path` says of itself.
    ///
    /// # Errors
    /// A file that cannot be read or is not Parquet, or that has no pictures or no labels.
    pub(super) fn open(path: &Path) -> Result<Self, DataError> {
        let read = |source| DataError::Read {
            path: path.to_path_buf(),
            source,
        };
        let (mut file, _) = open_regular(path).map_err(read)?;
        let footer = thrift::check_footer(&mut file).map_err(read)?;
        footer.map_err(|suspicion| distrust(path, suspicion))?;
        let name = || path.display().to_string();
        let reader = guarded(name, || SerializedFileReader::new(file))?;
        let reader = reader.map_err(|error| refuse(path, &error))?;
        check_pages(path, reader.metadata())?;
        let columns = Columns::find(path, reader.metadata().file_metadata())?;
        Ok(Rows {
            path: path.to_path_buf(),
            reader,
            columns,
        })
    }

    /// Groups of rows.
    pub(super) fn groups(&self) -> usize {
        self.reader.num_row_groups()
    }

    /// The rows of a group, decoded.
    ///
    /// # Errors
    /// A group that is damaged.
    pub(super) fn read(&self, group: usize, resize: Resize) -> Result<Vec<Row>, DataError> {
        let decode = |record: Record| self.row(record, resize);
        self.each(group, |records| {
            records.map(|record| record.map(decode)).collect()
        })
    }

    /// The picture in row `row` of a group.
    ///
    /// # Errors
    /// A group that is damaged, or a picture that cannot be decoded any more.
    pub(super) fn picture(
        &self,
        group: usize,
        row: usize,
        resize: Resize,
    ) -> Result<Picture, DataError> {
        let record = self.each(group, |mut records| records.nth(row).transpose())?;
        let row = record.map(|record| self.row(record, resize));
        let picture = row.map_or(Err("it has no such row any more".into()), |row| {
            let picture = row.picture.map(|(picture, _)| picture);
            picture.map_err(|(reason, detail)| format!("{reason}: {detail}"))
        });
        picture.map_err(|reason| DataError::Table {
            path: self.path.clone(),
            reason,
        })
    }

    fn each<T>(
        &self,
        group: usize,
        work: impl FnOnce(RowIter<'_>) -> Result<T, ParquetError>,
    ) -> Result<T, DataError> {
        let read = || {
            let schema = self.reader.metadata().file_metadata().schema();
            let projection = self.columns.projection(schema)?;
            let rows = self.reader.get_row_group(group)?;
            work(RowIter::from_row_group(Some(projection), rows.as_ref())?)
        };
        let name = || self.path.display().to_string();
        guarded(name, read)?.map_err(|error| refuse(&self.path, &error))
    }

    fn row(&self, record: Record, resize: Resize) -> Row {
        let mut row = Row {
            picture: Err((
                reason::NO_FILE,
                "the row holds no bytes of a picture".into(),
            )),
            label: None,
            subject: None,
            split: None,
        };
        for (name, field) in record.into_columns() {
            if name == self.columns.image {
                if let Some(bytes) = bytes(field) {
                    row.picture = decode(&bytes, resize);
                }
            } else if name == self.columns.label {
                row.label = self.label(&field);
            } else if Some(&name) == self.columns.subject.as_ref() {
                row.subject = word(&field);
            } else if Some(&name) == self.columns.split.as_ref() {
                row.split = word(&field);
            }
        }
        row
    }

    fn label(&self, field: &Field) -> Option<String> {
        let word = word(field)?;
        let names = &self.columns.class_names;
        match word.parse::<i64>() {
            Ok(number) if !names.is_empty() => {
                let name = usize::try_from(number)
                    .ok()
                    .and_then(|number| names.get(number));
                // A number beyond the names stays what it is, and is left out as an unknown label.
                (number >= 0).then(|| name.cloned().unwrap_or(word))
            }
            _ => Some(word),
        }
    }
}

fn check_pages(path: &Path, metadata: &ParquetMetaData) -> Result<(), DataError> {
    let read = |source| DataError::Read {
        path: path.to_path_buf(),
        source,
    };
    let (mut file, _) = open_regular(path).map_err(read)?;
    let groups = metadata.row_groups().iter();
    for column in groups.flat_map(|group| group.columns()) {
        let dictionary = column.dictionary_page_offset();
        let start = dictionary.unwrap_or(column.data_page_offset());
        // What is below 0 is for the crate to refuse.
        let (Ok(start), Ok(length)) = (start.try_into(), column.compressed_size().try_into())
        else {
            continue;
        };
        let pages = start..u64::saturating_add(start, length);
        let checked = thrift::check_pages(&mut file, pages).map_err(read)?;
        checked.map_err(|suspicion| distrust(path, suspicion))?;
    }
    Ok(())
}

fn distrust(path: &Path, reason: String) -> DataError {
    DataError::Table {
        path: path.to_path_buf(),
        reason,
    }
}

fn refuse(path: &Path, error: &ParquetError) -> DataError {
    DataError::Table {
        path: path.to_path_buf(),
        reason: format!("it is no Parquet file that can be read: {error}"),
    }
}

fn decode(bytes: &[u8], resize: Resize) -> Result<(Picture, PictureFacts), (&'static str, String)> {
    Picture::decode_with_facts(bytes, "the picture", resize).map_err(|error| match error {
        DataError::Decode { flaw, reason, .. } => match flaw {
            Flaw::TooLarge => (reason::TOO_LARGE, reason),
            Flaw::Foreign => (reason::NOT_A_PICTURE, reason),
            Flaw::Broken => (reason::BROKEN_PICTURE, reason),
        },
        other => (reason::BROKEN_PICTURE, other.to_string()),
    })
}

/// The bytes of a picture's file: the column itself, or `bytes` in it.
fn bytes(field: Field) -> Option<Vec<u8>> {
    match field {
        Field::Bytes(bytes) => Some(bytes.data().to_vec()),
        Field::Group(group) => {
            let mut children = group.into_columns().into_iter();
            let (_, bytes) = children.find(|(name, _)| name == "bytes")?;
            match bytes {
                Field::Bytes(bytes) => Some(bytes.data().to_vec()),
                _ => None,
            }
        }
        _ => None,
    }
}

/// A word or a whole number; nothing for what is empty.
fn word(field: &Field) -> Option<String> {
    let word = match field {
        Field::Str(word) => word.trim().to_string(),
        Field::Bytes(bytes) => std::str::from_utf8(bytes.data()).ok()?.trim().to_string(),
        Field::Bool(value) => value.to_string(),
        Field::Byte(value) => value.to_string(),
        Field::Short(value) => value.to_string(),
        Field::Int(value) => value.to_string(),
        Field::Long(value) => value.to_string(),
        Field::UByte(value) => value.to_string(),
        Field::UShort(value) => value.to_string(),
        Field::UInt(value) => value.to_string(),
        Field::ULong(value) => value.to_string(),
        _ => return None,
    };
    (!word.is_empty()).then_some(word)
}
