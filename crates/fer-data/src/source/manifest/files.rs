use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use crate::skipped::reason;
use crate::source::paths::Paths;

/// Missing files whose neighbours are searched for a name that differs in case.
const MOST_TWINS: usize = 20;

/// What is wrong with the file that a row names.
#[derive(Debug)]
pub(super) enum Problem {
    /// The kind of reason, and what exactly is wrong.
    Unusable(&'static str, String),
    /// An earlier row names the same file.
    Repeats(usize),
}

/// The files that a manifest names, of which only those are remembered that cannot be used.
#[derive(Default)]
pub(super) struct Files {
    problems: BTreeMap<usize, Problem>,
    twins_sought: usize,
}

impl Files {
    /// Looks at the files that the given rows name, in ascending order.
    pub(super) fn of(paths: &Paths, rows: impl Iterator<Item = usize>) -> Self {
        let mut files = Files::default();
        let mut found = Vec::with_capacity(paths.len());
        for row in rows {
            match files.look_at(&paths.path(row)) {
                Ok(hash) => found.push((hash, row as u32)),
                Err(problem) => {
                    files.problems.insert(row, problem);
                }
            }
        }
        files.find_repeated(paths, found);
        files
    }

    /// What keeps the file of a row from being used.
    pub(super) fn problem(&self, row: usize) -> Option<&Problem> {
        self.problems.get(&row)
    }

    /// The hash of the real path of a file, or why it cannot be used.
    fn look_at(&mut self, path: &Path) -> Result<u64, Problem> {
        match fs::metadata(path) {
            Ok(found) if found.is_file() => {
                let mut hasher = DefaultHasher::new();
                real(path).hash(&mut hasher);
                Ok(hasher.finish())
            }
            Ok(_) => {
                let detail = path.display().to_string();
                Err(Problem::Unusable(reason::NOT_A_FILE, detail))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let detail = format!("{}{}", path.display(), self.twin(path));
                Err(Problem::Unusable(reason::NO_FILE, detail))
            }
            Err(error) => {
                let detail = format!("{}: {error}", path.display());
                Err(Problem::Unusable(reason::UNREADABLE, detail))
            }
        }
    }

    /// Finds the rows that name a file again, among those with the hash of its real path.
    fn find_repeated(&mut self, paths: &Paths, mut found: Vec<(u64, u32)>) {
        found.sort_unstable();
        for alike in found.chunk_by(|one, other| one.0 == other.0) {
            if alike.len() == 1 {
                continue;
            }
            let mut first: BTreeMap<PathBuf, usize> = BTreeMap::new();
            for &(_, row) in alike {
                let row = row as usize;
                let first = *first.entry(real(&paths.path(row))).or_insert(row);
                if first != row {
                    self.problems.insert(row, Problem::Repeats(first));
                }
            }
        }
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

fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}
