//! What the words mean that label pictures: names of folders, of files, or a column of a table.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::error::DataError;
use crate::expression::{ClassNames, Expression, Vocabulary};
use crate::notice::{Notice, listed};
use crate::skipped::reason;
use crate::source::OpenSettings;
use crate::source::label_map::LabelMap;

/// Names of folders that hold pictures without saying what they show.
const EMPTY_WORDS: [&str; 12] = [
    "image",
    "images",
    "img",
    "imgs",
    "picture",
    "pictures",
    "photo",
    "photos",
    "face",
    "faces",
    "aligned",
    "annotations",
];

/// The class of each label, or the reason to leave its pictures out.
pub(crate) type Meanings = BTreeMap<String, Result<String, &'static str>>;

/// Where the meaning of labels comes from.
pub(crate) enum Labels {
    /// The user's label map.
    Map(LabelMap),
    /// The numbering of a known data set.
    Vocabulary(Vocabulary),
    /// The labels themselves; `settled` when the user has named the layout, so that labels that
    /// are no expressions are taken as they stand.
    Own { settled: bool },
}

impl Labels {
    pub(crate) fn new(settings: &OpenSettings) -> Result<Self, DataError> {
        match (&settings.label_map, settings.vocabulary) {
            (Some(_), Some(vocabulary)) => Err(DataError::Setting {
                name: "vocabulary",
                value: vocabulary.to_string(),
                expected: "either a vocabulary or a label map, not both",
            }),
            (Some(path), None) => Ok(Labels::Map(LabelMap::read(path)?)),
            (None, Some(vocabulary)) => Ok(Labels::Vocabulary(vocabulary)),
            (None, None) => Ok(Labels::Own {
                settled: settings.layout.is_some(),
            }),
        }
    }

    /// Where labels come from, in words.
    pub(crate) fn describe(&self) -> String {
        match self {
            Labels::Map(_) => "the label map".into(),
            Labels::Vocabulary(vocabulary) => {
                format!("{vocabulary}: {}", vocabulary.numbering())
            }
            Labels::Own { .. } => "the labels' own names".into(),
        }
    }

    /// What each of `labels`, found at `path`, means.
    ///
    /// # Errors
    /// Labels that can be understood in more than one way or can be no classes, or a label map that
    /// fits none.
    pub(crate) fn resolve(
        &self,
        path: &Path,
        labels: &BTreeSet<&str>,
        notices: &mut Vec<Notice>,
    ) -> Result<Meanings, DataError> {
        let meaning = |label: &str| match self {
            Labels::Map(map) => map
                .meaning(label)
                .map(String::from)
                .ok_or(reason::NOT_IN_MAP),
            Labels::Vocabulary(vocabulary) => vocabulary
                .expression(label)
                .map(|expression| expression.name().to_string())
                .ok_or(reason::UNKNOWN_LABEL),
            Labels::Own { .. } => Ok(own_name(label)),
        };
        match self {
            Labels::Map(map) => map.check(labels)?,
            Labels::Vocabulary(_) => {}
            Labels::Own { settled } => {
                check_case(path, labels)?;
                if !settled {
                    check_meaning(path, labels)?;
                }
            }
        }
        let meanings: Meanings = labels
            .iter()
            .map(|&label| (label.to_string(), meaning(label)))
            .collect();
        let classes: BTreeSet<&str> = meanings.values().flatten().map(String::as_str).collect();
        if !classes.is_empty() {
            ClassNames::new(classes)?;
        }
        if matches!(self, Labels::Own { .. }) {
            notices.extend(merged(&meanings));
        }
        Ok(meanings)
    }

    /// The class of a picture whose file is named `stem`.
    pub(crate) fn of_file_name(&self, stem: &str) -> Result<String, &'static str> {
        let own = |expression: Expression| expression.name().to_string();
        let (found, missing) = match self {
            Labels::Map(map) => (
                only(stem, |word| map.meaning(word).map(String::from)),
                reason::NOT_IN_MAP,
            ),
            Labels::Vocabulary(vocabulary) => (
                only(stem, |word| vocabulary.expression(word).map(own)),
                reason::UNKNOWN_LABEL,
            ),
            Labels::Own { .. } => (expression_of_file(stem).map(own), reason::UNKNOWN_LABEL),
        };
        found.ok_or(missing)
    }
}

/// The expression that a folder's name says: a spelling, with a number before it or not.
pub(crate) fn expression_of_folder(name: &str) -> Option<Expression> {
    let word = name.trim_start_matches(|letter: char| {
        letter.is_ascii_digit() || [' ', '_', '-', '.'].contains(&letter)
    });
    word.parse().ok()
}

/// The one expression that a file's name says, whatever stands beside it.
pub(crate) fn expression_of_file(stem: &str) -> Option<Expression> {
    only(stem, |word| word.parse::<Expression>().ok())
}

/// What the whole of `stem` means, else the one thing that its words mean.
fn only<T: Ord>(stem: &str, meaning: impl Fn(&str) -> Option<T>) -> Option<T> {
    if let Some(whole) = meaning(stem) {
        return Some(whole);
    }
    let words = stem.split(|letter: char| !letter.is_alphabetic());
    let mut found: BTreeSet<T> = words
        .filter(|word| !word.is_empty())
        .filter_map(meaning)
        .collect();
    let first = found.pop_first();
    first.filter(|_| found.is_empty())
}

