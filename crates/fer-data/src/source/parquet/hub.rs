//! Data sets of the Hugging Face hub, by the Parquet files that the hub converts each to.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use hf_hub::repository::RepoTreeEntry;
use hf_hub::{HFClient, HFClientSync, HFError, HFRepositorySync, RepoTypeDataset};

use crate::dataset::Dataset;
use crate::error::DataError;
use crate::notice::listed;
use crate::printable::printable;
use crate::source::OpenSettings;
use crate::source::parquet::files::open_folder;
use crate::source::tree::{Folder, Tree};

/// Where the hub keeps what it converted.
const REVISION: &str = "refs/convert/parquet";

/// How long a server may say nothing, and how often it is asked again.
const PATIENCE: Duration = Duration::from_secs(15);
const AGAIN: usize = 3;

/// `owner/name`, or `owner/name/subset`.
struct Address<'a> {
    owner: &'a str,
    name: &'a str,
    subset: Option<&'a str>,
}

/// Opens `owner/name` or `owner/name/subset` of the hub: from its cache where nothing has changed
/// since, and without the network what lies there.
///
/// Files are fetched with the hub's own client and not by `candle_datasets::hub::from_hub`, which
/// forgets their names: these say the splits.
pub(crate) fn open(address: &str, settings: &OpenSettings) -> Result<Dataset, DataError> {
    let refuse = |reason: String| DataError::Hub {
        address: address.to_string(),
        reason,
    };
    let parts = parse(address)
        .ok_or_else(|| refuse("expected hf://owner/name, or hf://owner/name/subset".into()))?;
    let snapshot = fetch(&parts).map_err(refuse)?;
    let tree = Tree::read(&snapshot)?;
    let folder = subset(tree.root, parts.subset).map_err(refuse)?;
    open_folder(&folder, &tree.files, settings)
}

fn parse(address: &str) -> Option<Address<'_>> {
    let mut words = address.trim_end_matches('/').split('/');
    let plain = |word: &&str| {
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        !word.is_empty() && word.chars().all(allowed) && !word.starts_with('.')
    };
    let owner = words.next().filter(plain)?;
    let name = words.next().filter(plain)?;
    let subset = words.next();
    let whole = words.next().is_none() && subset.is_none_or(|word| plain(&word));
    whole.then_some(Address {
        owner,
        name,
        subset,
    })
}

/// The folder of the cache that holds the files.
fn fetch(address: &Address<'_>) -> Result<PathBuf, String> {
    let failed = |error: HFError| error.to_string();
    let client = client().map_err(failed)?;
    let blocking = HFClientSync::from_inner(client.clone()).map_err(failed)?;
    let dataset = blocking.dataset(address.owner, address.name);
    let pattern = match address.subset {
        Some(subset) => format!("{subset}/**/*.parquet"),
        None => "**/*.parquet".to_string(),
    };
    let files = dataset
        .snapshot_download()
        .revision(REVISION)
        .allow_patterns(vec![pattern]);
    let fetched = match names(&dataset) {
        Ok(names) => {
            check(&names, address.subset)
                .map_err(|reason| format!("{} {reason}", client.endpoint()))?;
            files.clone().send()
        }
        Err(error) => Err(error),
    };
    fetched.or_else(|error| match error {
        HFError::Request { .. } => {
            let cached = files.local_files_only(true).send();
            cached.map_err(|_| explain(&error, &client))
        }
        HFError::RevisionNotFound { .. } if matches!(dataset.exists().send(), Ok(false)) => {
            Err(unknown(&client))
        }
        error => Err(explain(&error, &client)),
    })
}

