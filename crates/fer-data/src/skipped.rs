use std::collections::BTreeMap;

use serde::Serialize;

use crate::printable::printable;

/// One entry that a data set left out, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// The entry: a path, or a file and its row.
    pub entry: String,
    /// The kind of reason, the same words for all entries of the kind.
    pub reason: &'static str,
    /// What exactly is wrong with this one; may be empty.
    pub detail: String,
}

impl Skipped {
    pub(crate) fn new(
        entry: impl Into<String>,
        reason: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Skipped {
            entry: entry.into(),
            reason,
            detail: detail.into(),
        }
    }

    /// The entry with its reason and, where there is one, the detail, in one line.
    pub fn sentence(&self) -> String {
        let entry = printable(&self.entry);
        match self.detail.as_str() {
            "" => format!("{entry}: {}", self.reason),
            detail => format!("{entry}: {}: {}", self.reason, printable(detail)),
        }
    }

    /// Whether something is wrong with the entry, so that strictness refuses it; the others are
    /// left out by a protocol, by the user's own choice, or were never meant as pictures.
    pub fn is_unusable(&self) -> bool {
        reason::UNUSABLE.contains(&self.reason)
    }
}

/// How many entries were left out, by kind of reason, in alphabetical order of the reasons.
pub fn count_by_reason(skipped: &[Skipped]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for entry in skipped {
        *counts.entry(entry.reason).or_default() += 1;
    }
    counts
}

/// What to add to the message that nothing is left: how much was left out, and the worst of it.
pub(crate) fn first_left_out(skipped: &[Skipped]) -> String {
    let worst = skipped.iter().find(|entry| entry.is_unusable());
    let Some(first) = worst.or(skipped.first()) else {
        return String::new();
    };
    let more = match skipped.len() - 1 {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    format!("; left out: {}{more}", first.sentence())
}

/// The kinds of reasons.
pub(crate) mod reason {
    pub(crate) const MALFORMED_ROW: &str = "malformed row";
    pub(crate) const EMPTY_FILE: &str = "empty file";
    pub(crate) const NOT_A_PICTURE: &str = "named like a picture, but is none";
    pub(crate) const BROKEN_PICTURE: &str = "picture that is broken or cut short";
    pub(crate) const TOO_LARGE: &str = "picture that is too large";
    pub(crate) const UNREADABLE: &str = "file or folder that cannot be read";
    pub(crate) const NOT_A_FILE: &str = "neither file nor folder";
    pub(crate) const BROKEN_LINK: &str = "link that leads nowhere";
    pub(crate) const LOOP: &str = "link to a folder that it lies in";
    pub(crate) const TOO_DEEP: &str = "folder nested too deep";
    pub(crate) const NOT_UNICODE: &str = "name that is not Unicode where a label stands";
    pub(crate) const UNKNOWN_LABEL: &str = "unknown label";
    pub(crate) const UNKNOWN_SPLIT: &str = "unknown split";
    pub(crate) const NO_FILE: &str = "path where no file lies";
    pub(crate) const LISTED_TWICE: &str = "path that is listed twice";
    pub(crate) const EMPTY_FOLDER: &str = "folder without a picture";

    pub(crate) const HIDDEN: &str = "hidden or system file";
    pub(crate) const OTHER_FILE: &str = "file of another kind";
    pub(crate) const OUTSIDE: &str = "picture outside the folders that say what it shows";
    pub(crate) const NOT_IN_MAP: &str = "label that the label map leaves out";
    pub(crate) const COPY: &str = "exact copy of a validation or test picture";

    pub(crate) const UNUSABLE: &[&str] = &[
        MALFORMED_ROW,
        EMPTY_FILE,
        NOT_A_PICTURE,
        BROKEN_PICTURE,
        TOO_LARGE,
        UNREADABLE,
        NOT_A_FILE,
        BROKEN_LINK,
        LOOP,
        TOO_DEEP,
        NOT_UNICODE,
        UNKNOWN_LABEL,
        UNKNOWN_SPLIT,
        NO_FILE,
        LISTED_TWICE,
        EMPTY_FOLDER,
        OUTSIDE,
    ];
}
