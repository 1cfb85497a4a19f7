use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use fer_data::face::Photograph;
use rayon::prelude::*;

use crate::answer::Answer;
use crate::report::annotated::{Note, annotated};

/// Copies of pictures with what was said of them.
pub(super) struct Copies {
    folder: PathBuf,
    names: HashSet<String>,
}

impl Copies {
    /// Copies in a folder, which is made where there is none.
    pub(super) fn in_folder(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Copies {
            folder: folder.to_path_buf(),
            names: HashSet::new(),
        })
    }

    /// A copy of each file, `NAME-faces.jpg`; of those that could not be decoded there is none.
    pub(super) fn draw(&mut self, files: &[PathBuf], answers: &[Vec<Answer>]) -> Result<()> {
        let named: Vec<(&PathBuf, &Vec<Answer>, PathBuf)> = files
            .iter()
            .zip(answers)
            .map(|(file, answers)| (file, answers, self.name(file)))
            .collect();
        named.par_iter().try_for_each(|(file, answers, copy)| {
            let Ok(picture) = Photograph::colours(file) else {
                return Ok(());
            };
            let note = |answer: &Answer| {
                Some(Note {
                    bounds: answer.bounds(),
                    label: answer.label()?,
                })
            };
            let notes: Vec<Note> = answers.iter().filter_map(note).collect();
            let failed = || format!("cannot draw {}", copy.display());
            let bytes = annotated(&picture, &notes).with_context(failed)?;
            fer_model::file::replace(copy, &bytes).with_context(failed)
        })
    }

    /// Where the copy of a file goes: files of one name in several folders are numbered.
    fn name(&mut self, file: &Path) -> PathBuf {
        let stem = file
            .file_stem()
            .and_then(OsStr::to_str)
            .unwrap_or("picture");
        let numbered = |number: usize| match number {
            1 => format!("{stem}-faces.jpg"),
            number => format!("{stem}-faces-{number}.jpg"),
        };
        let free = (1..).map(numbered).find(|name| !self.names.contains(name));
        let name = free.unwrap_or_else(|| numbered(1));
        self.names.insert(name.clone());
        self.folder.join(name)
    }
}
