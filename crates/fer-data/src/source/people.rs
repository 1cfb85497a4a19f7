//! A folder for each person, with expressions for names of the files in it: the layout of the
//! pictures that the source document's project mistook for folders of classes.

use std::path::Path;

use crate::error::DataError;
use crate::notice::Notice;
use crate::skipped::{Skipped, reason};
use crate::source::Layout;
use crate::source::arrangement::Group;
use crate::source::assembly::Gathered;
use crate::source::candidates::{Candidate, Candidates};
use crate::source::file::is_named_like_a_picture;
use crate::source::folder::Found;
use crate::source::labels::{Labels, expression_of_file};
use crate::source::paths::Paths;
use crate::source::person_table::PersonTable;

/// Labels every file by its name, or by that of the folder between it and the person's.
pub(crate) fn gather(found: Found<'_>, mut notices: Vec<Notice>) -> Result<Gathered, DataError> {
    let Found {
        arrangement,
        labels,
        mut skipped,
        ..
    } = found;
    let (groups, paths) = (&arrangement.groups, &arrangement.files);
    let people: Vec<&str> = groups
        .iter()
        .filter_map(|group| group.folder.name())
        .collect();
    let table = PersonTable::find(&arrangement, &people, &mut skipped, &mut notices);
    let mut candidates = Candidates::new(table.columns.clone(), arrangement.files.len());
    for group in groups {
        let folder = group.folder.path.display().to_string();
        if group.folder.all_files().next().is_none() {
            let detail = "nobody's face lies in it";
            skipped.push(Skipped::new(folder, reason::EMPTY_FOLDER, detail));
            continue;
        }
        let person = group.folder.path.file_name().unwrap_or_default();
        let person = person.to_string_lossy().into_owned();
        let values = table.values(&person);
        for (file, word) in files(group, paths) {
            let Some(word) = word else {
                let entry = paths.display(file);
                skipped.push(Skipped::new(entry, reason::NOT_UNICODE, ""));
                continue;
            };
            match labels.of_file_name(word) {
                Ok(class) => candidates.push(Candidate {
                    file: file as u32,
                    class: &class,
                    split: group.split,
                    subject: Some(&person),
                    groups: values.iter().map(Option::as_deref),
                }),
                Err(reason) => {
                    let named = is_named_like_a_picture(Path::new(paths.name(file)));
                    let reason = if named { reason } else { reason::OTHER_FILE };
                    let detail = format!("`{word}` names no expression");
                    skipped.push(Skipped::new(paths.display(file), reason, detail));
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
        files: arrangement.files,
        candidates,
        skipped,
        notices,
    })
}

/// The files of a person that are named like pictures, each with the word that says the
/// expression; `None` where that is not Unicode.
pub(crate) fn pictures<'a>(
    group: &'a Group,
    paths: &'a Paths,
) -> impl Iterator<Item = (usize, Option<&'a str>)> {
    files(group, paths).filter(|&(file, _)| is_named_like_a_picture(Path::new(paths.name(file))))
}

fn files<'a>(group: &'a Group, paths: &'a Paths) -> impl Iterator<Item = (usize, Option<&'a str>)> {
    let own = group.folder.own_files();
    let below = group.folder.folders.iter().flat_map(|folder| {
        folder.all_files().map(|file| {
            let says = paths.stem(file);
            let says = says.filter(|stem| expression_of_file(stem).is_some());
            (file, says.or(folder.name()))
        })
    });
    own.map(|file| (file, paths.stem(file))).chain(below)
}
