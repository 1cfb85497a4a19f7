use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::dataset::Dataset;
use crate::error::DataError;
use crate::picture::{Picture, PictureFacts};
use crate::skipped::{Skipped, reason};
use crate::source::assembly::{Candidate, Gathered};
use crate::source::labels::{Labels, Meanings};
use crate::source::parquet::is_named_like_parquet;
use crate::source::parquet::rows::{Row, Rows};
use crate::source::parquet::store::{Place, Store};
use crate::source::tree::Folder;
use crate::source::{Layout, OpenSettings, refuse_votes};
use crate::split::Split;

/// A file of rows, and the split that it is of.
struct Part {
    path: PathBuf,
    split: Option<Split>,
}

/// Opens one Parquet file.
pub(crate) fn open(path: &Path, settings: &OpenSettings) -> Result<Dataset, DataError> {
    let part = Part {
        path: path.to_path_buf(),
        split: None,
    };
    open_parts("a Parquet file", path, vec![part], settings)
}

/// Opens the Parquet files in and below a folder; the names of files and folders say the splits.
pub(crate) fn open_folder(root: &Folder, settings: &OpenSettings) -> Result<Dataset, DataError> {
    let parts: Vec<Part> = root
        .all_files()
        .into_iter()
        .filter(|file| is_named_like_parquet(file))
        .map(|file| Part {
            path: file.to_path_buf(),
            split: split_of(file.strip_prefix(&root.path).unwrap_or(file)),
        })
        .collect();
    open_parts("Parquet files", &root.path, parts, settings)
}

/// The split that a path within a data set names: its file (`train-00000-of-00002.parquet`), or the
/// folder nearest to it (`default/train/0000.parquet`).
fn split_of(path: &Path) -> Option<Split> {
    let stem = path.file_stem().and_then(|stem| stem.to_str())?;
    let first = stem.split('-').next().and_then(Split::from_word);
    let folders = path.ancestors().skip(1);
    let folders = folders.filter_map(|folder| folder.file_name()?.to_str());
    first.or_else(|| folders.into_iter().find_map(Split::from_word))
}

fn open_parts(
    name: &'static str,
    path: &Path,
    parts: Vec<Part>,
    settings: &OpenSettings,
) -> Result<Dataset, DataError> {
    refuse_votes(settings, "Parquet files")?;
    check_splits(path, &parts)?;
    let labels = Labels::new(settings)?;
    let groups = parts.iter().enumerate().map(|(file, part)| {
        let rows = Rows::open(&part.path)?;
        Ok((0..rows.groups()).map(move |group| (file, group)))
    });
    let groups: Vec<_> = groups.collect::<Result<Vec<_>, DataError>>()?;
    let read: Vec<Vec<(Place, Row)>> = groups
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .into_par_iter()
        .map(|(file, group)| read_group(&parts, file, group, settings))
        .collect::<Result<_, DataError>>()?;
    let rows: Vec<(Place, Row)> = read.into_iter().flatten().collect();
    let mut gathered = Gathered {
        name,
        layout: Layout::Parquet,
        labels: labels.describe(),
        candidates: Vec::new(),
        columns: Vec::new(),
        skipped: Vec::new(),
        notices: Vec::new(),
    };
    let words: BTreeSet<&str> = rows
        .iter()
        .filter_map(|row| row.1.label.as_deref())
        .collect();
    let meanings = labels.resolve(path, &words, &mut gathered.notices)?;
    let has_splits = rows
        .iter()
        .any(|(place, row)| row.split.is_some() || parts[place.file].split.is_some());
    let mut places = Vec::new();
    let (mut pictures, mut facts) = (Vec::new(), Vec::new());
    for (place, row) in rows {
        let part = &parts[place.file];
        match usable(row, part, &meanings, has_splits) {
            Ok((candidate, picture, fact)) => {
                gathered.candidates.push(candidate);
                places.push(place);
                pictures.push(picture);
                facts.push(fact);
            }
            Err((reason, detail)) => {
                let entry = place.name(&part.path);
                gathered.skipped.push(Skipped::new(entry, reason, detail));
            }
        }
    }
    let files = parts.into_iter().map(|part| part.path).collect();
    let store = Store::new(files, places, settings.resize);
    gathered.finish(pictures, facts, Box::new(store), settings)
}

/// Each group opens the file for itself: handles that share it would share its position too.
fn read_group(
    parts: &[Part],
    file: usize,
    group: usize,
    settings: &OpenSettings,
) -> Result<Vec<(Place, Row)>, DataError> {
    let rows = Rows::open(&parts[file].path)?;
    let place = |row| Place { file, group, row };
    let read = rows.read(group, settings.resize)?;
    Ok((0..).map(place).zip(read).collect())
}

/// Where some files name a split and others none, nothing says what the others are for.
fn check_splits(path: &Path, parts: &[Part]) -> Result<(), DataError> {
    let without = parts.iter().find(|part| part.split.is_none());
    let with = parts.iter().find(|part| part.split.is_some());
    match (with, without) {
        (Some(with), Some(without)) => Err(DataError::Unclear {
            path: path.to_path_buf(),
            saw: format!(
                "the name of {} says which split it is, and that of {} does not",
                with.path.display(),
                without.path.display()
            ),
            remedy: "Name each file, or the folder that it lies in, after its split (train, validation, test), or name the one file that is meant".into(),
        }),
        _ => Ok(()),
    }
}

type Usable = (Candidate, Picture, PictureFacts);

/// What a row adds to the data, or why it is left out.
fn usable(
    row: Row,
    part: &Part,
    meanings: &Meanings,
    has_splits: bool,
) -> Result<Usable, (&'static str, String)> {
    let Some(label) = row.label else {
        return Err((reason::UNKNOWN_LABEL, "the row has no label".into()));
    };
    let class = match meanings.get(&label) {
        Some(Ok(class)) => class.clone(),
        Some(Err(reason)) => return Err((reason, format!("label `{label}`"))),
        None => return Err((reason::UNKNOWN_LABEL, format!("label `{label}`"))),
    };
    let split = match &row.split {
        Some(word) => Split::from_word(word),
        None => part.split,
    };
    if has_splits && split.is_none() {
        let word = row.split.unwrap_or_default();
        let detail = format!("`{word}`, expected train, validation or test");
        return Err((reason::UNKNOWN_SPLIT, detail));
    }
    let (picture, facts) = row.picture?;
    let candidate = Candidate {
        path: part.path.clone(),
        class,
        subject: row.subject,
        split,
        groups: Vec::new(),
    };
    Ok((candidate, picture, facts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_and_folders_say_the_split() {
        let split = |path: &str| split_of(Path::new(path));
        assert_eq!(split("train-00000-of-00002.parquet"), Some(Split::Train));
        assert_eq!(split("data/test-00000-of-00001.parquet"), Some(Split::Test));
        assert_eq!(
            split("default/validation/0000.parquet"),
            Some(Split::Validation)
        );
        assert_eq!(split("default/partial-train/0000.parquet"), None);
        assert_eq!(split("faces.parquet"), None);
    }
}
