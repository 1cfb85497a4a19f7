use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use candle_core::Tensor;

use crate::error::ModelError;
use crate::file::{Description, KEY, replace};

/// Writes weights and their description to `path`, as [`replace`] does it.
///
/// Each tensor is written in the type that it has: F32, or F16 after [`halve`](crate::file::halve).
/// The bytes depend on the arguments alone.
///
/// # Errors
/// [`ModelError::Io`] when the file cannot be written.
pub fn save(
    path: &Path,
    weights: &BTreeMap<String, Tensor>,
    description: &Description,
) -> Result<(), ModelError> {
    let json = serde_json::to_string(description).map_err(std::io::Error::other);
    let io = |source| ModelError::Io {
        action: "write",
        path: path.to_path_buf(),
        source,
    };
    // One key only: the header's keys come out of a hash map, in another order each time.
    let metadata = HashMap::from([(KEY.to_string(), json.map_err(io)?)]);
    let bytes = safetensors::serialize(weights, Some(metadata))
        .map_err(|error| io(std::io::Error::other(error)))?;
    replace(path, &bytes).map_err(io)
}
