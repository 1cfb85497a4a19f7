//! A folder for each person, with expressions for names of the files in it: the layout of the
//! pictures that the source document's project mistook for folders of classes.

use std::path::Path;

use crate::error::DataError;
use crate::notice::Notice;
use crate::skipped::{Skipped, reason};
use crate::source::Layout;
use crate::source::arrangement::Group;
use crate::source::assembly::{Candidate, Gathered};
use crate::source::file::is_named_like_a_picture;
use crate::source::folder::Found;
use crate::source::labels::{Labels, expression_of_file};
use crate::source::person_table::PersonTable;

/// Labels every file by its name, or by that of the folder between it and the person's.
pub(crate) fn gather(found: Found<'_>, mut notices: Vec<Notice>) -> Result<Gathered, DataError> {
    let Found {
        arrangement,
        labels,
        mut skipped,
        ..
    } = found;
    let groups = &arrangement.groups;
    let people: Vec<&str> = groups
        .iter()
        .filter_map(|group| group.folder.name())
        .collect();
    let table = PersonTable::find(&arrangement, &people, &mut skipped, &mut notices);
    let mut candidates = Vec::new();
    for group in groups {
        let folder = group.folder.path.display().to_string();
        if group.folder.all_files().is_empty() {
            let detail = "nobody's face lies in it";
            skipped.push(Skipped::new(folder, reason::EMPTY_FOLDER, detail));
            continue;
        }
        let person = group.folder.path.file_name().unwrap_or_default();
        let person = person.to_string_lossy().into_owned();
        for (path, word) in files(group) {
            let Some(word) = word else {
                let entry = path.display().to_string();
                skipped.push(Skipped::new(entry, reason::NOT_UNICODE, ""));
                continue;
            };
            match labels.of_file_name(word) {
                Ok(class) => candidates.push(Candidate {
                    path: path.to_path_buf(),
                    class,
                    split: group.split,
                    groups: table.values(&person),
                    subject: Some(person.clone()),
                }),
                Err(reason) => {
                    let named = is_named_like_a_picture(path);
                    let reason = if named { reason } else { reason::OTHER_FILE };
                    let detail = format!("`{word}` names no expression");
                    skipped.push(Skipped::new(path.display().to_string(), reason, detail));
                }
            }
        }
    }
    Ok(Gathered {
        name: "folders of people",
        layout: Layout::People,
        labels: match labels {
            Labels::Own { .. } => "the names of the files".into(),
            other => other.describe(),
        },
        candidates,
        columns: table.columns,
        skipped,
        notices,
    })
}

/// The files of a person that are named like pictures, each with the word that says the
/// expression; `None` where that is not Unicode.
pub(crate) fn pictures(group: &Group) -> Vec<(&Path, Option<&str>)> {
    let mut files = files(group);
    files.retain(|(path, _)| is_named_like_a_picture(path));
    files
}

fn files(group: &Group) -> Vec<(&Path, Option<&str>)> {
    let own = group.folder.files.iter();
    let mut files: Vec<(&Path, Option<&str>)> = own
        .map(|path| {
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            (path.as_path(), stem)
        })
        .collect();
    for folder in &group.folder.folders {
        for path in folder.all_files() {
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            let says = stem.filter(|stem| expression_of_file(stem).is_some());
            files.push((path, says.or(folder.name())));
        }
    }
    files
}
