//! What the names in a folder say of its layout.

use std::collections::BTreeSet;
use std::path::Path;

use crate::error::DataError;
use crate::expression::Expression;
use crate::notice::{Notice, counted, listed};
use crate::source::arrangement::Group;
use crate::source::folder::Found;
use crate::source::labels::{Labels, expression_of_file, expression_of_folder, is_number};
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
    words: BTreeSet<String>,
}

impl Evidence {
    pub(crate) fn gather(groups: &[Group]) -> Self {
        let mut evidence = Evidence {
            names: BTreeSet::new(),
            people: BTreeSet::new(),
            others: 0,
            words: BTreeSet::new(),
        };
        for group in groups {
            let name = group.folder.path.file_name().unwrap_or_default();
            let name = name.to_string_lossy().into_owned();
            let said: Vec<Option<(Expression, String)>> = people::pictures(group)
                .into_iter()
                .map(|(_, word)| Some((expression_of_file(word?)?, word?.to_string())))
                .collect();
            let heard: Vec<&(Expression, String)> = said.iter().flatten().collect();
            let kinds: BTreeSet<Expression> = heard.iter().map(|(kind, _)| *kind).collect();
            if kinds.len() > 1 && 5 * heard.len() >= 4 * said.len() {
                evidence
                    .words
                    .extend(heard.iter().map(|(_, word)| word.clone()));
                evidence.people.insert(name.clone());
            } else if !said.is_empty() {
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
        let pictures: usize = outside.iter().map(|group| group.pictures()).sum();
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
        listed(&self.words.iter().collect::<Vec<_>>(), 8)
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
