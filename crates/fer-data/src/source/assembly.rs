//! From files with labels to a data set.

use std::collections::BTreeSet;
use std::path::PathBuf;

use rayon::prelude::*;

use crate::dataset::{Dataset, DecodedParts, Origins, TOGETHER};
use crate::decoded::{Decoded, Gathering};
use crate::description::Description;
use crate::error::DataError;
use crate::notice::{Examples, Notice, counted, listed};
use crate::picture::{Picture, PictureFacts};
use crate::skipped::{Skipped, first_left_out};
use crate::source::candidates::Candidates;
use crate::source::file;
use crate::source::paths::Paths;
use crate::source::{Layout, OpenSettings, division};
use crate::worker::guarded;

/// What a source of files found at its path.
pub(crate) struct Gathered {
    pub(crate) name: &'static str,
    pub(crate) layout: Layout,
    /// Where the labels come from, in words.
    pub(crate) labels: String,
    /// The files, by the numbers that the candidates have; none where these are no files.
    pub(crate) files: Paths,
    pub(crate) candidates: Candidates,
    pub(crate) skipped: Vec<Skipped>,
    pub(crate) notices: Vec<Notice>,
}

/// The decoded pictures of the candidates, with what their files were.
pub(crate) struct Pictures<'a> {
    gathering: Gathering<'a>,
    facts: Vec<PictureFacts>,
}

impl<'a> Pictures<'a> {
    /// None yet, of at most so many.
    pub(crate) fn new(settings: &'a OpenSettings, most: usize) -> Self {
        Pictures {
            gathering: Gathering::new(&settings.memory, most),
            facts: Vec::with_capacity(most),
        }
    }

    /// Adds that of the next candidate.
    pub(crate) fn push(&mut self, picture: Picture, facts: PictureFacts) -> Result<(), DataError> {
        self.facts.push(facts);
        self.gathering.push(picture)
    }

    fn finish(self) -> Result<(Decoded, Vec<PictureFacts>), DataError> {
        Ok((self.gathering.finish()?, self.facts))
    }
}

/// The files of a data set, by position.
struct Files {
    paths: Paths,
    numbers: Vec<u32>,
}

impl Origins for Files {
    fn origin(&self, position: usize) -> String {
        self.paths.display(self.numbers[position] as usize)
    }

    fn file(&self, position: usize) -> Option<PathBuf> {
        Some(self.paths.path(self.numbers[position] as usize))
    }
}

impl Gathered {
    /// Decodes every file, divides what can be used and puts the data set together.
    pub(crate) fn assemble(mut self, settings: &OpenSettings) -> Result<Dataset, DataError> {
        let classes_before = self.candidates.classes();
        let pictures = self.decode(settings)?;
        let classes = self.candidates.classes();
        self.notices.extend(lost(&classes_before, &classes));
        let files = Files {
            paths: std::mem::take(&mut self.files),
            numbers: self.candidates.take_files(),
        };
        self.finish(pictures, Box::new(files), settings)
    }

    /// Divides the candidates and puts the data set together, each with its picture, what its file was
    /// and its position in `origins`.
    pub(crate) fn finish(
        self,
        pictures: Pictures<'_>,
        origins: Box<dyn Origins>,
        settings: &OpenSettings,
    ) -> Result<Dataset, DataError> {
        if self.candidates.len() == 0 {
            return Err(DataError::Empty {
                name: self.name.into(),
                detail: first_left_out(&self.skipped),
            });
        }
        let mut labelled = self.candidates.labelled()?;
        let (decoded, facts) = pictures.finish()?;
        let division = division::divide(
            &mut labelled.entries,
            labelled.divided,
            &labelled.class_names,
            &settings.split,
        )?;
        let mut notices = self.notices;
        notices.extend(division.notices);
        let description = Description {
            layout: Some(self.layout),
            labels: self.labels,
            notices,
            subject_names: labelled.subject_names,
            groups: labelled.groups,
            facts,
        };
        let parts = DecodedParts {
            name: self.name.into(),
            class_names: labelled.class_names,
            entries: labelled.entries,
            origins,
            decoded,
            skipped: self.skipped,
            split_rule: division.rule,
            split_settings: settings.split.clone(),
        };
        Ok(Dataset::decoded(parts)?.with_description(description))
    }

    /// The pictures of the candidates that can be decoded, with what their files were; the others
    /// join what is left out.
    fn decode<'a>(&mut self, settings: &'a OpenSettings) -> Result<Pictures<'a>, DataError> {
        let count = self.candidates.len();
        let mut pictures = Pictures::new(settings, count);
        let mut misnamed = Examples::default();
        let mut kept = 0;
        for start in (0..count).step_by(TOGETHER) {
            let together = start..count.min(start + TOGETHER);
            let decode = |bytes: &mut Vec<u8>, place: usize| {
                let path = self.files.path(self.candidates.file(place));
                let name = || path.display().to_string();
                guarded(name, || file::decode(&path, settings.resize, bytes))
            };
            let decoded = together.into_par_iter().map_init(Vec::new, decode);
            let decoded: Vec<_> = decoded.collect::<Result<_, DataError>>()?;
            for (place, result) in (start..).zip(decoded) {
                match result {
                    Ok((picture, facts)) => {
                        let file = self.candidates.file(place);
                        let path = self.files.name(file);
                        if let Some(format) = file::misnamed(path.as_ref(), &facts) {
                            misnamed.push(|| format!("{} is {format}", self.files.display(file)));
                        }
                        pictures.push(picture, facts)?;
                        self.candidates.keep(place, kept);
                        kept += 1;
                    }
                    Err(skipped) => self.skipped.push(skipped),
                }
            }
        }
        self.candidates.truncate(kept);
        if misnamed.count > 0 {
            let message = format!(
                "the names of {} do not fit their content, by which they are read all the same: {}",
                counted(misnamed.count, "picture"),
                misnamed.listed()
            );
            self.notices.push(Notice::note(message, ""));
        }
        Ok(pictures)
    }
}

fn lost(before: &BTreeSet<String>, after: &BTreeSet<String>) -> Option<Notice> {
    let lost: Vec<&String> = before.difference(after).collect();
    let message = format!(
        "no picture of {} can be used, so it is no class of these data",
        listed(&lost, 8)
    );
    (!lost.is_empty()).then(|| {
        Notice::warning(
            message,
            "Look up the reasons among the entries left out (skipped.csv), and mend the files",
        )
    })
}
