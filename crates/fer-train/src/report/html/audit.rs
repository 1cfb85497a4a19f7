//! What `audit.json` says of the data, as far as a report shows it.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};

/// The part of [`fer_data::audit::Audit`] that a report shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct AuditView {
    pub(super) name: String,
    /// Absent where an earlier version wrote it, as the next.
    #[serde(default)]
    pub(super) data_hash: Option<String>,
    #[serde(default)]
    pub(super) division_hash: Option<String>,
    split_rule: String,
    pictures: usize,
    splits: Sides,
    classes: Vec<Class>,
    #[serde(deserialize_with = "length")]
    subjects: usize,
    groups: Vec<Group>,
    copies: Copies,
    near_copies: Option<NearCopies>,
    #[serde(deserialize_with = "length")]
    flat: usize,
    #[serde(deserialize_with = "length")]
    nearly_black: usize,
    skipped_by_reason: BTreeMap<String, usize>,
    notes: Vec<Notice>,
    warnings: Vec<Notice>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Sides {
    train: usize,
    validation: usize,
    test: usize,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Class {
    name: String,
    pictures: Sides,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Group {
    name: String,
    values: BTreeMap<String, usize>,
    unknown: usize,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Copies {
    within: Sides,
    validation_in_train: usize,
    test_in_train: usize,
    test_in_validation: usize,
    groups: usize,
    #[serde(deserialize_with = "length")]
    conflicting: usize,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct NearCopies {
    within: usize,
    across: usize,
    conflicting: usize,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Notice {
    message: String,
    remedy: String,
}

fn length<'de, D: Deserializer<'de>>(list: D) -> Result<usize, D::Error> {
    Ok(Vec::<IgnoredAny>::deserialize(list)?.len())
}

impl AuditView {
    /// The same with the folder of the data, which is a matter of the machine, taken from the front of
    /// every path that a notice names.
    pub(super) fn without_folder(mut self, folder: &str) -> Self {
        if folder.is_empty() {
            return self;
        }
        let folder = format!("{}/", folder.trim_end_matches('/'));
        for notice in self.notes.iter_mut().chain(&mut self.warnings) {
            notice.message = notice.message.replace(&folder, "");
        }
        self
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_inspect_writes_is_read_and_folders_are_left_out() {
        let settings = fer_data::OpenSettings::default();
        let faces = fer_data::open("drawn".as_ref(), &settings).unwrap();
        let mut written = serde_json::to_value(fer_data::audit(&faces).unwrap()).unwrap();
        written["warnings"] = serde_json::json!([
            { "level": "warning", "message": "of /home/ada/faces/a.png and /home/b", "remedy": "" }
        ]);
        let read: AuditView = serde_json::from_value(written).unwrap();
        assert_eq!(read.pictures, faces.len());
        assert!(read.subjects > 0 && read.classes.len() == 8);
        let read = read.without_folder("/home/ada/faces");
        assert_eq!(read.warnings[0].message, "of a.png and /home/b");
    }
}
