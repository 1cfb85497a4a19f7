//! What the files of a data set are.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::dataset::Dataset;
use crate::picture::PictureFacts;

/// What the files of a data set are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Files {
    /// Files by width and height in pixels, as `48×48`, upright.
    pub sizes: BTreeMap<String, usize>,
    /// Files by colours and bits, as `rgb 8-bit`.
    pub modes: BTreeMap<String, usize>,
    /// Files by format, told by content.
    pub formats: BTreeMap<String, usize>,
}

/// Counts the files by size, mode and format.
pub(super) fn of(dataset: &Dataset) -> Option<Files> {
    let facts = &dataset.description().facts;
    if facts.is_empty() {
        return None;
    }
    let mut files = Files {
        sizes: BTreeMap::new(),
        modes: BTreeMap::new(),
        formats: BTreeMap::new(),
    };
    let mut counts: HashMap<PictureFacts, usize> = HashMap::new();
    for index in 0..dataset.len() {
        *counts.entry(facts[dataset.position(index)]).or_default() += 1;
    }
    for (fact, count) in counts {
        let size = format!("{}×{}", fact.width, fact.height);
        *files.sizes.entry(size).or_default() += count;
        *files.modes.entry(fact.mode.to_string()).or_default() += count;
        let format = fact.format.name().to_string();
        *files.formats.entry(format).or_default() += count;
    }
    Some(files)
}
