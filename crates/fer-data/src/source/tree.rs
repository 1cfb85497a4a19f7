//! A folder and all that lies in it, in an order that no file system decides.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, FileType};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::skipped::{Skipped, reason};

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
    pub(crate) files: Vec<PathBuf>,
}

impl Folder {
    /// Its name, where that is Unicode.
    pub(crate) fn name(&self) -> Option<&str> {
        self.path.file_name().and_then(OsStr::to_str)
    }

    /// Every file in it and below it.
    pub(crate) fn all_files(&self) -> Vec<&Path> {
        let mut files: Vec<&Path> = self.files.iter().map(PathBuf::as_path).collect();
        for folder in &self.folders {
            files.extend(folder.all_files());
        }
        files
    }
}

/// A folder as it was found.
pub(crate) struct Tree {
    pub(crate) root: Folder,
    /// What cannot be entered or is no picture by its nature.
    pub(crate) skipped: Vec<Skipped>,
    /// Names that stand in one folder and differ in letter case only.
    pub(crate) case_twins: Vec<String>,
    /// Links that lead out of the folder.
    pub(crate) links_outside: Vec<String>,
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
            skipped: Vec::new(),
            case_twins: Vec::new(),
            links_outside: Vec::new(),
        };
        let root = walk.folder(path).map_err(refuse)?;
        Ok(Tree {
            root,
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
    let files = tree.root.all_files().into_iter();
    let mut files: Vec<PathBuf> = files.map(Path::to_path_buf).collect();
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
    skipped: Vec<Skipped>,
    case_twins: Vec<String>,
    links_outside: Vec<String>,
}

impl Walk {
    fn folder(&mut self, path: &Path) -> io::Result<Folder> {
        let mut found = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            found.push((entry.file_name(), entry.file_type().ok()));
        }
        found.sort_unstable_by(|(one, _), (other, _)| {
            one.as_encoded_bytes().cmp(other.as_encoded_bytes())
        });
        self.find_case_twins(path, found.iter().map(|(name, _)| name));
        let mut folder = Folder {
            path: path.to_path_buf(),
            folders: Vec::new(),
            files: Vec::new(),
        };
        for (name, kind) in found {
            let below = path.join(&name);
            if is_hidden(&name) {
                self.skip(&below, reason::HIDDEN, "");
            } else {
                self.place(below, kind, &mut folder);
            }
        }
        Ok(folder)
    }

    /// Takes up what lies at `path`, of the kind that the listing told.
    fn place(&mut self, path: PathBuf, kind: Option<FileType>, folder: &mut Folder) {
        match kind {
            Some(kind) if kind.is_file() => folder.files.push(path),
            Some(kind) if kind.is_dir() => self.enter(&path, false, folder),
            _ => self.look_at(path, folder),
        }
    }

    /// Takes up what the listing tells too little of: a link, a pipe, a device.
    fn look_at(&mut self, path: PathBuf, folder: &mut Folder) {
        let is_link = fs::symlink_metadata(&path).is_ok_and(|found| found.is_symlink());
        match fs::metadata(&path) {
            Err(error) if is_link && error.kind() == io::ErrorKind::NotFound => {
                self.skip(&path, reason::BROKEN_LINK, "");
            }
            Err(error) => self.skip(&path, reason::UNREADABLE, &error.to_string()),
            Ok(found) if found.is_dir() => self.enter(&path, is_link, folder),
            Ok(found) if found.is_file() => {
                if is_link {
                    self.note_link(&path);
                }
                folder.files.push(path);
            }
            Ok(_) => self.skip(&path, reason::NOT_A_FILE, ""),
        }
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
            self.links_outside.push(path.display().to_string());
        }
    }

    fn find_case_twins<'a>(&mut self, path: &Path, names: impl Iterator<Item = &'a OsString>) {
        let mut seen: BTreeMap<String, &OsString> = BTreeMap::new();
        for name in names {
            let lower = name.to_string_lossy().to_lowercase();
            if let Some(twin) = seen.insert(lower, name)
                && name.to_str().is_some()
            {
                let pair = format!(
                    "{} and {} in {}",
                    twin.to_string_lossy(),
                    name.to_string_lossy(),
                    path.display()
                );
                self.case_twins.push(pair);
            }
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
