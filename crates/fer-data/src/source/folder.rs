//! A folder: what lies in it, and which layout that is.

use std::path::{Path, PathBuf};

use crate::dataset::Dataset;
use crate::error::DataError;
use crate::notice::{Notice, counted};
use crate::skipped::{Skipped, reason};
use crate::source::arrangement::Arrangement;
use crate::source::evidence::Evidence;
use crate::source::labels::Labels;
use crate::source::tree::Tree;
use crate::source::{
    Layout, OpenSettings, classes, fer2013, file, manifest, parquet, people, refuse_votes,
};

/// Opens the folder at `path`.
pub(crate) fn open(path: &Path, settings: &OpenSettings) -> Result<Dataset, DataError> {
    let tree = Tree::read(path)?;
    if let Some((table, layout)) = table(path, &tree, settings.layout)? {
        return match layout {
            Layout::Csv => fer2013::open(&table, settings),
            _ => manifest::open(&table, settings),
        };
    }
    if is_parquet(&tree, settings.layout) {
        return parquet::open_folder(&tree.root, &tree.files, settings);
    }
    refuse_votes(settings, "a folder of pictures")?;
    let labels = Labels::new(settings)?;
    let mut notices = notices_of(&tree);
    let mut skipped = tree.skipped;
    let classes = settings.layout == Some(Layout::Classes);
    let mut arrangement = Arrangement::find(tree.root, tree.files, classes);
    skipped.append(&mut arrangement.skipped);
    if arrangement.groups.is_empty() {
        return Err(no_groups(path, &arrangement, &skipped));
    }
    for picture in std::mem::take(&mut arrangement.loose) {
        let detail = "it lies beside the folders of classes or people, not in one of them";
        let entry = picture.display().to_string();
        skipped.push(Skipped::new(entry, reason::OUTSIDE, detail));
    }
    let evidence = Evidence::gather(&arrangement.groups, &arrangement.files);
    let layout = evidence.decide(path, &labels, settings.layout)?;
    let found = Found {
        path,
        arrangement,
        labels,
        skipped,
    };
    let gathered = if layout == Layout::People {
        notices.push(evidence.people_notice(settings.layout.is_some()));
        people::gather(found, notices)?
    } else {
        let about_people = evidence.classes_warning(&found);
        notices.extend(about_people);
        classes::gather(found, notices)?
    };
    gathered.assemble(settings)
}

/// Whether the folder is read by the Parquet files in it: it is said to be, or it holds such files and no
/// picture.
fn is_parquet(tree: &Tree, asked: Option<Layout>) -> bool {
    let any = |is: fn(&Path) -> bool| {
        let mut files = tree.root.all_files();
        files.any(|file| is(Path::new(tree.files.name(file))))
    };
    let parquet = any(parquet::is_named_like_parquet);
    let picture = || any(file::is_named_like_a_picture);
    asked == Some(Layout::Parquet) || (asked.is_none() && parquet && !picture())
}

/// What both layouts of folders are made from.
pub(crate) struct Found<'a> {
    pub(crate) path: &'a Path,
    pub(crate) arrangement: Arrangement,
    pub(crate) labels: Labels,
    pub(crate) skipped: Vec<Skipped>,
}

/// The table that a folder is read by, where it has one.
fn table(
    path: &Path,
    tree: &Tree,
    asked: Option<Layout>,
) -> Result<Option<(PathBuf, Layout)>, DataError> {
    let names = |words: &[&str]| {
        let mut files = tree.root.own_files();
        let file = files.find(|&file| {
            let name = tree.files.name(file).to_str();
            name.is_some_and(|name| words.contains(&name.to_lowercase().as_str()))
        });
        file.map(|file| tree.files.path(file))
    };
    let csv = || names(&["fer2013.csv", "fer2013.csv.zst", "fer2013.csv.gz"]);
    let manifest = || names(&["manifest.csv"]);
    let refuse = |name: &str| DataError::Unrecognised {
        path: path.to_path_buf(),
        reason: format!("the folder holds no {name}; name the table itself instead of the folder"),
    };
    match asked {
        Some(Layout::Classes | Layout::People | Layout::Parquet) => Ok(None),
        Some(Layout::Csv) => {
            let table = csv().ok_or_else(|| refuse("fer2013.csv"))?;
            Ok(Some((table, Layout::Csv)))
        }
        Some(Layout::Manifest) => {
            let table = manifest().ok_or_else(|| refuse("manifest.csv"))?;
            Ok(Some((table, Layout::Manifest)))
        }
        None => Ok(match manifest() {
            Some(table) => Some((table, Layout::Manifest)),
            None if tree.root.folders.is_empty() => csv().map(|table| (table, Layout::Csv)),
            None => None,
        }),
    }
}

fn no_groups(path: &Path, arrangement: &Arrangement, skipped: &[Skipped]) -> DataError {
    let pictures = arrangement.loose.len();
    if pictures > 0 {
        return DataError::Unclear {
            path: path.to_path_buf(),
            saw: format!(
                "{} in no folder of a class or a person, so nothing says what the faces show",
                counted(pictures, "picture")
            ),
            remedy: "Put them into a folder for each class (happy, sad, …), or write a manifest.csv with the columns path,label beside them".into(),
        };
    }
    DataError::Empty {
        name: path.display().to_string(),
        detail: match skipped.first() {
            None => ": the folder is empty".into(),
            Some(_) => crate::skipped::first_left_out(skipped),
        },
    }
}

fn notices_of(tree: &Tree) -> Vec<Notice> {
    let mut notices = Vec::new();
    if tree.case_twins.count > 0 {
        let message = format!(
            "{} in letter case only, and systems that know no case keep one alone: {}",
            match tree.case_twins.count {
                1 => "two names differ".to_string(),
                pairs => format!("{pairs} pairs of names differ"),
            },
            tree.case_twins.listed()
        );
        notices.push(Notice::warning(message, "Rename one of each pair"));
    }
    if tree.links_outside.count > 0 {
        let message = format!(
            "{} out of the folder and followed: {}",
            match tree.links_outside.count {
                1 => "1 link leads".to_string(),
                links => format!("{links} links lead"),
            },
            tree.links_outside.listed()
        );
        notices.push(Notice::note(message, ""));
    }
    notices
}
