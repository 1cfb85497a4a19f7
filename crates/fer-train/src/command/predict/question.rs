use std::path::{Path, PathBuf};

use anyhow::Result;
use fer_model::file;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::digest::{hexadecimal, sha256};

/// What decides the answers in a file: who goes on with it must ask the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    /// How many files, and the SHA-256 of their names in order.
    pub(super) files: usize,
    pub(super) names: String,
    /// The model, and what computes it.
    pub(super) model: String,
    pub(super) engine: String,
    /// How faces are looked for and how sure an answer must be.
    pub(super) settings: String,
}

/// The SHA-256 of the names.
pub(super) fn names(files: &[PathBuf]) -> String {
    let mut digest = Sha256::new();
    for file in files {
        digest.update(file.as_os_str().as_encoded_bytes());
        digest.update([0]);
    }
    hexadecimal(&digest.finalize())
}

/// The SHA-256 of a model file, or which version's built-in model it is.
pub(super) fn model(path: Option<&Path>) -> Result<String> {
    Ok(match path {
        Some(path) => sha256(file::bytes(path)?),
        None => format!("built in {}", env!("CARGO_PKG_VERSION")),
    })
}

/// How faces are looked for and how sure an answer must be.
pub(super) fn settings(detect: bool, threshold: f64) -> String {
    let faces = if detect { "looked for" } else { "given" };
    format!("faces {faces}, unsure below {threshold}")
}
