//! Which folders of a tree are its groups (of a class or of a person), and of which split.

use std::path::{Path, PathBuf};

use crate::skipped::{Skipped, reason};
use crate::source::file::is_named_like_a_picture;
use crate::source::paths::Paths;
use crate::source::tree::Folder;
use crate::split::Split;

/// A folder whose name says something of all the pictures in it.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) split: Option<Split>,
    pub(crate) folder: Folder,
}

impl Group {
    /// The files in it that are named like pictures.
    pub(crate) fn pictures(&self, files: &Paths) -> usize {
        let own = self.folder.all_files();
        own.filter(|&file| is_picture(files, file)).count()
    }
}

/// The groups of a tree, and what lies beside them.
#[derive(Default)]
pub(crate) struct Arrangement {
    pub(crate) groups: Vec<Group>,
    /// All files of the tree.
    pub(crate) files: Paths,
    /// Tables beside the groups or above them.
    pub(crate) tables: Vec<PathBuf>,
    /// Pictures that lie in no group.
    pub(crate) loose: Vec<PathBuf>,
    /// What lies beside the groups and belongs to none.
    pub(crate) skipped: Vec<Skipped>,
    /// The folder that holds the groups, or the folders of splits.
    pub(crate) top: PathBuf,
}

impl Arrangement {
    /// Finds the groups below `root`: past folders that hold one folder alone, and past the
    /// folders of splits. With `classes`, folders are classes unless a split's holds folders itself.
    pub(crate) fn find(root: Folder, files: Paths, classes: bool) -> Self {
        let mut arrangement = Arrangement {
            files,
            ..Arrangement::default()
        };
        let root = arrangement.unwrap(root, classes);
        arrangement.top.clone_from(&root.path);
        arrangement.set_aside(&root);
        let folders = root.folders;
        if are_splits(&folders, classes) {
            for folder in folders {
                match folder.name().and_then(Split::from_word) {
                    Some(split) => arrangement.take_split(split, folder, classes),
                    None => arrangement.leave_out(&folder),
                }
            }
        } else {
            arrangement.take_groups(None, folders);
        }
        arrangement
    }

    fn unwrap(&mut self, mut folder: Folder, classes: bool) -> Folder {
        while self.holds_one_folder_alone(&folder) && !are_splits(&folder.folders, classes) {
            let Some(inner) = folder.folders.pop() else {
                break;
            };
            self.set_aside(&folder);
            folder = inner;
        }
        folder
    }

    fn take_split(&mut self, split: Split, folder: Folder, classes: bool) {
        let folder = self.unwrap(folder, classes);
        if folder.folders.is_empty() {
            let entry = folder.path.display().to_string();
            let detail = "it holds no folder";
            self.skipped
                .push(Skipped::new(entry, reason::EMPTY_FOLDER, detail));
        }
        self.set_aside(&folder);
        self.take_groups(Some(split), folder.folders);
    }

    fn take_groups(&mut self, split: Option<Split>, folders: Vec<Folder>) {
        let groups = folders.into_iter().map(|folder| Group { split, folder });
        self.groups.extend(groups);
    }

    fn leave_out(&mut self, folder: &Folder) {
        for file in folder.all_files() {
            let entry = self.files.display(file);
            let skipped = if is_picture(&self.files, file) {
                let detail = "it lies beside the folders of the splits";
                Skipped::new(entry, reason::OUTSIDE, detail)
            } else {
                Skipped::new(entry, reason::OTHER_FILE, "")
            };
            self.skipped.push(skipped);
        }
    }

    /// Takes the files of a folder that is no group for what they are.
    fn set_aside(&mut self, folder: &Folder) {
        for file in folder.own_files() {
            let path = self.files.path(file);
            let extension = path.extension().and_then(|word| word.to_str());
            if is_named_like_a_picture(&path) {
                self.loose.push(path);
            } else if extension.is_some_and(|word| word.eq_ignore_ascii_case("csv")) {
                self.tables.push(path);
            } else {
                let entry = path.display().to_string();
                self.skipped
                    .push(Skipped::new(entry, reason::OTHER_FILE, ""));
            }
        }
    }

    /// Whether a folder only wraps another that holds folders itself.
    fn holds_one_folder_alone(&self, folder: &Folder) -> bool {
        let wraps = folder.folders.len() == 1 && !folder.folders[0].folders.is_empty();
        let mut own = folder.own_files();
        wraps && !own.any(|file| is_picture(&self.files, file))
    }
}

fn is_picture(files: &Paths, file: usize) -> bool {
    is_named_like_a_picture(Path::new(files.name(file)))
}

/// Whether folders are those of splits: all of them are named so, or one of them trains. Where they
/// may be `classes`, one that is named so must hold folders too.
fn are_splits(folders: &[Folder], classes: bool) -> bool {
    let split = |folder: &Folder| folder.name().and_then(Split::from_word);
    let named = folders.iter().filter(|folder| split(folder).is_some());
    let all = named.clone().count() == folders.len();
    let trains = named
        .clone()
        .any(|folder| split(folder) == Some(Split::Train));
    let deep = named.clone().any(|folder| !folder.folders.is_empty());
    !folders.is_empty() && (all || trains) && (deep || !classes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str, folders: Vec<Folder>) -> Folder {
        Folder {
            path: name.into(),
            folders,
            files: Vec::new(),
        }
    }

    fn names(arrangement: &Arrangement) -> Vec<(Option<Split>, &str)> {
        let groups = arrangement.groups.iter();
        groups
            .map(|group| (group.split, group.folder.name().unwrap_or("")))
            .collect()
    }

    #[test]
    fn folders_of_splits_are_passed_and_those_beside_them_are_not_mixed_in() {
        let class = |name| folder(name, Vec::new());
        let root = folder(
            "data",
            vec![folder(
                "archive",
                vec![
                    folder("test_set", vec![class("happy")]),
                    folder("train_set", vec![class("happy"), class("sad")]),
                    folder("valid_old", vec![class("angry")]),
                ],
            )],
        );
        let arrangement = Arrangement::find(root, Paths::default(), false);
        assert_eq!(
            names(&arrangement),
            [
                (Some(Split::Test), "happy"),
                (Some(Split::Train), "happy"),
                (Some(Split::Train), "sad")
            ]
        );
    }

    #[test]
    fn a_class_called_test_among_others_is_a_class() {
        let class = |name| folder(name, Vec::new());
        let root = folder("data", vec![class("rest"), class("test")]);
        let arrangement = Arrangement::find(root, Paths::default(), false);
        assert_eq!(names(&arrangement), [(None, "rest"), (None, "test")]);
    }

    #[test]
    fn one_class_alone_is_not_unwrapped() {
        let root = folder("data", vec![folder("happy", Vec::new())]);
        let arrangement = Arrangement::find(root, Paths::default(), false);
        assert_eq!(names(&arrangement), [(None, "happy")]);
    }

    #[test]
    fn a_class_called_train_is_a_class_where_the_folders_are_said_to_be_classes() {
        let class = |name| folder(name, Vec::new());
        let found = |root, classes| Arrangement::find(root, Paths::default(), classes);
        let vehicles = || folder("data", vec![class("plane"), class("train")]);
        assert_eq!(
            names(&found(vehicles(), true)),
            [(None, "plane"), (None, "train")]
        );
        assert!(names(&found(vehicles(), false)).is_empty());
        let divided = folder(
            "data",
            vec![folder("train", vec![class("plane"), class("train")])],
        );
        assert_eq!(
            names(&found(divided, true)),
            [(Some(Split::Train), "plane"), (Some(Split::Train), "train")]
        );
    }
}
