//! A folder: what lies in it, and which layout that is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::dataset::Dataset;
use crate::error::DataError;
use crate::expression::Expression;
use crate::notice::{Notice, counted, listed};
use crate::skipped::{Skipped, reason};
use crate::source::arrangement::{Arrangement, Group};
use crate::source::labels::{Labels, expression_of_file, expression_of_folder, is_number};
use crate::source::tree::{Folder, Tree};
use crate::source::{Layout, OpenSettings, classes, fer2013, manifest, people, refuse_votes};

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

/// Opens the folder at `path`.
pub(crate) fn open(path: &Path, settings: &OpenSettings) -> Result<Dataset, DataError> {
    let tree = Tree::read(path)?;
    if let Some((table, layout)) = table(path, &tree.root, settings.layout)? {
        return match layout {
            Layout::Csv => fer2013::open(&table, settings),
            _ => manifest::open(&table, settings),
        };
    }
    refuse_votes(settings, "a folder of pictures")?;
    let labels = Labels::new(settings)?;
    let mut notices = notices_of(&tree);
    let mut skipped = tree.skipped;
    let mut arrangement = Arrangement::find(tree.root);
    skipped.append(&mut arrangement.skipped);
    if arrangement.groups.is_empty() {
        return Err(no_groups(path, &arrangement, &skipped));
    }
    for picture in std::mem::take(&mut arrangement.loose) {
        let detail = "it lies beside the folders of classes or people, not in one of them";
        let entry = picture.display().to_string();
        skipped.push(Skipped::new(entry, reason::OUTSIDE, detail));
    }
    let evidence = Evidence::gather(&arrangement.groups);
    let layout = evidence.decide(path, &labels, settings.layout)?;
    let found = Found {
        path,
        arrangement,
        labels,
        skipped,
    };
    let gathered = if layout == Layout::People {
        notices.push(evidence.people_notice(settings.layout.is_some()));
        people::gather(found, notices)?
    } else {
        let about_people = evidence.classes_warning(&found);
        notices.extend(about_people);
        classes::gather(found, notices)?
    };
    gathered.assemble(settings)
}

/// What both layouts of folders are made from.
pub(crate) struct Found<'a> {
    pub(crate) path: &'a Path,
    pub(crate) arrangement: Arrangement,
    pub(crate) labels: Labels,
    pub(crate) skipped: Vec<Skipped>,
}

/// The table that a folder is read by, where it has one.
fn table(
    path: &Path,
    root: &Folder,
    asked: Option<Layout>,
) -> Result<Option<(PathBuf, Layout)>, DataError> {
    let names = |words: &[&str]| {
        let mut files = root.files.iter();
        files
            .find(|file| {
                let name = file.file_name().and_then(|name| name.to_str());
                name.is_some_and(|name| words.contains(&name.to_lowercase().as_str()))
            })
            .cloned()
    };
    let csv = || names(&["fer2013.csv", "fer2013.csv.zst", "fer2013.csv.gz"]);
    let manifest = || names(&["manifest.csv"]);
    let refuse = |name: &str| DataError::Unrecognised {
        path: path.to_path_buf(),
        reason: format!("the folder holds no {name}; name the table itself instead of the folder"),
    };
    match asked {
        Some(Layout::Classes | Layout::People) => Ok(None),
        Some(Layout::Csv) => {
            let table = csv().ok_or_else(|| refuse("fer2013.csv"))?;
            Ok(Some((table, Layout::Csv)))
        }
        Some(Layout::Manifest) => {
            let table = manifest().ok_or_else(|| refuse("manifest.csv"))?;
            Ok(Some((table, Layout::Manifest)))
        }
        None => Ok(match manifest() {
            Some(table) => Some((table, Layout::Manifest)),
            None if root.folders.is_empty() => csv().map(|table| (table, Layout::Csv)),
            None => None,
        }),
    }
}

fn no_groups(path: &Path, arrangement: &Arrangement, skipped: &[Skipped]) -> DataError {
    let pictures = arrangement.loose.len();
    if pictures > 0 {
        return DataError::Unclear {
            path: path.to_path_buf(),
            saw: format!(
                "{} in no folder of a class or a person, so nothing says what the faces show",
                counted(pictures, "picture")
            ),
            remedy: "Put them into a folder for each class (happy, sad, …), or write a manifest.csv with the columns path,label beside them".into(),
        };
    }
    DataError::Empty {
        name: path.display().to_string(),
        detail: match skipped.first() {
            None => ": the folder is empty".into(),
            Some(_) => crate::skipped::first_left_out(skipped),
        },
    }
}

fn notices_of(tree: &Tree) -> Vec<Notice> {
    let mut notices = Vec::new();
    if !tree.case_twins.is_empty() {
        let message = format!(
            "{} in letter case only, and systems that know no case keep one alone: {}",
            match tree.case_twins.len() {
                1 => "two names differ".to_string(),
                pairs => format!("{pairs} pairs of names differ"),
            },
            listed(&tree.case_twins, 3)
        );
        notices.push(Notice::warning(message, "Rename one of each pair"));
    }
    if !tree.links_outside.is_empty() {
        let message = format!(
            "{} out of the folder and followed: {}",
            match tree.links_outside.len() {
                1 => "1 link leads".to_string(),
                links => format!("{links} links lead"),
            },
            listed(&tree.links_outside, 3)
        );
        notices.push(Notice::note(message, ""));
    }
    notices
}

/// What the names of groups and of the files in them say.
struct Evidence {
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
    fn gather(groups: &[Group]) -> Self {
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

    fn decide(
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

    fn people_notice(&self, asked: bool) -> Notice {
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
    fn classes_warning(&self, found: &Found<'_>) -> Option<Notice> {
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
