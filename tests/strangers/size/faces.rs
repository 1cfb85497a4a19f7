use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use fer_data::drawn::DrawnFaces;
use fer_data::{Expression, SIDE};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use parquet::data_type::{ByteArray, ByteArrayType, Int32Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use rayon::prelude::*;

/// Faces that are drawn; the others are these with other corners.
const DRAWN: usize = 512;

/// Pictures in a group of rows.
const GROUP: usize = 1000;

/// Drawn faces without end, all different: the number of each stands in four pixels of its corner.
pub(super) struct Faces {
    drawn: Vec<(Vec<u8>, Expression)>,
    linked: bool,
}

impl Faces {
    pub(super) fn draw() -> Self {
        let faces = DrawnFaces::new(1);
        let draw = |number| (faces.draw(number).pixels, faces.expression(number));
        Faces {
            drawn: (0..DRAWN).into_par_iter().map(draw).collect(),
            linked: false,
        }
    }

    /// The same, of which folders have each drawn one as a file and the others as links to it, which takes
    /// less time.
    pub(super) fn linked(self) -> Self {
        Faces {
            linked: true,
            ..self
        }
    }

    fn pixels(&self, number: usize) -> Vec<u8> {
        let mut pixels = self.drawn[number % DRAWN].0.clone();
        pixels[..4].copy_from_slice(&(number as u32).to_le_bytes());
        pixels
    }

    fn class(&self, number: usize) -> &'static str {
        self.drawn[number % DRAWN].1.name()
    }

    fn png(&self, number: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let encoder =
            PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::NoFilter);
        let side = SIDE as u32;
        encoder.write_image(&self.pixels(number), side, side, ExtendedColorType::L8)?;
        Ok(bytes)
    }

    fn write_files(
        &self,
        count: usize,
        path: impl Fn(usize) -> std::path::PathBuf + Sync,
    ) -> Result<()> {
        let write = |number: usize| Ok(fs::write(path(number), self.png(number)?)?);
        let first = count.min(if self.linked { DRAWN } else { count });
        (0..first).into_par_iter().try_for_each(write)?;
        (first..count).into_par_iter().try_for_each(|number| {
            let linked = fs::hard_link(path(number % DRAWN), path(number));
            linked.or_else(|_| write(number))
        })
    }

    /// A folder a class.
    pub(super) fn write_classes(&self, path: &Path, count: usize) -> Result<()> {
        for expression in Expression::ALL {
            fs::create_dir_all(path.join(expression.name()))?;
        }
        self.write_files(count, |number| {
            path.join(self.class(number))
                .join(format!("{number:07}.png"))
        })
    }

    /// A folder for each of the people, who have 50 pictures each.
    pub(super) fn write_people(&self, path: &Path, count: usize) -> Result<()> {
        for person in 0..=count / 50 {
            fs::create_dir_all(path.join(format!("person{person}")))?;
        }
        self.write_files(count, |number| {
            let person = path.join(format!("person{}", number / 50));
            person.join(format!("{}_{number}.png", self.class(number)))
        })
    }

    /// A table with subjects, splits and a column of groups beside one folder of pictures.
    pub(super) fn write_manifest(&self, path: &Path, count: usize) -> Result<()> {
        let folder = path.with_file_name("pictures");
        fs::create_dir_all(&folder)?;
        self.write_files(count, |number| folder.join(format!("{number:07}.png")))?;
        let mut table = BufWriter::new(File::create(path)?);
        writeln!(table, "path,label,subject,split,age")?;
        for number in 0..count {
            let (class, split) = (self.class(number), ["train", "val", "test"][number % 3]);
            let (person, age) = (number / 50, number / 50 % 60);
            writeln!(
                table,
                "pictures/{number:07}.png,{class},person{person},{split},{age}"
            )?;
        }
        Ok(table.flush()?)
    }

    /// A table of pixels, without the class that FER2013 does not have.
    pub(super) fn write_table(&self, path: &Path, count: usize) -> Result<()> {
        let mut table = BufWriter::new(File::create(path)?);
        writeln!(table, "emotion,pixels,Usage")?;
        let mut line = String::new();
        for number in 0..count {
            line.clear();
            write!(line, "{},", number % 7)?;
            for pixel in self.pixels(number) {
                write!(line, "{pixel} ")?;
            }
            let usage = ["Training", "PublicTest", "PrivateTest"][number % 3];
            writeln!(table, "{},{usage}", line.trim_end())?;
        }
        Ok(table.flush()?)
    }

    /// One file with a group of rows for each thousand.
    pub(super) fn write_parquet(&self, path: &Path, count: usize) -> Result<()> {
        let schema = "message faces { required binary image; required binary label (UTF8); required int32 subject; }";
        let schema = Arc::new(parse_message_type(schema)?);
        let properties = WriterProperties::builder().set_dictionary_enabled(false);
        let file = File::create(path)?;
        let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties.build()))?;
        for start in (0..count).step_by(GROUP) {
            let numbers = start..count.min(start + GROUP);
            let pictures = numbers
                .clone()
                .into_par_iter()
                .map(|number| self.png(number));
            let pictures = pictures.collect::<Result<Vec<_>>>()?;
            let pictures: Vec<ByteArray> = pictures.into_iter().map(ByteArray::from).collect();
            let labels = numbers
                .clone()
                .map(|number| ByteArray::from(self.class(number)));
            let labels: Vec<ByteArray> = labels.collect();
            let people: Vec<i32> = numbers.map(|number| (number / 50) as i32).collect();
            let mut group = writer.next_row_group()?;
            for values in [&pictures, &labels] {
                if let Some(mut column) = group.next_column()? {
                    column
                        .typed::<ByteArrayType>()
                        .write_batch(values, None, None)?;
                    column.close()?;
                }
            }
            if let Some(mut column) = group.next_column()? {
                column
                    .typed::<Int32Type>()
                    .write_batch(&people, None, None)?;
                column.close()?;
            }
            group.close()?;
        }
        writer.close()?;
        Ok(())
    }
}