fn own_name(label: &str) -> String {
    match expression_of_folder(label) {
        Some(expression) => expression.name().to_string(),
        None => label.trim().to_string(),
    }
}

/// Whether a label is a bare number.
pub(crate) fn is_number(label: &str) -> bool {
    let label = label.trim();
    !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_digit())
}

fn check_meaning(path: &Path, labels: &BTreeSet<&str>) -> Result<(), DataError> {
    let (named, others): (Vec<&str>, Vec<&str>) = labels
        .iter()
        .copied()
        .partition(|label| expression_of_folder(label).is_some());
    if !others.is_empty() && others.iter().all(|label| is_number(label)) {
        return Err(DataError::Unclear {
            path: path.to_path_buf(),
            saw: format!(
                "the labels are the numbers {}, and a number names no expression: each data set numbers them in its own way",
                listed(&others, 20)
            ),
            remedy: number_remedy(labels),
        });
    }
    let says_nothing = |label: &str| EMPTY_WORDS.contains(&label.trim().to_lowercase().as_str());
    let nothing_said = others.iter().all(|label| says_nothing(label));
    if named.is_empty() && !others.is_empty() && nothing_said {
        return Err(DataError::Unclear {
            path: path.to_path_buf(),
            saw: format!(
                "the pictures lie in {}, and that says nothing about what they show",
                listed(&others, 8)
            ),
            remedy: "Put them into a folder for each class (happy, sad, …), or write a manifest.csv with the columns path,label; --layout classes takes the names as they stand".into(),
        });
    }
    if !named.is_empty() && !others.is_empty() {
        return Err(DataError::Unclear {
            path: path.to_path_buf(),
            saw: format!(
                "the labels {} are expressions, but {} are not",
                listed(&named, 8),
                listed(&others, 8)
            ),
            remedy: "--label-map FILE says what each label means and leaves out those that it does not name (one `\"label\" = \"happy\"` a line); --layout classes (of folders) or --layout manifest (of a table) keeps each label as a class of its own".into(),
        });
    }
    Ok(())
}

fn number_remedy(labels: &BTreeSet<&str>) -> String {
    let mut fitting = Vocabulary::ALL.to_vec();
    fitting.retain(|vocabulary| {
        let mut labels = labels.iter();
        labels.all(|label| vocabulary.expression(label).is_some())
    });
    let uses_all = |vocabulary: &Vocabulary| vocabulary.order().len() == labels.len();
    if fitting.iter().any(uses_all) {
        fitting.retain(uses_all);
    }
    let known: Vec<String> = fitting
        .iter()
        .map(|vocabulary| format!("--vocabulary {vocabulary} ({})", vocabulary.numbering()))
        .collect();
    let known = match known.len() {
        0 => String::new(),
        _ => format!("; known data sets number so: {}", known.join(", or ")),
    };
    format!(
        "--label-map FILE says what each number means, one `\"0\" = \"happy\"` a line{known}; --layout people if each folder holds one person; --layout classes (of folders) or --layout manifest (of a table) takes the numbers for names of classes"
    )
}

fn check_case(path: &Path, labels: &BTreeSet<&str>) -> Result<(), DataError> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for &label in labels {
        if expression_of_folder(label).is_some() {
            continue;
        }
        if let Some(twin) = seen.insert(label.trim().to_lowercase(), label) {
            return Err(DataError::Unclear {
                path: path.to_path_buf(),
                saw: format!("the labels `{twin}` and `{label}` differ in letter case only"),
                remedy: "Rename one, or say with --label-map FILE what each means".into(),
            });
        }
    }
    Ok(())
}

/// Says where several labels are read as one class.
fn merged(meanings: &Meanings) -> Vec<Notice> {
    let mut classes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (label, class) in meanings {
        if let Ok(class) = class {
            classes.entry(class).or_default().push(label);
        }
    }
    let several = classes.into_iter().filter(|(_, labels)| labels.len() > 1);
    several
        .map(|(class, labels)| {
            Notice::note(
                format!("the labels {} are all read as {class}", listed(&labels, 8)),
                "--label-map FILE says otherwise",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_say_an_expression_when_they_say_just_one() {
        for stem in ["Happy", "happy_01", "S003-Happy (2)", "01.HAPPINESS.b"] {
            assert_eq!(expression_of_file(stem), Some(Expression::Happy), "{stem}");
        }
        for stem in ["", "001", "happy_sad", "unhappy", "IMG_2001"] {
            assert_eq!(expression_of_file(stem), None, "{stem}");
        }
    }

    #[test]
    fn folder_names_may_carry_a_number_but_no_other_word() {
        assert_eq!(expression_of_folder("3_Happy"), Some(Expression::Happy));
        assert_eq!(expression_of_folder("0 - anger"), Some(Expression::Angry));
        assert_eq!(expression_of_folder("not happy"), None);
        assert_eq!(expression_of_folder("7"), None);
    }
}
