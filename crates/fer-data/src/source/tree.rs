//! A folder and all that lies in it, in an order that no file system decides.

mod listing;

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::notice::Examples;
use crate::skipped::{Skipped, reason};
use crate::source::paths::Paths;
use crate::source::tree::listing::{Kind, Listing};

/// Folders nested deeper than this are not entered.
const DEEPEST: usize = 16;

/// What systems and archives leave in folders.
const SYSTEM_NAMES: [&str; 6] = [
    "thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    "__macosx",
    "@eadir",
    "icon\r",
];

/// A folder; what it holds is sorted by the bytes of the names.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    pub(crate) folders: Vec<Folder>,
    /// The numbers of the files in it, in ranges.
    pub(crate) files: Vec<Range<u32>>,
}

impl Folder {
    /// Its name, where that is Unicode.
    pub(crate) fn name(&self) -> Option<&str> {
        self.path.file_name().and_then(OsStr::to_str)
    }

    /// The numbers of the files in it.
    pub(crate) fn own_files(&self) -> impl Iterator<Item = usize> + Clone + use<> {
        numbers(self.files.clone())
    }

    /// The numbers of the files in it and below it.
    pub(crate) fn all_files(&self) -> impl Iterator<Item = usize> + Clone + use<> {
        let mut ranges = Vec::new();
        self.gather(&mut ranges);
        numbers(ranges)
    }

    fn gather(&self, ranges: &mut Vec<Range<u32>>) {
        ranges.extend(self.files.iter().cloned());
        self.folders.iter().for_each(|folder| folder.gather(ranges));
    }

    fn push(&mut self, file: u32) {
        match self.files.last_mut().filter(|range| range.end == file) {
            Some(range) => range.end += 1,
            None => self.files.push(file..file + 1),
        }
    }
}

fn numbers(ranges: Vec<Range<u32>>) -> impl Iterator<Item = usize> + Clone {
    ranges.into_iter().flatten().map(|file| file as usize)
}

/// A folder as it was found.
pub(crate) struct Tree {
    pub(crate) root: Folder,
    pub(crate) files: Paths,
    /// What cannot be entered or is no picture by its nature.
    pub(crate) skipped: Vec<Skipped>,
    /// Names that stand in one folder and differ in letter case only.
    pub(crate) case_twins: Examples,
    /// Links that lead out of the folder.
    pub(crate) links_outside: Examples,
}

impl Tree {
    /// Lists the folder at `path` and everything below it. Links are followed, save those to a
    /// folder that they lie in.
    ///
    /// # Errors
    /// [`DataError::Read`] when the folder itself cannot be listed.
    pub(crate) fn read(path: &Path) -> Result<Self, DataError> {
        let refuse = |source| DataError::Read {
            path: path.to_path_buf(),
            source,
        };
        let real = fs::canonicalize(path).map_err(refuse)?;
        let mut walk = Walk {
            top: real.clone(),
            above: vec![real],
            files: Paths::default(),
            skipped: Vec::new(),
            case_twins: Examples::default(),
            links_outside: Examples::default(),
        };
        let root = walk.folder(path).map_err(refuse)?;
        Ok(Tree {
            root,
            files: walk.files,
            skipped: walk.skipped,
            case_twins: walk.case_twins,
            links_outside: walk.links_outside,
        })
    }
}

/// The files in a folder and below it.
#[derive(Debug)]
pub struct FilesBelow {
    /// Sorted, links followed, whatever they are called.
    pub files: Vec<PathBuf>,
    /// Hidden files, and what cannot be entered or is no file: loops of links, pipes, devices.
    pub skipped: Vec<Skipped>,
}

