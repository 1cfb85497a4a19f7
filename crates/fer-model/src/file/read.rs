use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use safetensors::SafeTensors;
use serde::Deserialize;

use crate::arch::Sequential;
use crate::error::{ModelError, Refusal};
use crate::file::self_test::CheckError;
use crate::file::{Description, KEY, Preprocessing};
use crate::ops::Engine;
use crate::parameters::{self, Shapes};

/// A network as it came out of its file.
pub struct Model {
    /// What the file says of it.
    pub description: Description,
    /// The network, ready to predict; no gradients are recorded.
    pub network: Sequential,
    /// Its weights by name, on the CPU.
    pub weights: BTreeMap<String, Tensor>,
}

/// Reads a model file and checks it: description, tensors, values and self-test.
///
/// # Errors
/// [`ModelError::Io`], or [`ModelError::Refused`] with the [`Refusal`].
pub fn load(path: &Path, device: &Device, engine: Engine) -> Result<Model, ModelError> {
    let bytes = fs::read(path).map_err(|source| ModelError::Io {
        action: "read",
        path: path.to_path_buf(),
        source,
    })?;
    parse(&bytes, device, engine).map_err(|error| match error {
        CheckError::Refused(reason) => ModelError::Refused {
            path: path.to_path_buf(),
            reason,
        },
        CheckError::Model(error) => error,
    })
}

fn parse(bytes: &[u8], device: &Device, engine: Engine) -> Result<Model, CheckError> {
    let description = describe(bytes).map_err(CheckError::Refused)?;
    let weights = tensors(bytes).map_err(CheckError::Refused)?;
    compare(&description, &weights).map_err(CheckError::Refused)?;
    let builder =
        parameters::fixed(&weights, device).map_err(|error| CheckError::Model(error.into()))?;
    let network = description
        .architecture
        .build(description.classes.len(), engine, builder)
        .map_err(CheckError::Model)?;
    description.self_test.check(&network, device)?;
    Ok(Model {
        description,
        network,
        weights,
    })
}

/// The part of a description that tells whether the rest can be read.
#[derive(Deserialize)]
struct Version {
    format: u32,
    library: String,
}

fn describe(bytes: &[u8]) -> Result<Description, Refusal> {
    let (_, header) = SafeTensors::read_metadata(bytes)
        .map_err(|error| Refusal::NotSafetensors(error.to_string()))?;
    let text = header
        .metadata()
        .as_ref()
        .and_then(|metadata| metadata.get(KEY))
        .ok_or(Refusal::Foreign)?;
    let unreadable = |error: serde_json::Error| Refusal::Description(error.to_string());
    let version: Version = serde_json::from_str(text).map_err(unreadable)?;
    if version.format != Description::FORMAT {
        return Err(Refusal::Format {
            found: version.format,
            supported: Description::FORMAT,
            library: version.library,
        });
    }
    let description: Description = serde_json::from_str(text).map_err(unreadable)?;
    let known = Preprocessing {
        resize: description.preprocessing.resize,
        ..Preprocessing::default()
    };
    if description.preprocessing != known {
        let reason = format!(
            "preprocessing {:?} is not known here",
            description.preprocessing
        );
        return Err(Refusal::Description(reason));
    }
    Ok(description)
}

fn tensors(bytes: &[u8]) -> Result<BTreeMap<String, Tensor>, Refusal> {
    let file = SafeTensors::deserialize(bytes)
        .map_err(|error| Refusal::NotSafetensors(error.to_string()))?;
    let mut weights = BTreeMap::new();
    for (name, view) in file.tensors() {
        if view.dtype() != safetensors::Dtype::F32 {
            return Err(Refusal::Tensors(format!(
                "{name} is {:?}, expected F32",
                view.dtype()
            )));
        }
        let values: Vec<f32> = view
            .data()
            .as_chunks()
            .0
            .iter()
            .map(|&bytes| f32::from_le_bytes(bytes))
            .collect();
        if values.iter().any(|value| !value.is_finite()) {
            return Err(Refusal::NotFinite(name));
        }
        let tensor = Tensor::from_vec(values, view.shape(), &Device::Cpu);
        weights.insert(
            name.clone(),
            tensor.map_err(|error| Refusal::Tensors(format!("{name}: {error}")))?,
        );
    }
    Ok(weights)
}

/// Compares names and shapes with those that the architecture asks for.
fn compare(description: &Description, weights: &BTreeMap<String, Tensor>) -> Result<(), Refusal> {
    let shapes = Shapes::default();
    let built = description.architecture.build(
        description.classes.len(),
        Engine::Portable,
        shapes.builder(),
    );
    built.map_err(|error| Refusal::Description(error.to_string()))?;
    let expected = shapes.named();
    for (name, shape) in &expected {
        match weights.get(name) {
            None => return Err(Refusal::Tensors(format!("{name} is missing"))),
            Some(found) if found.dims() != shape => {
                return Err(Refusal::Tensors(format!(
                    "{name} has shape {:?}, expected {shape:?}",
                    found.dims()
                )));
            }
            Some(found) => debug_assert_eq!(found.dtype(), DType::F32),
        }
    }
    match weights.keys().find(|name| !expected.contains_key(*name)) {
        Some(name) => Err(Refusal::Tensors(format!("{name} belongs to no layer"))),
        None => Ok(()),
    }
}
