use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use parquet::record::reader::{ReaderIter, TreeBuilder};
use parquet::schema::types::{SchemaDescriptor, Type};

use crate::error::DataError;
use crate::regular::open_regular;
use crate::source::parquet::columns::Columns;
use crate::source::parquet::thrift;
use crate::worker::guarded;

/// Values of a column that the reader holds at once.
const BATCH: usize = 32;

/// What a row says beside its picture.
#[derive(Default)]
pub(super) struct Words {
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

/// The pictures in a group of rows, which are read as they are asked for.
pub(super) struct Pictures {
    path: PathBuf,
    records: ReaderIter,
}

impl Iterator for Pictures {
    type Item = Result<Option<Vec<u8>>, DataError>;

    /// The bytes of the next picture's file; `None` for a row that holds none.
    fn next(&mut self) -> Option<Self::Item> {
        let name = || self.path.display().to_string();
        let record = match guarded(name, || self.records.next()) {
            Ok(record) => record?,
            Err(panic) => return Some(Err(panic)),
        };
        let record = record.map_err(|error| refuse(&self.path, &error));
        Some(record.map(|record| {
            let mut fields = record.into_columns().into_iter();
            fields.next().and_then(|(_, field)| bytes(field))
        }))
    }
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

    /// Gives `take` what each row of a group says, in order.
    ///
    /// # Errors
    /// A group that is damaged.
    pub(super) fn each_words(
        &self,
        group: usize,
        mut take: impl FnMut(Words),
    ) -> Result<(), DataError> {
        let name = || self.path.display().to_string();
        let read = || {
            for record in self.records(group, Columns::words)? {
                take(self.words(record?.into_columns()));
            }
            Ok(())
        };
        guarded(name, read)?.map_err(|error| refuse(&self.path, &error))
    }

    /// The pictures of a group.
    ///
    /// # Errors
    /// A group that is damaged.
    pub(super) fn pictures(&self, group: usize) -> Result<Pictures, DataError> {
        let name = || self.path.display().to_string();
        let records = guarded(name, || self.records(group, Columns::pictures))?;
        Ok(Pictures {
            path: self.path.clone(),
            records: records.map_err(|error| refuse(&self.path, &error))?,
        })
    }

    fn records(
        &self,
        group: usize,
        columns: fn(&Columns, &Type) -> Result<Type, ParquetError>,
    ) -> Result<ReaderIter, ParquetError> {
        let schema = self.reader.metadata().file_metadata().schema();
        let schema = Arc::new(columns(&self.columns, schema)?);
        let rows = self.reader.get_row_group(group)?;
        let builder = TreeBuilder::new().with_batch_size(BATCH);
        builder.as_iter(Arc::new(SchemaDescriptor::new(schema)), rows.as_ref())
    }

    fn words(&self, fields: Vec<(String, Field)>) -> Words {
        let mut words = Words::default();
        for (name, field) in fields {
            if name == self.columns.label {
                words.label = self.label(&field);
            } else if Some(&name) == self.columns.subject.as_ref() {
                words.subject = word(&field);
            } else if Some(&name) == self.columns.split.as_ref() {
                words.split = word(&field);
            }
        }
        words
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
    let (mut file, mut left) = open_regular(path).map_err(read)?;
    let groups = metadata.row_groups().iter();
    for column in groups.flat_map(|group| group.columns()) {
        let dictionary = column.dictionary_page_offset();
        let start = dictionary.unwrap_or(column.data_page_offset());
        // What is below 0 is for the crate to refuse.
        let (Ok(start), Ok(length)) = (start.try_into(), column.compressed_size().try_into())
        else {
            continue;
        };
        // Columns do not share bytes, which bounds the work.
        left = u64::checked_sub(left, length).ok_or_else(|| {
            let reason =
                "it is no Parquet file that can be trusted: its columns are longer than it";
            distrust(path, reason.into())
        })?;
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
