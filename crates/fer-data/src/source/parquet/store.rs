use std::path::{Path, PathBuf};

use crate::dataset::PictureStore;
use crate::error::DataError;
use crate::picture::{Picture, Resize};
use crate::source::parquet::rows::Rows;

/// Where a row stands: the file by its position, the group of rows in it, the row in the group, each
/// counted from 0.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) file: usize,
    pub(super) group: usize,
    pub(super) row: usize,
}

impl Place {
    /// What a person would call it, `path` being its file's.
    pub(super) fn name(self, path: &Path) -> String {
        let row = self.row + 1;
        match self.group {
            0 => format!("{} row {row}", path.display()),
            group => format!("{} row {row} of group {}", path.display(), group + 1),
        }
    }
}

/// Pictures in the rows of Parquet files.
pub(super) struct Store {
    files: Vec<PathBuf>,
    places: Vec<Place>,
    resize: Resize,
}

impl Store {
    pub(super) fn new(files: Vec<PathBuf>, places: Vec<Place>, resize: Resize) -> Self {
        Store {
            files,
            places,
            resize,
        }
    }
}

impl PictureStore for Store {
    fn picture(&self, position: usize) -> Result<Picture, DataError> {
        let place = self.places[position];
        let rows = Rows::open(&self.files[place.file])?;
        rows.picture(place.group, place.row, self.resize)
    }

    fn origin(&self, position: usize) -> String {
        let place = self.places[position];
        place.name(&self.files[place.file])
    }
}
