use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::dataset::Dataset;
use crate::error::{DataError, Flaw};
use crate::picture::{Picture, PictureFacts, Resize};
use crate::skipped::{Skipped, reason};
use crate::source::assembly::{Gathered, Pictures};
use crate::source::candidates::{Candidate, Candidates};
use crate::source::labels::{Labels, Meanings};
use crate::source::parquet::is_named_like_parquet;
use crate::source::parquet::said::Said;
use crate::source::parquet::store::{Places, Store};
use crate::source::parquet::stream::{Stream, Taken};
use crate::source::paths::Paths;
use crate::source::tree::Folder;
use crate::source::{Layout, OpenSettings, refuse_votes};
use crate::split::Split;
use crate::worker::guarded;

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
pub(crate) fn open_folder(
    root: &Folder,
    files: &Paths,
    settings: &OpenSettings,
) -> Result<Dataset, DataError> {
    let paths = root.all_files().map(|file| files.path(file));
    let parts: Vec<Part> = paths
        .filter(|path| is_named_like_parquet(path))
        .map(|path| Part {
            split: split_of(path.strip_prefix(&root.path).unwrap_or(&path)),
            path,
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
    let files: Vec<PathBuf> = parts.iter().map(|part| part.path.clone()).collect();
    let mut said = Said::read(&files)?;
    let mut notices = Vec::new();
    let meanings = labels.resolve(path, &said.labels(), &mut notices)?;
    let judge = Judge {
        meanings,
        has_splits: said.names_splits() || parts.iter().any(|part| part.split.is_some()),
        parts,
    };
    let mut gathered = Gathered {
        name,
        layout: Layout::Parquet,
        labels: labels.describe(),
        files: Paths::default(),
        candidates: Candidates::new(Vec::new(), said.len()),
        skipped: Vec::new(),
        notices,
    };
    let places = said.take_places();
    let mut pictures = Pictures::new(settings, said.len());
    let mut rows = Vec::with_capacity(said.len());
    let add = |taken: &Taken, picture: Decoded| -> Result<(), DataError> {
        let usable = judge.says(&said, &places, taken.row);
        let usable = usable.and_then(|(class, split)| Ok((class, split, picture?)));
        match usable {
            Ok((class, split, (picture, facts))) => {
                gathered.candidates.push(Candidate {
                    file: 0,
                    class,
                    subject: said.subject(taken.row),
                    split,
                    groups: [],
                });
                rows.push(taken.row as u32);
                pictures.push(picture, facts)?;
            }
            Err((reason, detail)) => {
                let entry = places.name(&files, taken.row);
                gathered.skipped.push(Skipped::new(entry, reason, detail));
            }
        }
        Ok(())
    };
    decode_all(&files, &places, settings.resize, add)?;
    drop(said);
    let store = Store::new(files, places, rows);
    gathered.finish(pictures, Box::new(store), settings)
}

/// A row's picture, or why there is none.
type Decoded = Result<(Picture, PictureFacts), Reason>;

/// Decodes the pictures of all rows while the next are read, and gives them to `add` in order.
fn decode_all(
    files: &[PathBuf],
    places: &Places,
    resize: Resize,
    mut add: impl FnMut(&Taken, Decoded) -> Result<(), DataError>,
) -> Result<(), DataError> {
    let mut stream = Stream::new(files, places);
    let mut now = stream.some()?;
    while !now.is_empty() {
        let decode = |taken: &Taken| {
            let name = || places.name(files, taken.row);
            guarded(name, || decode(taken.bytes.as_deref(), resize))
        };
        let (decoded, next) = rayon::join(
            || now.par_iter().map(decode).collect::<Result<Vec<_>, _>>(),
            || stream.some(),
        );
        for (taken, picture) in now.iter().zip(decoded?) {
            add(taken, picture)?;
        }
        now = next?;
    }
    Ok(())
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

/// Why a row is left out: the kind of reason, and what exactly is wrong.
type Reason = (&'static str, String);

/// What the words of rows mean.
struct Judge {
    meanings: Meanings,
    has_splits: bool,
    parts: Vec<Part>,
}

impl Judge {
    /// The class and the split of a row.
    fn says(
        &self,
        said: &Said,
        places: &Places,
        row: usize,
    ) -> Result<(&str, Option<Split>), Reason> {
        let Some(label) = said.label(row) else {
            return Err((reason::UNKNOWN_LABEL, "the row has no label".into()));
        };
        let class = match self.meanings.get(label) {
            Some(Ok(class)) => class,
            Some(Err(reason)) => return Err((reason, format!("label `{label}`"))),
            None => return Err((reason::UNKNOWN_LABEL, format!("label `{label}`"))),
        };
        let split = match said.split(row) {
            Some(word) => Split::from_word(word),
            None => self.parts[places.file(row)].split,
        };
        if self.has_splits && split.is_none() {
            let word = said.split(row).unwrap_or_default();
            let detail = format!("`{word}`, expected train, validation or test");
            return Err((reason::UNKNOWN_SPLIT, detail));
        }
        Ok((class, split))
    }
}

fn decode(bytes: Option<&[u8]>, resize: Resize) -> Decoded {
    let none = || {
        (
            reason::NO_FILE,
            "the row holds no bytes of a picture".to_string(),
        )
    };
    let decoded = Picture::decode_with_facts(bytes.ok_or_else(none)?, "the picture", resize);
    decoded.map_err(|error| match error {
        DataError::Decode { flaw, reason, .. } => match flaw {
            Flaw::TooLarge => (reason::TOO_LARGE, reason),
            Flaw::Foreign => (reason::NOT_A_PICTURE, reason),
            Flaw::Broken => (reason::BROKEN_PICTURE, reason),
        },
        other => (reason::BROKEN_PICTURE, other.to_string()),
    })
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