/// The hub's client, with an end to its patience.
fn client() -> Result<HFClient, HFError> {
    let connections = reqwest::Client::builder()
        .user_agent(concat!("fer-data/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(PATIENCE)
        .read_timeout(PATIENCE)
        .build()?;
    HFClient::builder()
        .client(connections)
        .retry_max_attempts(AGAIN)
        .build()
}

/// What the client makes paths of in its cache: the files' names, and the version's.
fn names(dataset: &HFRepositorySync<RepoTypeDataset>) -> Result<Vec<String>, HFError> {
    let version = dataset.info().revision(REVISION).send()?.sha;
    let entries = dataset.list_tree().revision(REVISION).recursive(true);
    let files = entries.send()?.into_iter().filter_map(|entry| match entry {
        RepoTreeEntry::File { path, .. } => Some(path),
        RepoTreeEntry::Directory { .. } => None,
    });
    Ok(version.into_iter().chain(files).collect())
}

/// Refuses names that lead out of the cache, before anything is fetched, and a data set without Parquet.
fn check(names: &[String], subset: Option<&str>) -> Result<(), String> {
    if let Some(name) = names.iter().find(|name| !leads_inside(name)) {
        let name = printable(name);
        return Err(format!(
            "calls a file or a version {name}, which leads out of the cache; nothing was fetched"
        ));
    }
    let wanted = |name: &&String| {
        let inner = subset.is_none_or(|subset| name.starts_with(&format!("{subset}/")));
        inner && name.ends_with(".parquet")
    };
    match (names.iter().find(wanted), subset) {
        (Some(_), _) => Ok(()),
        (None, Some(subset)) => Err(format!("has no Parquet file of it in the subset {subset}")),
        (None, None) => Err("has no Parquet file of it".into()),
    }
}

/// Whether a path can only lead to a place below where it begins, on any system.
fn leads_inside(path: &str) -> bool {
    let mut parts = Path::new(path).components();
    !path.is_empty()
        && !path.contains(['\\', ':', '\0'])
        && parts.all(|part| matches!(part, Component::Normal(_)))
}

fn explain(error: &HFError, client: &HFClient) -> String {
    let endpoint = client.endpoint();
    match error {
        HFError::RepoNotFound { .. } => unknown(client),
        HFError::RevisionNotFound { .. } | HFError::EntryNotFound { .. } => format!(
            "{endpoint} has not converted it to Parquet ({error}). Download its files and name their folder instead"
        ),
        HFError::AuthRequired { .. } | HFError::Forbidden { .. } => format!(
            "{endpoint} does not give it to anybody ({error}). Accept its terms there, and set HF_TOKEN"
        ),
        HFError::Request { .. } => format!(
            "{endpoint} does not answer ({error}), and nothing of it lies in {}. HF_ENDPOINT names another server, HF_HOME another cache",
            client.cache_dir().display()
        ),
        _ => format!("{endpoint} answers {error}"),
    }
}

fn unknown(client: &HFClient) -> String {
    let endpoint = client.endpoint();
    format!(
        "{endpoint} knows no such data set, or it is private. Look its name up there; HF_TOKEN says who asks"
    )
}

/// The folder of the subset that is meant: the one named, or the only one.
fn subset(mut root: Folder, named: Option<&str>) -> Result<Folder, String> {
    let name = |folder: &Folder| folder.path.file_name().map(OsStr::to_owned);
    match named {
        Some(named) => {
            let place = root
                .folders
                .iter()
                .position(|folder| name(folder).is_some_and(|name| name == named));
            let place = place.ok_or_else(|| format!("it has no subset {named}"))?;
            Ok(root.folders.swap_remove(place))
        }
        None if root.folders.len() > 1 => {
            let names = root.folders.iter().filter_map(Folder::name);
            let names: Vec<&str> = names.collect();
            Err(format!(
                "it has the subsets {}; name one as hf://owner/name/subset",
                listed(&names, 12)
            ))
        }
        None => Ok(root),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_paths_lead_inside() {
        for plain in ["default/train/0000.parquet", "a", "..a/b..c/.d"] {
            assert!(leads_inside(plain), "{plain}");
        }
        for strange in ["", "/a", "../a", "a/../../b", "a\\..\\b", "c:a", "a\0b"] {
            assert!(!leads_inside(strange), "{strange:?}");
        }
    }

    #[test]
    fn addresses_have_two_words_or_three_and_lead_nowhere_else() {
        let parsed = parse("owner/name/subset/").map(|own| (own.owner, own.name, own.subset));
        assert_eq!(parsed, Some(("owner", "name", Some("subset"))));
        assert!(parse("owner/fer-2013").is_some_and(|own| own.subset.is_none()));
        for wrong in [
            "", "name", "owner/", "/name", "a/b/c/d", "../name", "a/..", "a/b c", "a/b/*",
        ] {
            assert!(parse(wrong).is_none(), "{wrong}");
        }
    }
}
