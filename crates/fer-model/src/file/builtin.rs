//! The model that this crate brings along.

use std::path::Path;

use candle_core::Device;

use crate::error::ModelError;
use crate::file::{Model, load_bytes};
use crate::ops::Engine;

/// The file of the built-in model, `assets/fer.safetensors` of the repository, for programs that pass it
/// on or take its digest.
pub const BUILTIN: &[u8] = include_bytes!("../../assets/fer.safetensors");

/// What errors call it.
const NAME: &str = "the built-in model";

/// The model that this crate brings along (feature `weights`, on by default), checked like any other
/// file. Its description says what it is and how good; its model card and its history stand beside it
/// in the repository's `assets`.
///
/// # Errors
/// A device that fails.
pub fn builtin(device: &Device, engine: Engine) -> Result<Model, ModelError> {
    load_bytes(BUILTIN, Path::new(NAME), device, engine)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the project allows itself to put into every program.
    const LARGEST: usize = 4_000_000;

    #[test]
    fn the_built_in_model_is_of_a_size_that_can_be_carried_along() {
        assert!(BUILTIN.len() <= LARGEST, "{} bytes", BUILTIN.len());
    }
}
