//! Where data come from. One file a source; each puts a [`Dataset`] together.

mod compressed;
mod drawn;
mod fer2013;
mod ferplus;

use std::path::{Path, PathBuf};

use crate::dataset::Dataset;
use crate::error::DataError;
use crate::split::SplitSettings;

pub use ferplus::FerPlusTarget;

/// What lies at a path, and how it is to be read.
#[derive(Clone, Debug, Default)]
pub struct OpenSettings {
    /// FER+ votes for the rows of fer2013.csv. Default: none, FER2013's own labels are used.
    pub ferplus: Option<PathBuf>,
    /// How the votes become targets. Default: by majority.
    pub ferplus_target: FerPlusTarget,
    /// How the data are divided.
    pub split: SplitSettings,
    /// Whether an entry that would be left out is an error instead. Default: it is not.
    pub strict: bool,
    /// Whether train loses the exact copies of validation and test pictures. Default: it does not.
    pub dedup: bool,
}

/// Opens the data at `path`: the word `drawn` for the built-in drawn faces, or a fer2013.csv,
/// plain or packed by gzip or zstd.
///
/// ```
/// use fer_data::{OpenSettings, Split, open};
///
/// # if false { // draws several thousand faces
/// let faces = open("drawn".as_ref(), &OpenSettings::default())?;
/// println!("{} faces train", faces.indices(Split::Train).len());
/// # }
/// # Ok::<(), fer_data::DataError>(())
/// ```
///
/// # Errors
/// Nothing recognisable at `path`, a broken table, settings that do not fit the data, or, with
/// [`strict`](OpenSettings::strict), the first entry that would have been left out.
pub fn open(path: &Path, settings: &OpenSettings) -> Result<Dataset, DataError> {
    settings.split.check()?;
    let mut dataset = if path == Path::new("drawn") {
        if settings.ferplus.is_some() {
            return Err(DataError::Setting {
                name: "ferplus",
                value: "set".into(),
                expected: "FER+ votes belong to a fer2013.csv, not to drawn faces",
            });
        }
        drawn::open(&settings.split)?
    } else {
        fer2013::open(path, settings)?
    };
    if settings.strict
        && let Some(first) = unusable(&dataset).next()
    {
        return Err(DataError::Strict {
            name: dataset.name().to_string(),
            count: unusable(&dataset).count(),
            total: dataset.len() + dataset.skipped().len(),
            first: format!("{}: {} {}", first.entry, first.reason, first.detail),
        });
    }
    if settings.dedup {
        dataset.drop_copies_from_train()?;
    }
    Ok(dataset)
}

/// Entries left out because something is wrong with them, not because a protocol says so.
fn unusable(dataset: &Dataset) -> impl Iterator<Item = &crate::Skipped> {
    dataset
        .skipped()
        .iter()
        .filter(|entry| entry.reason == fer2013::MALFORMED)
}
