use std::path::Path;
use std::sync::Arc;

use parquet::basic::Type as PhysicalType;
use parquet::errors::ParquetError;
use parquet::file::metadata::FileMetaData;
use parquet::schema::types::{Type, TypePtr};

use crate::error::DataError;
use crate::notice::listed;
use crate::source::manifest::{LABEL, SPLIT, SUBJECT, bare};
use crate::source::parquet::schema::{Features, KEY};

/// Names of columns that hold pictures, where the file does not say.
const IMAGE: &[&str] = &[
    "image",
    "img",
    "picture",
    "photo",
    "face",
    "imagebytes",
    "imgbytes",
    "bytes",
    "file",
    "png",
    "jpg",
];

/// Further names of columns of labels.
const LABELS: &[&str] = &["labels", "emotions", "expressions", "classes"];

/// What the columns of a file mean.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    pub(super) image: String,
    pub(super) label: String,
    /// The names of the classes that the labels number, where the file says them.
    pub(super) class_names: Vec<String>,
    pub(super) subject: Option<String>,
    pub(super) split: Option<String>,
}

impl Columns {
    /// Those of the file at `path`.
    ///
    /// # Errors
    /// [`DataError::Table`] where no column holds pictures or none holds labels, naming those that
    /// there are.
    pub(super) fn find(path: &Path, metadata: &FileMetaData) -> Result<Self, DataError> {
        let entries = metadata.key_value_metadata().into_iter().flatten();
        let description = entries
            .filter(|entry| entry.key == KEY)
            .find_map(|entry| entry.value.as_deref());
        let features = description.map(Features::read).unwrap_or_default();
        let fields = metadata.schema().get_fields();
        let named = |words: &[&str], fits: &dyn Fn(&Type) -> bool| {
            let mut words = words.iter();
            words.find_map(|word| {
                let mut fields = fields.iter();
                let field = fields.find(|field| bare(field.name()) == *word && fits(field));
                field.map(|field| field.name().to_string())
            })
        };
        let there = |name: &String| fields.iter().any(|field| field.name() == name);
        let refuse = |what: &str| {
            let own: Vec<&str> = fields.iter().map(|field| field.name()).collect();
            DataError::Table {
                path: path.to_path_buf(),
                reason: format!("no column holds {what}; it has {}", listed(&own, 12)),
            }
        };
        let image = features.images.into_iter().find(there);
        let image = image
            .or_else(|| named(IMAGE, &holds_pictures))
            .or_else(|| only_one_with_pictures(fields))
            .ok_or_else(|| refuse("pictures (the bytes of their files, or bytes and path)"))?;
        let described = features.classes.into_iter().find(|(name, _)| there(name));
        let (label, class_names) = match described {
            Some(described) => described,
            None => {
                let label = named(LABEL, &holds_labels).or_else(|| named(LABELS, &holds_labels));
                let what =
                    "labels (a number or a word, in a column called label, expression or emotion)";
                (label.ok_or_else(|| refuse(what))?, Vec::new())
            }
        };
        Ok(Columns {
            image,
            label,
            class_names,
            subject: named(SUBJECT, &Type::is_primitive),
            split: named(SPLIT, &Type::is_primitive),
        })
    }

    /// The schema of the column of pictures alone.
    pub(super) fn pictures(&self, schema: &Type) -> Result<Type, ParquetError> {
        only(schema, |name| name == self.image)
    }

    /// The schema of the other columns alone.
    pub(super) fn words(&self, schema: &Type) -> Result<Type, ParquetError> {
        only(schema, |name| {
            let optional = [&self.subject, &self.split];
            name == self.label || optional.iter().any(|own| own.as_deref() == Some(name))
        })
    }
}

fn only(schema: &Type, taken: impl Fn(&str) -> bool) -> Result<Type, ParquetError> {
    let fields = schema.get_fields().iter();
    let fields = fields.filter(|field| taken(field.name())).map(Arc::clone);
    Type::group_type_builder(schema.name())
        .with_fields(fields.collect())
        .build()
}

fn is_binary(field: &Type) -> bool {
    field.is_primitive() && field.get_physical_type() == PhysicalType::BYTE_ARRAY
}

fn holds_pictures(field: &Type) -> bool {
    match field.is_primitive() {
        true => is_binary(field),
        false => {
            let mut children = field.get_fields().iter();
            children.any(|child| child.name() == "bytes" && is_binary(child))
        }
    }
}

fn holds_labels(field: &Type) -> bool {
    let whole = [
        PhysicalType::INT32,
        PhysicalType::INT64,
        PhysicalType::BYTE_ARRAY,
    ];
    field.is_primitive() && whole.contains(&field.get_physical_type())
}

/// The one group of bytes and a path, as `datasets` stores a picture.
fn only_one_with_pictures(fields: &[TypePtr]) -> Option<String> {
    let mut groups = fields
        .iter()
        .filter(|field| field.is_group() && holds_pictures(field));
    let one = groups.next()?;
    groups.next().is_none().then(|| one.name().to_string())
}
