//! A folder for each class, as Keras and torchvision read them.

use std::collections::BTreeSet;

use crate::error::DataError;
use crate::notice::Notice;
use crate::skipped::{Skipped, reason};
use crate::source::Layout;
use crate::source::assembly::Gathered;
use crate::source::candidates::{Candidate, Candidates};
use crate::source::folder::Found;

/// Labels every file by the folder of its group, however deep in it.
pub(crate) fn gather(found: Found<'_>, mut notices: Vec<Notice>) -> Result<Gathered, DataError> {
    let Found {
        path,
        arrangement,
        labels,
        mut skipped,
    } = found;
    let (groups, paths) = (arrangement.groups, arrangement.files);
    let names: BTreeSet<&str> = groups
        .iter()
        .filter(|group| group.folder.all_files().next().is_some())
        .filter_map(|group| group.folder.name())
        .collect();
    let meanings = labels.resolve(path, &names, &mut notices)?;
    let mut candidates = Candidates::new(Vec::new(), paths.len());
    let mut empty = Vec::new();
    for group in &groups {
        let folder = group.folder.path.display().to_string();
        let mut files = group.folder.all_files().peekable();
        if files.peek().is_none() {
            empty.push(folder.clone());
            let detail = "no class can be learnt from it";
            skipped.push(Skipped::new(folder, reason::EMPTY_FOLDER, detail));
            continue;
        }
        let Some(name) = group.folder.name() else {
            skipped.push(Skipped::new(folder, reason::NOT_UNICODE, ""));
            continue;
        };
        for file in files {
            match &meanings[name] {
                Ok(class) => candidates.push(Candidate {
                    file: file as u32,
                    class,
                    subject: None,
                    split: group.split,
                    groups: [],
                }),
                Err(reason) => {
                    let entry = paths.display(file);
                    skipped.push(Skipped::new(entry, reason, format!("label `{name}`")));
                }
            }
        }
    }
    if !empty.is_empty() {
        notices.push(Notice::warning(
            format!("no picture lies in {}", crate::notice::listed(&empty, 8)),
            "Put pictures there, or remove the folder",
        ));
    }
    let tables = arrangement.tables.iter();
    skipped.extend(tables.map(|table| {
        let entry = table.display().to_string();
        Skipped::new(entry, reason::OTHER_FILE, "a table beside the folders")
    }));
    Ok(Gathered {
        name: "folders of classes",
        layout: Layout::Classes,
        labels: labels.describe(),
        files: paths,
        candidates,
        skipped,
        notices,
    })
}
