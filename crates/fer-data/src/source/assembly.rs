//! From files with labels to a data set.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::dataset::{Dataset, DatasetParts, Entry, PictureStore};
use crate::description::{Description, GroupColumn};
use crate::error::DataError;
use crate::expression::ClassNames;
use crate::notice::{Notice, counted, listed};
use crate::picture::{Picture, PictureFacts, Resize};
use crate::skipped::{Skipped, first_left_out};
use crate::source::file;
use crate::source::{Layout, OpenSettings, division};
use crate::split::Split;
use crate::worker::guarded;

/// A file that may be a picture, with all that is said of it.
pub(crate) struct Candidate {
    pub(crate) path: PathBuf,
    /// The name of its class.
    pub(crate) class: String,
    pub(crate) subject: Option<String>,
    pub(crate) split: Option<Split>,
    /// One value for each of [`Gathered::columns`].
    pub(crate) groups: Vec<Option<String>>,
}

/// What a source of files found at its path.
pub(crate) struct Gathered {
    pub(crate) name: &'static str,
    pub(crate) layout: Layout,
    /// Where the labels come from, in words.
    pub(crate) labels: String,
    pub(crate) candidates: Vec<Candidate>,
    /// Names of the properties that divide pictures into groups.
    pub(crate) columns: Vec<String>,
    pub(crate) skipped: Vec<Skipped>,
    pub(crate) notices: Vec<Notice>,
}

/// The files of a data set, by position.
struct Files {
    paths: Vec<PathBuf>,
    resize: Resize,
}

impl PictureStore for Files {
    fn picture(&self, position: usize) -> Result<Picture, DataError> {
        Picture::open_with(&self.paths[position], self.resize)
    }

    fn origin(&self, position: usize) -> String {
        self.paths[position].display().to_string()
    }

    fn file(&self, position: usize) -> Option<&Path> {
        Some(&self.paths[position])
    }
}

impl Gathered {
    /// Decodes every file, divides what can be used and puts the data set together.
    pub(crate) fn assemble(mut self, settings: &OpenSettings) -> Result<Dataset, DataError> {
        let classes_before = self.classes();
        let (pictures, facts) = self.decode(settings.resize)?;
        let classes = self.classes();
        self.notices.extend(lost(&classes_before, &classes));
        let paths = self.candidates.iter().map(|found| found.path.clone());
        let files = Files {
            paths: paths.collect(),
            resize: settings.resize,
        };
        self.finish(pictures, facts, Box::new(files), settings)
    }

    /// Divides the candidates and puts the data set together, each with its picture, what its file was
    /// and its position in `store`.
    pub(crate) fn finish(
        self,
        pictures: Vec<Picture>,
        facts: Vec<PictureFacts>,
        store: Box<dyn PictureStore>,
        settings: &OpenSettings,
    ) -> Result<Dataset, DataError> {
        if self.candidates.is_empty() {
            return Err(DataError::Empty {
                name: self.name.into(),
                detail: first_left_out(&self.skipped),
            });
        }
        let class_names = ClassNames::new(self.classes())?;
        let subject_names = self.subjects();
        let mut entries = self.entries(&class_names, &subject_names);
        let own: Option<Vec<Split>> = self.candidates.iter().map(|found| found.split).collect();
        let division =
            division::divide(&mut entries, own.as_deref(), &class_names, &settings.split)?;
        let mut notices = self.notices;
        notices.extend(division.notices);
        let description = Description {
            layout: Some(self.layout),
            labels: self.labels,
            notices,
            subject_names,
            groups: group_columns(&self.columns, &self.candidates),
            facts,
        };
        let parts = DatasetParts {
            name: self.name.into(),
            class_names,
            entries,
            store,
            skipped: self.skipped,
            split_rule: division.rule,
            split_settings: settings.split.clone(),
        };
        Ok(Dataset::decoded(parts, pictures)?.with_description(description))
    }

    /// The pictures of the candidates that can be decoded, with what their files were; the others
    /// join what is left out.
    fn decode(&mut self, resize: Resize) -> Result<(Vec<Picture>, Vec<PictureFacts>), DataError> {
        let decode = |bytes: &mut Vec<u8>, candidate: &Candidate| {
            let name = || candidate.path.display().to_string();
            guarded(name, || file::decode(&candidate.path, resize, bytes))
        };
        let decoded = self.candidates.par_iter().map_init(Vec::new, decode);
        let decoded: Vec<_> = decoded.collect::<Result<_, DataError>>()?;
        let (mut pictures, mut facts) = (Vec::new(), Vec::new());
        let (mut kept, mut misnamed) = (Vec::new(), Vec::new());
        let candidates = std::mem::take(&mut self.candidates);
        for (candidate, result) in candidates.into_iter().zip(decoded) {
            match result {
                Ok((picture, fact)) => {
                    if let Some(format) = file::misnamed(&candidate.path, &fact) {
                        misnamed.push(format!("{} is {format}", candidate.path.display()));
                    }
                    pictures.push(picture);
                    facts.push(fact);
                    kept.push(candidate);
                }
                Err(skipped) => self.skipped.push(skipped),
            }
        }
        self.candidates = kept;
        if !misnamed.is_empty() {
            let message = format!(
                "the names of {} do not fit their content, by which they are read all the same: {}",
                counted(misnamed.len(), "picture"),
                listed(&misnamed, 3)
            );
            self.notices.push(Notice::note(message, ""));
        }
        Ok((pictures, facts))
    }

    fn classes(&self) -> BTreeSet<String> {
        let classes = self.candidates.iter().map(|found| found.class.clone());
        classes.collect()
    }

    /// The names of the subjects in order of their bytes.
    fn subjects(&self) -> Vec<String> {
        let names = self.candidates.iter();
        let names: BTreeSet<&String> = names.filter_map(|found| found.subject.as_ref()).collect();
        names.into_iter().cloned().collect()
    }

    fn entries(&self, class_names: &ClassNames, subjects: &[String]) -> Vec<Entry> {
        let numbers: BTreeMap<&str, u32> = subjects.iter().map(String::as_str).zip(0..).collect();
        let entries = self.candidates.iter().enumerate();
        entries
            .map(|(position, found)| Entry {
                position,
                label: class_names
                    .index(&found.class)
                    .unwrap_or_else(|| unreachable!("the class names are those of the candidates")),
                distribution: None,
                subject: found.subject.as_deref().map(|name| numbers[name]),
                split: found.split.unwrap_or(Split::Train),
            })
            .collect()
    }
}

fn group_columns(columns: &[String], candidates: &[Candidate]) -> Vec<GroupColumn> {
    let column = |(place, name): (usize, &String)| GroupColumn {
        name: name.clone(),
        values: candidates
            .iter()
            .map(|found| found.groups.get(place).cloned().flatten())
            .collect(),
    };
    columns.iter().enumerate().map(column).collect()
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
