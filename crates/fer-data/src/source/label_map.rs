use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::expression::Expression;
use crate::regular::read_regular;

/// The largest label map, in bytes, that is read.
const MOST_BYTES: u64 = 1 << 20;

/// What a user says that the labels of their data mean: TOML, one `"0" = "happy"` a line.
#[derive(Clone, Debug)]
pub(crate) struct LabelMap {
    path: PathBuf,
    names: BTreeMap<String, String>,
}

impl LabelMap {
    /// Reads the map at `path`. Where every meaning is a spelling of one of the eight
    /// expressions, the meanings take their canonical names.
    pub(crate) fn read(path: &Path) -> Result<Self, DataError> {
        let read = |source| DataError::Read {
            path: path.to_path_buf(),
            source,
        };
        let refuse = |reason: String| DataError::LabelMap {
            path: path.to_path_buf(),
            reason,
        };
        let bytes = read_regular(path, MOST_BYTES).map_err(read)?;
        let text = String::from_utf8(bytes).map_err(|error| refuse(error.to_string()))?;
        let table: BTreeMap<String, toml::Value> =
            toml::from_str(&text).map_err(|error| refuse(broken(&text, &error)))?;
        let mut names = BTreeMap::new();
        for (label, meaning) in table {
            match meaning {
                toml::Value::String(name) if !name.trim().is_empty() => {
                    names.insert(label, name.trim().to_string());
                }
                other => {
                    return Err(refuse(format!(
                        "`{label}` is {other}, expected the name of a class in quotes"
                    )));
                }
            }
        }
        if names.is_empty() {
            return Err(refuse("it maps no label".into()));
        }
        Ok(LabelMap {
            path: path.to_path_buf(),
            names: canonical(names),
        })
    }

    /// What `label` means: as it stands, else whatever its letter case.
    pub(crate) fn meaning(&self, label: &str) -> Option<&str> {
        let exact = self.names.get(label).map(String::as_str);
        exact.or_else(|| {
            let lower = label.to_lowercase();
            let mut others = self.names.iter();
            let other = others.find(|(own, _)| own.to_lowercase() == lower);
            other.map(|(_, meaning)| meaning.as_str())
        })
    }

    /// The labels that it gives a meaning to.
    pub(crate) fn labels(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }

    /// Checks that it means any of the labels that there are.
    pub(crate) fn check(&self, labels: &BTreeSet<&str>) -> Result<(), DataError> {
        if labels.iter().any(|label| self.meaning(label).is_some()) {
            return Ok(());
        }
        let own: Vec<&str> = self.labels().collect();
        let found: Vec<&str> = labels.iter().copied().collect();
        Err(DataError::LabelMap {
            path: self.path.clone(),
            reason: format!(
                "it maps {}, and none of these is a label of the data: {}",
                crate::notice::listed(&own, 10),
                crate::notice::listed(&found, 10)
            ),
        })
    }
}

/// What is wrong with the text, and where.
fn broken(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map_or(1, |before| before.matches('\n').count() + 1);
    format!("line {line}: {}", error.message())
}

fn canonical(names: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let expressions: Option<BTreeMap<String, String>> = names
        .iter()
        .map(|(label, meaning)| {
            let expression = meaning.parse::<Expression>().ok()?;
            Some((label.clone(), expression.name().to_string()))
        })
        .collect();
    expressions.unwrap_or(names)
}
