use std::collections::BTreeMap;

/// One entry that a data set left out, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The entry: a path, or a file and its row.
    pub entry: String,
    /// The kind of reason, the same words for all entries of the kind.
    pub reason: &'static str,
    /// What exactly is wrong with this one; may be empty.
    pub detail: String,
}

/// How many entries were left out, by kind of reason, in alphabetical order of the reasons.
pub fn count_by_reason(skipped: &[Skipped]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for entry in skipped {
        *counts.entry(entry.reason).or_default() += 1;
    }
    counts
}
