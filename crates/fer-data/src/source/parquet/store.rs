use std::path::PathBuf;

use crate::dataset::Origins;

/// Some rows of a file that stand together, in the order of the data set.
pub(super) struct Group {
    /// The file, by its position.
    pub(super) file: usize,
    /// The group's place in the file, counted from 0.
    pub(super) group: usize,
    /// The number of its first row among all rows.
    pub(super) first: usize,
    /// How many rows it has.
    pub(super) rows: usize,
}

/// Where rows stand, which are numbered through all groups of all files.
#[derive(Default)]
pub(super) struct Places(pub(super) Vec<Group>);

impl Places {
    fn group(&self, row: usize) -> &Group {
        &self.0[self
            .0
            .partition_point(|group| group.first + group.rows <= row)]
    }

    /// The file that a row is of, by its position.
    pub(super) fn file(&self, row: usize) -> usize {
        self.group(row).file
    }

    /// What a person would call a row, `files` being the paths.
    pub(super) fn name(&self, files: &[PathBuf], row: usize) -> String {
        let group = self.group(row);
        let (path, row) = (files[group.file].display(), row - group.first + 1);
        match group.group {
            0 => format!("{path} row {row}"),
            number => format!("{path} row {row} of group {}", number + 1),
        }
    }
}

/// The rows that a data set is of.
pub(super) struct Store {
    files: Vec<PathBuf>,
    places: Places,
    rows: Vec<u32>,
}

impl Store {
    /// Of these rows, in the order of the pictures.
    pub(super) fn new(files: Vec<PathBuf>, places: Places, rows: Vec<u32>) -> Self {
        Store {
            files,
            places,
            rows,
        }
    }
}

impl Origins for Store {
    fn origin(&self, position: usize) -> String {
        self.places.name(&self.files, self.rows[position] as usize)
    }
}
