//! What the names in a folder say of its layout.

use std::collections::{BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use crate::error::DataError;
use crate::notice::{Notice, counted, listed};
use crate::source::arrangement::Group;
use crate::source::folder::Found;
use crate::source::labels::{Labels, expression_of_file, expression_of_folder, is_number};
use crate::source::paths::Paths;
use crate::source::{Layout, people};

/// Words that stand before the number in names of people's folders.
const PERSON_WORDS: [&str; 12] = [
    "s",
    "p",
    "id",
    "sub",
    "subj",
    "subject",
    "person",
    "participant",
    "user",
    "actor",
    "face",
    "volunteer",
];

/// What the names of groups and of the files in them say.
pub(crate) struct Evidence {
    /// Names of the groups, each once.
    names: BTreeSet<String>,
    /// Names of groups whose files are named by several expressions.
    people: BTreeSet<String>,
    /// Groups with pictures that count as neither.
    others: usize,
    /// Words of file names that said expressions.
    words: FewWords,
}

/// How many different words there are, and the first of them in the order of their bytes.
#[derive(Default)]
struct FewWords {
    first: BTreeSet<String>,
    /// Hashes of all of them, which take less memory than they.
    hashes: HashSet<u64>,
}

impl FewWords {
    /// The most that are shown.
    const MOST: usize = 8;

    fn add(&mut self, word: &str) {
        let mut hasher = DefaultHasher::new();
        word.hash(&mut hasher);
        let is_new = self.hashes.insert(hasher.finish());
        let last = self.first.last().map_or("", String::as_str);
        if is_new && (self.first.len() < Self::MOST || word < last) {
            self.first.insert(word.to_string());
        }
        if self.first.len() > Self::MOST {
            self.first.pop_last();
        }
    }

    fn listed(&self) -> String {
        let first: Vec<&str> = self.first.iter().map(String::as_str).collect();
        match self.hashes.len() - first.len() {
            0 => first.join(", "),
            more => format!("{} and {more} more", first.join(", ")),
        }
    }
}

impl Evidence {
    pub(crate) fn gather(groups: &[Group], files: &Paths) -> Self {
        let mut evidence = Evidence {
            names: BTreeSet::new(),
            people: BTreeSet::new(),
            others: 0,
            words: FewWords::default(),
        };
        for group in groups {
            let name = group.folder.path.file_name().unwrap_or_default();
            let name = name.to_string_lossy().into_owned();
            let words = || people::pictures(group, files).map(|(_, word)| word);
            let (mut said, mut heard, mut kinds) = (0, 0, BTreeSet::new());
            for word in words() {
                said += 1;
                if let Some(expression) = word.and_then(expression_of_file) {
                    heard += 1;
                    kinds.insert(expression);
                }
            }
            if kinds.len() > 1 && 5 * heard >= 4 * said {
                let telling = words().flatten();
                telling
                    .filter(|word| expression_of_file(word).is_some())
                    .for_each(|word| evidence.words.add(word));
                evidence.people.insert(name.clone());
            } else if said > 0 {
                evidence.others += 1;
            }
            evidence.names.insert(name);
        }
        evidence
    }

    fn looks_like_people(&self) -> bool {
        !self.people.is_empty() && self.people.len() >= self.others
    }

    pub(crate) fn decide(
        &self,
        path: &Path,
        labels: &Labels,
        asked: Option<Layout>,
    ) -> Result<Layout, DataError> {
        if let Some(layout) = asked {
            return Ok(layout);
        }
        let unclear = |saw: String, remedy: &str| DataError::Unclear {
            path: path.to_path_buf(),
            saw,
            remedy: remedy.into(),
        };
        let means = |name: &String| match labels {
            Labels::Map(map) => map.meaning(name).is_some(),
            Labels::Vocabulary(vocabulary) => vocabulary.expression(name).is_some(),
            Labels::Own { .. } => expression_of_folder(name).is_some(),
        };
        let meaningful = self.names.iter().any(means);
        match (self.looks_like_people(), labels) {
            (true, Labels::Own { .. }) if meaningful => Err(unclear(
                format!(
                    "both the folders ({}) and the files in them ({}) are named by expressions",
                    self.some_names(),
                    self.some_words()
                ),
                "--layout classes if the folders say what the faces show, --layout people if each folder holds one person and the file names say it",
            )),
            (true, _) if !meaningful => Ok(Layout::People),
            (false, Labels::Own { .. }) if self.names.iter().all(|name| is_a_persons(name)) => {
                Err(unclear(
                    format!(
                        "the folders ({}) are named like people, and the names of the files in them say no expression",
                        self.some_names()
                    ),
                    "--layout classes if the folders are classes all the same, --label-map FILE to say what each shows (one `\"s01\" = \"happy\"` a line), or a manifest.csv with the columns path,label,subject beside the pictures if they are people",
                ))
            }
            _ => Ok(Layout::Classes),
        }
    }

    pub(crate) fn people_notice(&self, asked: bool) -> Notice {
        let remedy = if asked {
            ""
        } else {
            "--layout classes if the folders are the classes"
        };
        Notice::note(
            format!(
                "each of the {} ({}) is a person, and the names of the pictures ({}) say the expression: the expressions are the classes, the folders the subjects",
                counted(self.names.len(), "folder"),
                self.some_names(),
                self.some_words()
            ),
            remedy,
        )
    }

    /// What is wrong with taking folders of people for classes.
    pub(crate) fn classes_warning(&self, found: &Found<'_>) -> Option<Notice> {
        if !self.looks_like_people() {
            return None;
        }
        let left_out = |name: &str| match &found.labels {
            Labels::Map(map) => map.meaning(name).is_none(),
            Labels::Vocabulary(vocabulary) => vocabulary.expression(name).is_none(),
            Labels::Own { .. } => false,
        };
        let groups = found.arrangement.groups.iter();
        let outside: Vec<&Group> = groups
            .filter(|group| group.folder.name().is_none_or(left_out))
            .collect();
        let files = &found.arrangement.files;
        let pictures: usize = outside.iter().map(|group| group.pictures(files)).sum();
        let lost = match outside.len() {
            0 => String::new(),
            folders => format!(
                " {folders} of {} folders with {} are left out because nothing says what they mean.",
                self.names.len(),
                counted(pictures, "picture")
            ),
        };
        let kept = self.names.len() - outside.len().min(self.names.len());
        Some(Notice::warning(
            format!(
                "the folders ({}) hold one person each, for their pictures are named by expressions ({}), so these labels name people and not expressions. A network trained on them learns to tell {kept} people apart, and its accuracy says nothing about expressions.{lost}",
                self.some_names(),
                self.some_words()
            ),
            "Leave out --label-map, --vocabulary and --layout classes (or say --layout people) to train on the expressions",
        ))
    }

    fn some_names(&self) -> String {
        listed(&self.names.iter().collect::<Vec<_>>(), 6)
    }

    fn some_words(&self) -> String {
        self.words.listed()
    }
}

/// Whether a folder is named like a person: `s01`, `subject_3`. Bare numbers are not: they may
/// number classes.
fn is_a_persons(name: &str) -> bool {
    let lower = name.to_lowercase();
    let word = lower.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let number = &lower[word.len()..];
    let word = word.trim_end_matches(['_', '-', ' ', '.']);
    is_number(number) && PERSON_WORDS.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_words_the_first_are_kept_and_each_is_counted_once() {
        let mut words = FewWords::default();
        for number in (0..500).rev().chain(0..500) {
            words.add(&format!("happy{number:03}"));
        }
        let listed = words.listed();
        assert!(listed.starts_with("happy000, happy001, "), "{listed}");
        assert!(listed.ends_with("happy007 and 492 more"), "{listed}");
    }
}
