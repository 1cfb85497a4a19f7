//! From counts to warnings that a newcomer can act on.

use crate::audit::{Audit, Finding};
use crate::notice::{Level, Notice, counted, listed};
use crate::split::Split;

/// A class with fewer pictures cannot be learnt from train.
const FEWEST_TO_LEARN: usize = 10;

/// A class with fewer pictures cannot be judged on validation or test.
const FEWEST_TO_JUDGE: usize = 10;

/// A class this many times as frequent as another hides it in the accuracy.
const STEEPEST: usize = 10;

/// The notes, and the warnings: those of the source first.
pub(super) fn warnings(audit: &Audit, notices: &[Notice]) -> (Vec<Notice>, Vec<Notice>) {
    let (mut warnings, notes): (Vec<Notice>, Vec<Notice>) = notices
        .iter()
        .cloned()
        .partition(|notice| notice.level == Level::Warning);
    warnings.extend(leaks(audit));
    warnings.extend(people(audit));
    warnings.extend(sizes(audit));
    warnings.extend(pictures(audit));
    (notes, warnings)
}

/// Copies that cross, and copies that contradict each other.
fn leaks(audit: &Audit) -> Vec<Notice> {
    let mut warnings = Vec::new();
    let copies = &audit.copies;
    for (count, split) in [
        (copies.validation_in_train, Split::Validation),
        (copies.test_in_train, Split::Test),
    ] {
        if count > 0 {
            warnings.push(Notice::warning(
                format!(
                    "{count} of {} {split} pictures also stand in train, pixel by pixel, so figures on {split} are too good",
                    audit.splits.of(split)
                ),
                "--dedup takes them out of train",
            ));
        }
    }
    if copies.test_in_validation > 0 {
        warnings.push(Notice::warning(
            format!(
                "{} of {} test pictures also stand in validation, on which choices are made",
                copies.test_in_validation, audit.splits.test
            ),
            "Remove them from one of the two",
        ));
    }
    if let Some(first) = copies.conflicting.first() {
        let names: Vec<String> = first.iter().map(described).collect();
        let groups = match copies.conflicting.len() {
            1 => "1 group of equal pictures has".to_string(),
            groups => format!("{groups} groups of equal pictures have"),
        };
        warnings.push(Notice::warning(
            format!("{groups} different labels; the first: {}", listed(&names, 4)),
            "Look at them and keep one label, or leave such pictures out; `copies.conflicting` of --json lists them all",
        ));
    }
    warnings
}

/// People on several sides, and people who show one class alone.
fn people(audit: &Audit) -> Vec<Notice> {
    let mut warnings = Vec::new();
    let trains = |side: usize, train: usize| side > 0 && train > 0;
    let both: Vec<&str> = audit
        .subjects
        .iter()
        .filter(|subject| {
            let sides = subject.pictures;
            trains(sides.validation + sides.test, sides.train)
        })
        .map(|subject| subject.name.as_str())
        .collect();
    if !both.is_empty() {
        warnings.push(Notice::warning(
            format!(
                "{} ({}) stand in train and in validation or test, so figures say little about new faces",
                counted(both.len(), "person").replace("persons", "people"),
                listed(&both, 6)
            ),
            "Divide the pictures so that each person lies on one side, or leave the splits out of the data and let them be drawn by subject",
        ));
    }
    let subjects = audit.subjects.len();
    if subjects > 1
        && audit.classes.len() > 1
        && audit.subjects.iter().all(|subject| subject.classes == 1)
    {
        warnings.push(Notice::warning(
            format!(
                "each of the {subjects} people shows one class alone, so a network can learn to know the people instead of the classes"
            ),
            "Add pictures of the same people with other expressions",
        ));
    }
    warnings
}

