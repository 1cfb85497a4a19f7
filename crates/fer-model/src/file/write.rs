use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;

use candle_core::Tensor;
use safetensors::SafeTensors;

use crate::error::{ModelError, Refusal};
use crate::file::read::bytes;
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
    let metadata = metadata(description).map_err(unwritten(path))?;
    let bytes = safetensors::serialize(weights, Some(metadata))
        .map_err(|error| unwritten(path)(io::Error::other(error)))?;
    replace(path, &bytes).map_err(unwritten(path))
}

/// Writes the model file `from` to `to` with another description, as [`replace`] does it. Its tensors
/// stay what they are, bit by bit and in their types.
///
/// # Errors
/// [`ModelError::Io`] when a file cannot be read or written, [`ModelError::Refused`] for one that is no
/// safetensors file.
pub fn rewrite(from: &Path, to: &Path, description: &Description) -> Result<(), ModelError> {
    let bytes = bytes(from)?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| ModelError::Refused {
        path: from.to_path_buf(),
        reason: Refusal::NotSafetensors(error.to_string()),
    })?;
    let metadata = metadata(description).map_err(unwritten(to))?;
    let bytes = safetensors::serialize(file.tensors(), Some(metadata))
        .map_err(|error| unwritten(to)(io::Error::other(error)))?;
    replace(to, &bytes).map_err(unwritten(to))
}

/// One key only: the header's keys come out of a hash map, in another order each time.
fn metadata(description: &Description) -> io::Result<HashMap<String, String>> {
    let json = description.to_json().map_err(io::Error::other)?;
    Ok(HashMap::from([(KEY.to_string(), json)]))
}

fn unwritten(path: &Path) -> impl Fn(io::Error) -> ModelError {
    |source| ModelError::Io {
        action: "write",
        path: path.to_path_buf(),
        source,
    }
}
