//! Answers as rows of a Parquet file.

use std::io::Write;
use std::sync::Arc;

use anyhow::Result;
use fer_data::ClassNames;
use parquet::basic::{Compression, LogicalType, Repetition, Type as PhysicalType};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type, TypePtr};

use crate::answer::Answer;

/// A file whose columns are those of the csv: words as strings, places as whole numbers, probabilities as
/// doubles; what an answer does not have is null.
pub(super) struct Rows<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    class_names: Vec<String>,
}

impl<W: Write + Send> Rows<W> {
    pub(super) fn new(file: W, class_names: &ClassNames) -> Result<Self> {
        let class_names: Vec<String> = class_names.iter().map(String::from).collect();
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(format!("fer-train {}", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Rows {
            writer: SerializedFileWriter::new(file, schema(&class_names)?, Arc::new(properties))?,
            class_names,
        })
    }

    /// Adds a group of rows.
    pub(super) fn add(&mut self, answers: &[Answer]) -> Result<()> {
        let mut group = self.writer.next_row_group()?;
        words(&mut group, answers, |answer| answer.path())?;
        for place in 0..4 {
            let number = |answer: &Answer| answer.place().map(|numbers| numbers[place].into());
            column::<Int64Type, _>(&mut group, answers, number)?;
        }
        words(&mut group, answers, |answer| answer.expression())?;
        words(&mut group, answers, |answer| answer.error())?;
        for name in &self.class_names {
            let probability = |answer: &Answer| answer.probability(name)?.as_f64();
            column::<DoubleType, _>(&mut group, answers, probability)?;
        }
        group.close()?;
        Ok(())
    }

    /// Writes the end, without which the file is none.
    pub(super) fn close(self) -> Result<()> {
        self.writer.close()?;
        Ok(())
    }
}

fn schema(class_names: &[String]) -> Result<TypePtr, ParquetError> {
    let word = |name: &str| {
        Type::primitive_type_builder(name, PhysicalType::BYTE_ARRAY)
            .with_logical_type(Some(LogicalType::String))
            .with_repetition(Repetition::OPTIONAL)
            .build()
    };
    let number = |name: &str, kind| {
        Type::primitive_type_builder(name, kind)
            .with_repetition(Repetition::OPTIONAL)
            .build()
    };
    let mut columns = vec![word("path")?];
    for name in ["x", "y", "width", "height"] {
        columns.push(number(name, PhysicalType::INT64)?);
    }
    columns.extend([word("expression")?, word("error")?]);
    for name in class_names {
        columns.push(number(&super::answers::column(name), PhysicalType::DOUBLE)?);
    }
    let columns = columns.into_iter().map(Arc::new).collect();
    let root = Type::group_type_builder("answers").with_fields(columns);
    Ok(Arc::new(root.build()?))
}

fn words<'a, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    answers: &'a [Answer],
    word: impl Fn(&'a Answer) -> Option<&'a str>,
) -> Result<()> {
    column::<ByteArrayType, _>(group, answers, |answer| word(answer).map(ByteArray::from))
}

/// The next column: a level of 1 for each value that is there, 0 for each that is not.
fn column<'a, T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    answers: &'a [Answer],
    value: impl Fn(&'a Answer) -> Option<T::T>,
) -> Result<()> {
    let values: Vec<Option<T::T>> = answers.iter().map(value).collect();
    let levels: Vec<i16> = values.iter().map(|value| value.is_some().into()).collect();
    let values: Vec<T::T> = values.into_iter().flatten().collect();
    if let Some(mut column) = group.next_column()? {
        column
            .typed::<T>()
            .write_batch(&values, Some(&levels), None)?;
        column.close()?;
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use fer_data::face::Bounds;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::RowAccessor;
    use serde_json::Value;

    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_not_there_is_null() {
        let face = Bounds {
            x: 1,
            y: 2,
            width: 30,
            height: 40,
        };
        let probabilities = [("happy", 0.75), ("sad", 0.25)];
        let happy = Answer::Predicted {
            path: Some("Zürich.jpg".into()),
            face: Some(face),
            expression: Some("happy".into()),
            abstained: false,
            probabilities: probabilities
                .map(|(name, value)| (name.to_string(), Value::from(value)))
                .into_iter()
                .collect(),
        };
        let answers = [happy, Answer::no_face(Some("b.png".into()))];
        let mut file = tempfile::tempfile().unwrap();
        let names = ClassNames::new(["happy", "sad"]).unwrap();
        let mut rows = Rows::new(&mut file, &names).unwrap();
        rows.add(&answers).unwrap();
        rows.add(&answers[1..]).unwrap();
        rows.close().unwrap();
        let reader = SerializedFileReader::new(file).unwrap();
        assert_eq!(reader.num_row_groups(), 2);
        let rows: Vec<_> = reader
            .get_row_iter(None)
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(rows.len(), 3);
        assert_eq!(rows[0].get_string(0).unwrap(), "Zürich.jpg");
        assert_eq!(rows[0].get_long(4).unwrap(), 40);
        assert_eq!(rows[0].get_string(5).unwrap(), "happy");
        assert_eq!(rows[0].get_double(8).unwrap(), 0.25);
        let names: Vec<&String> = rows[0].get_column_iter().map(|(name, _)| name).collect();
        assert_eq!(names[7], "probability of happy");
        assert_eq!(rows[1].get_string(6).unwrap(), "no face found");
        assert!(rows[1].get_long(1).is_err() && rows[1].get_double(7).is_err());
        assert_eq!(rows[2].get_string(0).unwrap(), "b.png");
    }
}
