use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::skipped::reason;

/// Missing files whose neighbours are searched for a name that differs in case.
const MOST_TWINS: usize = 20;

/// The files that a manifest names, each once.
pub(super) struct Files {
    folder: PathBuf,
    /// The row and the class of each file, by its real path.
    taken: BTreeMap<PathBuf, (u64, String)>,
    twins_sought: usize,
}

impl Files {
    pub(super) fn beside(manifest: &Path) -> Self {
        Files {
            folder: manifest.parent().unwrap_or(Path::new("")).to_path_buf(),
            taken: BTreeMap::new(),
            twins_sought: 0,
        }
    }

    /// The file that row `row` names by `word`, or why it cannot be used.
    pub(super) fn take(
        &mut self,
        word: &str,
        class: &str,
        row: u64,
    ) -> Result<PathBuf, (&'static str, String)> {
        let mut path = self.folder.join(word);
        if word.contains('\\') && !path.exists() {
            path = self.folder.join(word.replace('\\', "/"));
        }
        let found = match fs::metadata(&path) {
            Ok(found) => found,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let twin = self.twin(&path);
                return Err((reason::NO_FILE, format!("{}{twin}", path.display())));
            }
            Err(error) => {
                let detail = format!("{}: {error}", path.display());
                return Err((reason::UNREADABLE, detail));
            }
        };
        if !found.is_file() {
            return Err((reason::NOT_A_FILE, path.display().to_string()));
        }
        let real = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
        if let Some((first, other)) = self.taken.get(&real) {
            let conflict = if other == class {
                String::new()
            } else {
                format!(" as {other}, and here as {class}")
            };
            let detail = format!("{} stands in row {first}{conflict}", path.display());
            return Err((reason::LISTED_TWICE, detail));
        }
        self.taken.insert(real, (row, class.to_string()));
        Ok(path)
    }

    /// Names the file that differs from a missing one in letter case only.
    fn twin(&mut self, path: &Path) -> String {
        self.twins_sought += 1;
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return String::new();
        };
        if self.twins_sought > MOST_TWINS {
            return String::new();
        }
        let lower = name.to_string_lossy().to_lowercase();
        let mut twins: Vec<String> = fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|other| other.to_lowercase() == lower)
            .collect();
        twins.sort_unstable();
        match twins.first() {
            Some(twin) => format!("; {twin} lies there, whose name differs in letter case only"),
            None => String::new(),
        }
    }
}
