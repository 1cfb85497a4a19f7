use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What a run begins with in place of drawn weights.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InitSettings {
    /// A model file, or the word `builtin` for the model that comes along. Network and way of
    /// resizing are that model's; views are the run's own, `output.views`.
    pub model: PathBuf,
    /// SHA-256 of that file, in hexadecimal: a file with another is refused. A run writes down the one
    /// that it found. Default absent: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The tensors that training leaves as they are: names, such as `conv1.weight`; beginnings of names
    /// up to a dot, such as `conv1`; or patterns with `*` for any letters and dots, such as `conv*`.
    /// Default none.
    pub freeze: Vec<String>,
}

impl InitSettings {
    /// The word for the model that comes along.
    pub const BUILTIN: &str = "builtin";

    /// Whether it is the model that comes along.
    pub fn is_builtin(&self) -> bool {
        self.model.as_os_str() == Self::BUILTIN
    }
}
