use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::DataError;

/// How pictures and labels lie at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// A folder for each class, under folders of splits where there are any.
    Classes,
    /// A folder for each person; file names, or folders within, say the expression.
    People,
    /// The rows of a fer2013.csv.
    Csv,
    /// A table of paths and labels beside the pictures.
    Manifest,
    /// Parquet files with the bytes of pictures in their rows.
    Parquet,
}

impl Layout {
    /// All of them.
    pub const ALL: [Layout; 5] = [
        Layout::Classes,
        Layout::People,
        Layout::Csv,
        Layout::Manifest,
        Layout::Parquet,
    ];

    /// `classes`, `people`, `csv`, `manifest` or `parquet`.
    pub fn name(self) -> &'static str {
        match self {
            Layout::Classes => "classes",
            Layout::People => "people",
            Layout::Csv => "csv",
            Layout::Manifest => "manifest",
            Layout::Parquet => "parquet",
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Layout {
    type Err = DataError;

    fn from_str(word: &str) -> Result<Self, DataError> {
        Layout::ALL
            .into_iter()
            .find(|layout| layout.name() == word)
            .ok_or_else(|| DataError::Setting {
                name: "layout",
                value: word.to_string(),
                expected: "classes, people, csv, manifest or parquet",
            })
    }
}
