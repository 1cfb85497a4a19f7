use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use fer_data::drawn::DrawnFaces;
use fer_data::{DataError, Dataset, Level, OpenSettings, Split, open};
use image::{GrayImage, ImageFormat};

/// The source document's names of files, in its order.
pub(crate) const SOURCE_NAMES: [&str; 8] = [
    "Anger",
    "Contempt",
    "Disgust",
    "Fear",
    "Happy",
    "Neutral",
    "Sad",
    "Surprised",
];

/// A temporary folder with drawn faces in it; each new face is another one.
pub(crate) struct Folder {
    folder: tempfile::TempDir,
    drawn: usize,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Folder {
            folder: tempfile::tempdir().unwrap(),
            drawn: 0,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes bytes under a name, with the folders that it needs.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Draws the next face under a name, in the format that its ending says.
    pub(crate) fn face(&mut self, name: &str) -> PathBuf {
        self.drawn += 1;
        self.face_number(name, self.drawn)
    }

    /// Draws face `number` under a name.
    pub(crate) fn face_number(&self, name: &str, number: usize) -> PathBuf {
        let format = ImageFormat::from_path(name).unwrap();
        self.write(name, encoded(number, format))
    }

    /// Draws `count` faces into a folder.
    pub(crate) fn faces(&mut self, folder: &str, count: usize) {
        for number in 0..count {
            self.face(&format!("{folder}/{number:03}.png"));
        }
    }

    /// The source document's folder: people with eight expressions each.
    pub(crate) fn people(&mut self, above: &str, people: usize) {
        for person in 0..people {
            for name in SOURCE_NAMES {
                self.face(&format!("{above}{person}/{name}.png"));
            }
        }
    }

    pub(crate) fn open(&self) -> Result<Dataset, DataError> {
        open(self.path(), &OpenSettings::default())
    }

    pub(crate) fn open_with(
        &self,
        change: impl FnOnce(&mut OpenSettings),
    ) -> Result<Dataset, DataError> {
        let mut settings = OpenSettings::default();
        change(&mut settings);
        open(self.path(), &settings)
    }
}

/// Face `number` as the bytes of a file.
pub(crate) fn encoded(number: usize, format: ImageFormat) -> Vec<u8> {
    let face = DrawnFaces::new(11).subjects(2000).takes(1).draw(number);
    let image = GrayImage::from_raw(48, 48, face.pixels).unwrap();
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

pub(crate) fn refusal(result: Result<Dataset, DataError>) -> String {
    match result {
        Ok(_) => panic!("it was accepted"),
        Err(error) => error.to_string(),
    }
}

/// Asserts that a text holds every word.
#[track_caller]
pub(crate) fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "`{word}` is missing in: {text}");
    }
}

/// All notices, one a line, warnings marked.
pub(crate) fn notices(dataset: &Dataset) -> String {
    let lines = dataset.notices().iter().map(|notice| {
        let mark = match notice.level {
            Level::Note => "note",
            Level::Warning => "warning",
        };
        format!("{mark}: {} [{}]\n", notice.message, notice.remedy)
    });
    lines.collect()
}

/// What was left out: the end of each entry with reason and detail, one a line.
pub(crate) fn left_out(dataset: &Dataset) -> String {
    let lines = dataset.skipped().iter();
    lines
        .map(|entry| format!("{}: {}: {}\n", entry.entry, entry.reason, entry.detail))
        .collect()
}

/// Pictures of each class, by name, in all splits.
pub(crate) fn classes(dataset: &Dataset) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for index in 0..dataset.len() {
        let name = dataset.class_names().name(dataset.entry(index).label);
        *counts.entry(name.to_string()).or_default() += 1;
    }
    counts
}

/// Pictures in train, validation and test.
pub(crate) fn sizes(dataset: &Dataset) -> [usize; 3] {
    Split::ALL.map(|split| dataset.indices(split).len())
}
