//! Where data come from. One file a source; each puts a [`Dataset`] together.

mod compressed;
mod drawn;
mod fer2013;
mod ferplus;

mod arrangement;
mod evidence;
mod file;
mod folder;
mod label_map;
mod labels;
mod layout;
mod parquet;
mod paths;
mod table;
mod tree;
mod words;

mod classes;
mod manifest;
mod people;
mod person_table;

mod assembly;
mod candidates;
mod division;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::dataset::Dataset;
use crate::decoded::MemorySettings;
use crate::error::DataError;
use crate::expression::Vocabulary;
use crate::picture::Resize;
use crate::regular::open_regular;
use crate::split::SplitSettings;

pub use ferplus::FerPlusTarget;
pub use layout::Layout;
pub use tree::{FilesBelow, files_below};

/// What lies at a path, and how it is to be read.
#[derive(Clone, Debug, Default)]
pub struct OpenSettings {
    /// How pictures and labels lie there; naming it also takes labels that are no expressions as
    /// they stand. Default: told by what is found.
    pub layout: Option<Layout>,
    /// What the labels mean: a TOML file, one `"0" = "happy"` a line; pictures with labels that it
    /// does not name are left out. Default: what the labels say themselves.
    pub label_map: Option<PathBuf>,
    /// The known data set whose numbering the labels follow. Default: none.
    pub vocabulary: Option<Vocabulary>,
    /// FER+ votes for the rows of fer2013.csv. Default: none, FER2013's own labels are used.
    pub ferplus: Option<PathBuf>,
    /// How the votes become targets. Default: by majority.
    pub ferplus_target: FerPlusTarget,
    /// How picture files become 48×48. Default: anti-aliased.
    pub resize: Resize,
    /// How the data are divided.
    pub split: SplitSettings,
    /// Whether an entry that cannot be used is an error instead of being left out. Default: it is
    /// not.
    pub strict: bool,
    /// Whether train loses the exact copies of validation and test pictures. Default: it does not.
    pub dedup: bool,
    /// How much memory the decoded pictures may take, and where they lie beyond that. Default: 1 GiB.
    pub memory: MemorySettings,
}

/// Opens the data at `path`:
///
/// - the word `drawn`: the built-in drawn faces;
/// - a fer2013.csv, plain or packed by gzip or zstd;
/// - a manifest: a csv with the columns `path` and `label`, and `subject`, `split` and any others
///   where known;
/// - a Parquet file, or a folder of them, as the library `datasets` writes them (feature `parquet`);
/// - `hf://owner/name`, or `hf://owner/name/subset`: a data set of the Hugging Face hub (feature `hub`);
///   `HF_ENDPOINT`, `HF_HOME` and `HF_TOKEN` are heeded, and without the network the cache serves;
/// - a folder with a folder for each class, or for each person with expressions as file names,
///   below `train`, `validation` and `test` where the data are divided already; or with a
///   `manifest.csv` or a fer2013.csv in it.
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
/// Nothing recognisable at `path`, or what can be understood in more than one way; a broken table;
/// settings that do not fit the data; no usable picture; more decoded pictures than memory may take and no
/// room for them on disk; or, with [`strict`](OpenSettings::strict), the first entry that would have been
/// left out.
pub fn open(path: &Path, settings: &OpenSettings) -> Result<Dataset, DataError> {
    settings.split.check()?;
    let mut dataset = if path == Path::new("drawn") {
        refuse_votes(settings, "drawn faces")?;
        refuse_labels(
            settings,
            "the drawn faces bring their own labels; leave it out",
        )?;
        drawn::open(settings)?
    } else if let Some(address) = path.to_str().and_then(|path| path.strip_prefix("hf://")) {
        parquet::open_hub(address, settings)?
    } else {
        open_path(path, settings)?
    };
    if settings.strict {
        refuse_unusable(&dataset)?;
    }
    if settings.dedup {
        dataset.drop_copies_from_train()?;
    }
    Ok(dataset)
}

fn open_path(path: &Path, settings: &OpenSettings) -> Result<Dataset, DataError> {
    let found = fs::metadata(path).map_err(|source| DataError::Read {
        path: path.to_path_buf(),
        source,
    })?;
    if found.is_dir() {
        return folder::open(path, settings);
    }
    match (settings.layout, kind_of_file(path)?) {
        (Some(Layout::Parquet), _) | (None, Some(Layout::Parquet)) => parquet::open(path, settings),
        (Some(Layout::Classes | Layout::People), _) => Err(DataError::Unrecognised {
            path: path.to_path_buf(),
            reason: "it is a file, and this layout wants a folder".into(),
        }),
        (Some(Layout::Manifest), _) | (None, Some(Layout::Manifest)) => {
            manifest::open(path, settings)
        }
        _ => fer2013::open(path, settings),
    }
}

/// What kind of table a file is, by its first bytes or its first line.
fn kind_of_file(path: &Path) -> Result<Option<Layout>, DataError> {
    let read = |source| DataError::Read {
        path: path.to_path_buf(),
        source,
    };
    if file::is_named_like_a_picture(path) {
        return Err(DataError::Unrecognised {
            path: path.to_path_buf(),
            reason:
                "it is a single picture; data are a folder of pictures, a manifest or a fer2013.csv"
                    .into(),
        });
    }
    if starts_with(path, parquet::MAGIC).map_err(read)? {
        return Ok(Some(Layout::Parquet));
    }
    let rows = table::Rows::new(compressed::open(path).map_err(read)?);
    let mut reader = csv::Reader::from_reader(rows);
    let header = reader.headers().ok();
    let has = |name: &str| {
        header.is_some_and(|header| header.iter().any(|own| manifest::bare(own) == name))
    };
    if has("pixels") {
        return Ok(Some(Layout::Csv));
    }
    Ok(header
        .and_then(manifest::Columns::find)
        .map(|_| Layout::Manifest))
}

fn starts_with(path: &Path, magic: &[u8]) -> std::io::Result<bool> {
    let mut start = Vec::new();
    let (file, _) = open_regular(path)?;
    file.take(magic.len() as u64).read_to_end(&mut start)?;
    Ok(start == magic)
}

pub(crate) fn refuse_votes(settings: &OpenSettings, what: &'static str) -> Result<(), DataError> {
    match settings.ferplus {
        None => Ok(()),
        Some(_) => Err(DataError::Setting {
            name: "ferplus",
            value: format!("set for {what}"),
            expected: "FER+ votes belong to a fer2013.csv; leave it out",
        }),
    }
}

/// Refuses settings of labels for data that bring their own.
fn refuse_labels(settings: &OpenSettings, expected: &'static str) -> Result<(), DataError> {
    let given = [
        ("label_map", settings.label_map.is_some()),
        ("vocabulary", settings.vocabulary.is_some()),
    ];
    match given.into_iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((name, _)) => Err(DataError::Setting {
            name,
            value: "set".into(),
            expected,
        }),
    }
}

fn refuse_unusable(dataset: &Dataset) -> Result<(), DataError> {
    let unusable = dataset.skipped().iter().filter(|entry| entry.is_unusable());
    let count = unusable.clone().count();
    match unusable.clone().next() {
        None => Ok(()),
        Some(first) => Err(DataError::Strict {
            name: dataset.name().to_string(),
            count,
            total: dataset.len() + count,
            first: first.sentence(),
        }),
    }
}
