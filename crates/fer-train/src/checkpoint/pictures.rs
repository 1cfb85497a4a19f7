use std::collections::BTreeMap;
use std::io::Write;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result};
use fer_data::{Dataset, Split, printable, read_regular};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::digest::hexadecimal;
use crate::formula::{escaped, unescaped};

/// How many pictures of a kind a message names.
const NAMED: usize = 3;
/// Rows that are made before they are written.
const TOGETHER: usize = 1024;

/// Which pictures a run has: read only to say how other data differ, never to train.
pub struct PictureList {
    rows: Vec<Row>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Row {
    /// A file, or a row of a file.
    picture: String,
    split: Split,
    class: String,
    /// First half of the SHA-256 of its 48×48 grey values, in hexadecimal.
    digest: String,
}

impl PictureList {
    /// Of a data set.
    ///
    /// # Errors
    /// A picture that cannot be read.
    pub fn new(dataset: &Dataset) -> Result<Self> {
        let rows = rows(dataset, 0..dataset.len())?;
        Ok(PictureList { rows })
    }

    /// Reads what [`write`](Self::write) wrote.
    ///
    /// # Errors
    /// A file that cannot be read or is no such list.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = read_regular(path, u64::MAX)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let rows: Result<Vec<Row>, csv::Error> = csv::Reader::from_reader(bytes.as_slice())
            .deserialize()
            .collect();
        let rows = rows.with_context(|| format!("{} is no list of pictures", path.display()))?;
        let rows = rows.into_iter().map(|row| Row {
            picture: unescaped(&row.picture).to_string(),
            class: unescaped(&row.class).to_string(),
            ..row
        });
        Ok(PictureList {
            rows: rows.collect(),
        })
    }

    /// Writes the list of a data set, one row a picture, without holding it.
    ///
    /// # Errors
    /// A picture that cannot be read, or a file that cannot be written.
    pub fn write(dataset: &Dataset, file: &mut dyn Write) -> Result<()> {
        let mut writer = csv::Writer::from_writer(file);
        for start in (0..dataset.len()).step_by(TOGETHER) {
            for row in rows(dataset, start..dataset.len().min(start + TOGETHER))? {
                writer.serialize(Row {
                    picture: escaped(&row.picture).into_owned(),
                    class: escaped(&row.class).into_owned(),
                    ..row
                })?;
            }
        }
        Ok(writer.flush()?)
    }

    /// In words, how `now` differs from this list: pictures that are gone, new or changed, and
    /// those of another class or split, the first few by name.
    pub fn differences(&self, now: &PictureList) -> Vec<String> {
        let by_name = |list: &PictureList| -> BTreeMap<String, Row> {
            let rows = list.rows.iter();
            rows.map(|row| (row.picture.clone(), row.clone())).collect()
        };
        let (was, is) = (by_name(self), by_name(now));
        let gone = was.keys().filter(|name| !is.contains_key(*name));
        let new = is.keys().filter(|name| !was.contains_key(*name));
        let both = || {
            was.iter()
                .filter_map(|(name, row)| Some((name, row, is.get(name)?)))
        };
        let differing = |differ: fn(&Row, &Row) -> bool| {
            let pictures = both().filter(move |(_, was, is)| differ(was, is));
            pictures.map(|(name, _, _)| name).collect::<Vec<_>>()
        };
        let kinds = [
            ("gone", gone.collect()),
            ("new", new.collect()),
            ("changed", differing(|was, is| was.digest != is.digest)),
            (
                "of another class",
                differing(|was, is| was.class != is.class),
            ),
            (
                "in another split",
                differing(|was, is| was.split != is.split),
            ),
        ];
        kinds
            .into_iter()
            .filter(|(_, names)| !names.is_empty())
            .map(|(kind, names)| sentence(kind, &names))
            .collect()
    }
}

fn rows(dataset: &Dataset, indices: Range<usize>) -> Result<Vec<Row>> {
    let row = |index| -> Result<Row> {
        let entry = dataset.entry(index);
        let digest = Sha256::digest(dataset.picture(index)?.pixels());
        Ok(Row {
            picture: dataset.origin(index),
            split: entry.split,
            class: dataset.class_names().name(entry.label).into(),
            digest: hexadecimal(&digest[..16]),
        })
    };
    indices.into_par_iter().map(row).collect()
}

fn sentence(kind: &str, names: &[&String]) -> String {
    let shown: Vec<_> = names
        .iter()
        .take(NAMED)
        .map(|name| printable(name))
        .collect();
    let more = match names.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{} {kind}: {}{more}", names.len(), shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(rows: &[(&str, Split, &str, &str)]) -> PictureList {
        let rows = rows.iter().map(|&(picture, split, class, digest)| Row {
            picture: picture.into(),
            split,
            class: class.into(),
            digest: digest.into(),
        });
        PictureList {
            rows: rows.collect(),
        }
    }

    #[test]
    fn each_kind_of_difference_is_named_with_its_pictures() {
        use Split::{Train, Validation};
        let was = list(&[
            ("a", Train, "happy", "1"),
            ("b", Train, "happy", "2"),
            ("c", Train, "happy", "3"),
            ("d", Train, "happy", "4"),
        ]);
        let is = list(&[
            ("b", Train, "happy", "9"),
            ("c", Validation, "happy", "3"),
            ("d", Train, "sad", "4"),
            ("e", Train, "sad", "5"),
        ]);
        assert_eq!(
            was.differences(&is),
            [
                "1 gone: a",
                "1 new: e",
                "1 changed: b",
                "1 of another class: d",
                "1 in another split: c"
            ]
        );
        assert!(was.differences(&was).is_empty());
    }

    #[test]
    fn of_many_pictures_the_first_are_named_and_the_rest_counted() {
        let all: Vec<String> = (0..9).map(|number| number.to_string()).collect();
        let names: Vec<&String> = all.iter().collect();
        assert_eq!(sentence("gone", &names), "9 gone: 0, 1, 2 and 6 more");
    }
}