/// Lists the files in the folder at `path` and below it, at most 16 folders deep.
///
/// # Errors
/// [`DataError::Read`] when the folder itself cannot be listed.
pub fn files_below(path: &Path) -> Result<FilesBelow, DataError> {
    let tree = Tree::read(path)?;
    let files = tree.root.all_files();
    let mut files: Vec<PathBuf> = files.map(|number| tree.files.path(number)).collect();
    files.sort_unstable();
    Ok(FilesBelow {
        files,
        skipped: tree.skipped,
    })
}

struct Walk {
    top: PathBuf,
    /// The real paths of the folders that are being listed, outermost first.
    above: Vec<PathBuf>,
    files: Paths,
    skipped: Vec<Skipped>,
    case_twins: Examples,
    links_outside: Examples,
}

impl Walk {
    fn folder(&mut self, path: &Path) -> io::Result<Folder> {
        let listing = Listing::read(path)?;
        for (one, other) in listing.case_twins() {
            self.case_twins.push(|| {
                format!(
                    "{} and {} in {}",
                    one.to_string_lossy(),
                    other.to_string_lossy(),
                    path.display()
                )
            });
        }
        let number = self.files.folder(path.to_path_buf());
        let mut folder = Folder {
            path: path.to_path_buf(),
            folders: Vec::new(),
            files: Vec::new(),
        };
        for (name, kind) in listing.iter() {
            if is_hidden(name) {
                self.skip(&path.join(name), reason::HIDDEN, "");
                continue;
            }
            match kind {
                Kind::File => folder.push(self.files.push(number, name)),
                Kind::Folder => self.enter(&path.join(name), false, &mut folder),
                Kind::Other if self.look_at(&path.join(name), &mut folder) => {
                    folder.push(self.files.push(number, name));
                }
                Kind::Other => {}
            }
        }
        Ok(folder)
    }

    /// Takes up what the listing tells too little of: a link, a pipe, a device. Whether it is a file.
    fn look_at(&mut self, path: &Path, folder: &mut Folder) -> bool {
        let is_link = fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
        match fs::metadata(path) {
            Err(error) if is_link && error.kind() == io::ErrorKind::NotFound => {
                self.skip(path, reason::BROKEN_LINK, "");
            }
            Err(error) => self.skip(path, reason::UNREADABLE, &error.to_string()),
            Ok(found) if found.is_dir() => self.enter(path, is_link, folder),
            Ok(found) if found.is_file() => {
                if is_link {
                    self.note_link(path);
                }
                return true;
            }
            Ok(_) => self.skip(path, reason::NOT_A_FILE, ""),
        }
        false
    }

    fn enter(&mut self, path: &Path, is_link: bool, folder: &mut Folder) {
        let real = match fs::canonicalize(path) {
            Ok(real) => real,
            Err(error) => return self.skip(path, reason::UNREADABLE, &error.to_string()),
        };
        if self.above.contains(&real) {
            let detail = format!("it leads to {}", real.display());
            return self.skip(path, reason::LOOP, &detail);
        }
        if self.above.len() > DEEPEST {
            let detail = format!("at most {DEEPEST} folders deep are entered");
            return self.skip(path, reason::TOO_DEEP, &detail);
        }
        if is_link {
            self.note_link(path);
        }
        self.above.push(real);
        match self.folder(path) {
            Ok(below) => folder.folders.push(below),
            Err(error) => self.skip(path, reason::UNREADABLE, &error.to_string()),
        }
        self.above.pop();
    }

    fn note_link(&mut self, path: &Path) {
        let real = fs::canonicalize(path);
        if real.is_ok_and(|real| !real.starts_with(&self.top)) {
            self.links_outside.push(|| path.display().to_string());
        }
    }

    fn skip(&mut self, path: &Path, reason: &'static str, detail: &str) {
        let entry = path.display().to_string();
        self.skipped.push(Skipped::new(entry, reason, detail));
    }
}

fn is_hidden(name: &OsStr) -> bool {
    let lower = name.to_string_lossy().to_lowercase();
    lower.starts_with('.') || SYSTEM_NAMES.contains(&lower.as_str())
}
