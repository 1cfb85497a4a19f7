use serde::Serialize;

use crate::printable::printable;

/// How much a [`Notice`] matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth knowing: how the data were understood.
    Note,
    /// Something that spoils what is learnt or measured, unless it is mended.
    Warning,
}

/// Something that a person should be told about how a data set was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// How much it matters.
    pub level: Level,
    /// What was seen, in whole sentences.
    pub message: String,
    /// The flag or step that changes it; empty where nothing needs to be done.
    pub remedy: String,
}

impl Notice {
    pub(crate) fn note(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Notice {
            level: Level::Note,
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    pub(crate) fn warning(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Notice {
            level: Level::Warning,
            message: message.into(),
            remedy: remedy.into(),
        }
    }
}

/// The first few of `names`, and how many more there are.
pub(crate) fn listed<N: AsRef<str>>(names: &[N], most: usize) -> String {
    let names_shown = names.iter().take(most);
    let shown: Vec<_> = names_shown.map(|name| printable(name.as_ref())).collect();
    match names.len().saturating_sub(most) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// How many there are of a kind, and the first few of them.
#[derive(Debug, Default)]
pub(crate) struct Examples {
    pub(crate) count: usize,
    shown: Vec<String>,
}

impl Examples {
    /// The most that are shown.
    const MOST: usize = 3;

    /// Counts one more; `name` is what it is called, should it be shown.
    pub(crate) fn push(&mut self, name: impl FnOnce() -> String) {
        self.count += 1;
        if self.shown.len() < Self::MOST {
            self.shown.push(name());
        }
    }

    /// The first few, and how many more there are.
    pub(crate) fn listed(&self) -> String {
        let shown = self.shown.join(", ");
        match self.count - self.shown.len() {
            0 => shown,
            more => format!("{shown} and {more} more"),
        }
    }
}

/// `1 picture`, `2 pictures`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}
