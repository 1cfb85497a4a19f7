//! How the pictures of a folder or a manifest are divided.

use crate::entries::Entries;
use crate::error::DataError;
use crate::expression::ClassNames;
use crate::notice::Notice;
use crate::split::{GroupedShares, SHARE, Split, SplitSettings, stratified, stratified_by_subject};

/// What was done, in words.
pub(crate) struct Division {
    pub(crate) rule: String,
    pub(crate) notices: Vec<Notice>,
}

/// Gives every entry its split: by shares, or where the data bring splits themselves, which makes them
/// `divided`, those that they have.
///
/// # Errors
/// Shares asked for that the data's own splits leave no room for.
pub(crate) fn divide(
    entries: &mut Entries,
    divided: bool,
    class_names: &ClassNames,
    settings: &SplitSettings,
) -> Result<Division, DataError> {
    let mut notices = Vec::new();
    let rule = if divided {
        divide_own(entries, settings, &mut notices)?
    } else {
        let (validation, test) = settings.shares()?;
        let all = 0..entries.len();
        let how = cut(entries, all, settings.seed, validation, test, &mut notices);
        format!(
            "{how}: {} trains, {validation} validates, {test} tests",
            rounded(1.0 - validation - test)
        )
    };
    notices.extend(missing_classes(entries, class_names));
    Ok(Division { rule, notices })
}

fn divide_own(
    entries: &mut Entries,
    settings: &SplitSettings,
    notices: &mut Vec<Notice>,
) -> Result<String, DataError> {
    let has = |side| entries.splits().contains(&side);
    let (trains, validates, tests) = (has(Split::Train), has(Split::Validation), has(Split::Test));
    if let Some(value) = settings.test_fraction {
        return Err(DataError::Setting {
            name: "test_fraction",
            value: value.to_string(),
            expected: "the data bring their own splits; leave it out",
        });
    }
    let fraction = match (settings.validation_fraction, validates) {
        (Some(value), true) if tests || !trains => {
            return Err(DataError::Setting {
                name: "validation_fraction",
                value: value.to_string(),
                expected: "the data bring their own validation split; leave it out",
            });
        }
        (None, true) => return Ok(own_rule(trains, tests)),
        (asked, _) => asked.unwrap_or(SHARE),
    };
    if !trains {
        return Ok("the data's own: all of it tests".into());
    }
    if validates {
        for index in 0..entries.len() {
            if entries.split(index) == Split::Validation {
                entries.set_split(index, Split::Test);
            }
        }
    }
    let training: Vec<usize> = (0..entries.len())
        .filter(|&index| entries.split(index) == Split::Train)
        .collect();
    let training = training.into_iter();
    let how = cut(entries, training, settings.seed, fraction, 0.0, notices);
    let rest = match (validates, tests) {
        (true, _) => "the data's own validation tests",
        (_, true) => "the data's own test tests",
        _ => "nothing tests",
    };
    Ok(format!("{fraction} of train validates, {how}; {rest}"))
}

fn own_rule(trains: bool, tests: bool) -> String {
    match (trains, tests) {
        (true, true) => "the data's own train, validation and test".into(),
        (true, false) => "the data's own train and validation; nothing tests".into(),
        (false, true) => "the data's own validation and test; nothing trains".into(),
        (false, false) => "the data's own: all of it validates".into(),
    }
}

/// Divides the entries at `indices` and says how.
fn cut(
    entries: &mut Entries,
    indices: impl Iterator<Item = usize> + Clone,
    seed: u64,
    validation: f64,
    test: f64,
    notices: &mut Vec<Notice>,
) -> &'static str {
    let labels = indices.clone().map(|index| entries.label(index));
    let labels: Vec<usize> = labels.collect();
    let known = indices
        .clone()
        .any(|index| entries.subject(index).is_some());
    let shares = GroupedShares {
        seed,
        validation,
        test,
    };
    let by_subject = known.then(|| {
        let subjects = indices.clone().map(|index| entries.subject(index));
        let subjects: Vec<Option<u32>> = subjects.collect();
        stratified_by_subject(&subjects, &labels, shares)
    });
    let (sides, how) = match by_subject {
        Some(Some(sides)) => (
            sides,
            "by subject, with the classes balanced as far as whole people allow",
        ),
        Some(None) => {
            notices.push(Notice::warning(
                "there are too few people to put each on one side only, so pictures of one person stand on several sides and figures say nothing about new faces",
                "Add pictures of more people, or set --validation-fraction or --test-fraction to 0",
            ));
            let sides = stratified(&labels, seed, validation, test);
            (sides, "by picture, stratified by class")
        }
        None => {
            let sides = stratified(&labels, seed, validation, test);
            (sides, "stratified by class")
        }
    };
    for (index, side) in indices.zip(sides) {
        entries.set_split(index, side);
    }
    how
}

/// Says which classes a split lacks that others have.
fn missing_classes(entries: &Entries, class_names: &ClassNames) -> Vec<Notice> {
    let mut notices = Vec::new();
    for split in Split::ALL {
        let mut present = vec![false; class_names.len()];
        for (label, &own) in entries.labels().zip(entries.splits()) {
            present[label] |= own == split;
        }
        let missing: Vec<&str> = class_names
            .iter()
            .zip(&present)
            .filter(|&(_, &present)| !present)
            .map(|(name, _)| name)
            .collect();
        if missing.is_empty() || missing.len() == class_names.len() {
            continue;
        }
        let consequence = match split {
            Split::Train => "is not learnt",
            _ => "is not judged there",
        };
        let names = missing.join(", ");
        notices.push(Notice::warning(
            format!("{split} has no picture of {names}, which {consequence}"),
            "Add pictures of it, or try another --seed where the division is drawn",
        ));
    }
    notices
}

fn rounded(share: f64) -> f64 {
    (share * 1e6).round() / 1e6
}