/// Classes too small to learn or to judge, and those that drown in others.
fn sizes(audit: &Audit) -> Vec<Notice> {
    let mut warnings = Vec::new();
    for split in Split::ALL {
        let fewest = match split {
            Split::Train => FEWEST_TO_LEARN,
            _ => FEWEST_TO_JUDGE,
        };
        let small: Vec<String> = audit
            .classes
            .iter()
            .map(|class| (class.name.as_str(), class.pictures.of(split)))
            .filter(|&(_, count)| count < fewest)
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        if audit.splits.of(split) == 0 || small.is_empty() {
            continue;
        }
        let (what, remedy) = match split {
            Split::Train => (
                "too few to learn from",
                "Add pictures of these classes, or leave the classes out with --label-map",
            ),
            _ => (
                "too few to judge by",
                "Add pictures of these classes, or, where the data bring no split of their own, ask for a larger share with --validation-fraction and --test-fraction",
            ),
        };
        warnings.push(Notice::warning(
            format!(
                "fewer than {fewest} pictures in {split} are {what}: {}",
                small.join(", ")
            ),
            remedy,
        ));
    }
    if audit.splits.train == 0 {
        warnings.push(Notice::warning(
            "nothing trains",
            "Add a folder or a split named train, or evaluate these data with a model that is trained already",
        ));
        return warnings;
    }
    if audit.splits.validation + audit.splits.test == 0 {
        warnings.push(Notice::warning(
            "nothing validates and nothing tests, so nobody can say how good a network is",
            "Add pictures, or ask for shares with --validation-fraction and --test-fraction",
        ));
    }
    if audit.classes.len() == 1 {
        warnings.push(Notice::warning(
            format!(
                "{} is the only class, so there is nothing to tell apart",
                audit.classes[0].name
            ),
            "Name the folder above the folders of the classes",
        ));
    }
    warnings.extend(steepness(audit));
    warnings
}

fn steepness(audit: &Audit) -> Option<Notice> {
    let trained = audit
        .classes
        .iter()
        .filter(|class| class.pictures.train > 0);
    let most = trained.clone().max_by_key(|class| class.pictures.train)?;
    let least = trained.min_by_key(|class| class.pictures.train)?;
    let steep = most.pictures.train > STEEPEST * least.pictures.train;
    steep.then(|| {
        Notice::warning(
            format!(
                "train has {} of {} and {} of {}: accuracy hides the rare class",
                counted(most.pictures.train, "picture"),
                most.name,
                least.pictures.train,
                least.name
            ),
            "Judge by macro F1 and by the recall of each class, which every report has",
        )
    })
}

/// Pictures that show nothing, and entries that cannot be used.
fn pictures(audit: &Audit) -> Vec<Notice> {
    let mut warnings = Vec::new();
    for (found, what) in [
        (&audit.flat, "of one single grey and shows no face"),
        (&audit.nearly_black, "nearly black"),
    ] {
        if !found.is_empty() {
            let names: Vec<String> = found.iter().map(described).collect();
            let pictures = match found.len() {
                1 => "1 picture is".to_string(),
                count => format!("{count} pictures are"),
            };
            let what = match found.len() {
                1 => what.to_string(),
                _ => what.replace("shows", "show"),
            };
            warnings.push(Notice::warning(
                format!("{pictures} {what}: {}", listed(&names, 4)),
                "Look at them, and remove them from the data if they are no faces",
            ));
        }
    }
    let unusable: Vec<&str> = audit
        .skipped
        .iter()
        .filter(|entry| entry.is_unusable())
        .map(|entry| entry.entry.as_str())
        .collect();
    if !unusable.is_empty() {
        let entries = match unusable.len() {
            1 => "1 entry".to_string(),
            count => format!("{count} entries"),
        };
        warnings.push(Notice::warning(
            format!("{entries} cannot be used: {}", listed(&unusable, 4)),
            "Mend or remove them; --strict stops at them",
        ));
    }
    warnings
}

fn described(finding: &Finding) -> String {
    format!(
        "{} ({} in {})",
        finding.picture, finding.class, finding.split
    )
}
