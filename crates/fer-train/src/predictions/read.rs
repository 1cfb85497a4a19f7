//! Reading `predictions.csv`.

use std::io::Read;
use std::path::Path;
use std::str::FromStr;

use anyhow::{Context, Result, anyhow, bail, ensure};
use csv::{Reader, StringRecord};
use fer_data::{ClassNames, open_regular};

use super::{COLUMNS, JudgedPicture, Predictions};
use crate::formula::unescaped;

impl Predictions {
    /// Reads the table at `path`.
    ///
    /// # Errors
    /// A file that cannot be read, or that is no such table, with the row and the column.
    pub fn open(path: &Path) -> Result<Self> {
        let named = || format!("cannot read {}", path.display());
        let (file, _) = open_regular(path).with_context(named)?;
        Predictions::from_csv(file).with_context(named)
    }

    /// Reads the table that [`to_csv`](Self::to_csv) writes.
    ///
    /// # Errors
    /// What cannot be read, or is no such table, with the row (from 1, below the columns) and the
    /// column.
    pub fn from_csv(csv: impl Read) -> Result<Self> {
        let mut reader = Reader::from_reader(csv);
        let class_names = class_names(reader.headers()?)?;
        let mut pictures = Vec::new();
        for (place, record) in reader.records().enumerate() {
            let named = || format!("row {}", place + 1);
            let row = Row {
                record: record.with_context(named)?,
                class_names: &class_names,
            };
            pictures.push(row.picture().with_context(named)?);
        }
        Ok(Predictions {
            class_names,
            pictures,
        })
    }
}

fn class_names(columns: &StringRecord) -> Result<ClassNames> {
    for (place, expected) in COLUMNS.into_iter().enumerate() {
        let found = columns.get(place).unwrap_or_default();
        ensure!(
            found == expected,
            "column {} is `{found}`, expected `{expected}`",
            place + 1
        );
    }
    let names = columns.iter().skip(COLUMNS.len()).map(|column| {
        let name = column
            .strip_prefix("p(")
            .and_then(|rest| rest.strip_suffix(')'));
        name.ok_or_else(|| anyhow!("column `{column}`, expected `p(NAME)`"))
    });
    Ok(ClassNames::new(names.collect::<Result<Vec<&str>>>()?)?)
}

struct Row<'a> {
    record: StringRecord,
    class_names: &'a ClassNames,
}

impl Row<'_> {
    fn picture(&self) -> Result<JudgedPicture> {
        let entropy = self.cell(7);
        let entropy = (!entropy.is_empty()).then(|| self.number(7, "votes_entropy"));
        let classes = self.class_names.iter().enumerate();
        let picture = JudgedPicture {
            picture: unescaped(self.cell(0)).to_string(),
            split: self.parsed(1, "split")?,
            label: self.class(2, "label")?,
            predicted: self.class(3, "predicted")?,
            copy_of_train: self.parsed(6, "copy_of_train")?,
            votes_entropy: entropy.transpose()?,
            probabilities: classes
                .map(|(class, name)| {
                    let column = format!("p({name})");
                    self.number(COLUMNS.len() + class, &column)
                })
                .collect::<Result<_>>()?,
        };
        let right: bool = self.parsed(5, "right")?;
        ensure!(
            right == picture.is_right(),
            "right is `{right}`, but label and predicted say otherwise"
        );
        Ok(picture)
    }

    fn cell(&self, place: usize) -> &str {
        self.record.get(place).unwrap_or_default()
    }

    fn parsed<T: FromStr>(&self, place: usize, column: &str) -> Result<T> {
        let cell = self.cell(place);
        let parsed = cell.parse().ok();
        parsed.ok_or_else(|| anyhow!("{column} is `{}`", cell.escape_debug()))
    }

    fn number<T: FromStr + Into<f64> + Copy>(&self, place: usize, column: &str) -> Result<T> {
        let number: T = self.parsed(place, column)?;
        let value = number.into();
        ensure!(
            value.is_finite() && value >= 0.0,
            "{column} is `{value}`, expected a finite number from 0"
        );
        Ok(number)
    }

    fn class(&self, place: usize, column: &str) -> Result<usize> {
        let name = unescaped(self.cell(place));
        let Some(class) = self.class_names.index(name) else {
            bail!(
                "{column} is `{}`, which is no class of the columns",
                name.escape_debug()
            );
        };
        Ok(class)
    }
}
