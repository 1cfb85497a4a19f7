use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use fer_data::read_regular;
use safetensors::SafeTensors;
use serde::Deserialize;

use crate::arch::{Architecture, Network, Sequential};
use crate::error::{ModelError, Refusal};
use crate::file::half::{is_finite, widen};
use crate::file::self_test::CheckError;
use crate::file::{Description, KEY, Preprocessing};
use crate::ops::Engine;
use crate::parameters::{self, Shapes};
use crate::plan::Plan;
use crate::views::answering;

/// The longest file, in bytes, that is taken for a model.
const MOST_BYTES: u64 = 1 << 30;

/// A network as it came out of its file.
pub struct Model {
    /// What the file says of it.
    pub description: Description,
    /// The network, ready to predict as it is, from one view: [`answering`](Self::answering) has all. No
    /// gradients are recorded.
    pub network: Sequential,
    /// Its weights by name, on the CPU, in 32 bits when they come from a file.
    pub weights: BTreeMap<String, Tensor>,
}

impl Model {
    /// The network as it answers: by the [views](crate::Views) that the file asks for.
    ///
    /// # Errors
    /// Weights that cannot be read.
    pub fn answering(&self) -> candle_core::Result<Box<dyn Network + '_>> {
        answering(&self.network, self.description.preprocessing.views)
    }

    /// What [`answering`](Self::answering) says of pictures, f32 of shape (pictures, 1, 48, 48) on the
    /// network's device: logits, f32 of shape (pictures, classes), before any temperature. `plan` is one of
    /// this network, which is kept where it answers again and again.
    ///
    /// # Errors
    /// Pictures of another shape or on another device.
    pub fn logits(&self, plan: Option<&Plan>, pictures: &Tensor) -> candle_core::Result<Tensor> {
        let alone = |pictures: &Tensor| Plan::logits(plan, &self.network, pictures);
        self.description.preprocessing.views.mean(pictures, alone)
    }
}

/// Reads a model file and checks it: description, tensors, values and self-test.
///
/// # Errors
/// [`ModelError::Io`], or [`ModelError::Refused`] with the [`Refusal`].
pub fn load(path: &Path, device: &Device, engine: Engine) -> Result<Model, ModelError> {
    load_bytes(&bytes(path)?, path, device, engine)
}

/// The bytes of a model file, at most 1 GiB, unchecked.
///
/// # Errors
/// [`ModelError::Io`], also for a longer file and for pipes and devices, which may never end.
pub fn bytes(path: &Path) -> Result<Vec<u8>, ModelError> {
    read_regular(path, MOST_BYTES).map_err(|source| ModelError::Io {
        action: "read",
        path: path.to_path_buf(),
        source,
    })
}

/// As [`load`], from the bytes of a model file, which errors call `name`.
///
/// # Errors
/// [`ModelError::Refused`] with the [`Refusal`].
pub fn load_bytes(
    bytes: &[u8],
    name: &Path,
    device: &Device,
    engine: Engine,
) -> Result<Model, ModelError> {
    parse(bytes, device, engine).map_err(|error| match error {
        CheckError::Refused(reason) => ModelError::Refused {
            path: name.to_path_buf(),
            reason,
        },
        CheckError::Model(error) => error,
    })
}

/// Builds a network with these weights, which records no gradients; weights of 16 bits are widened.
///
/// # Errors
/// Weights that are missing or of another shape, or a device that fails.
pub fn network(
    architecture: &Architecture,
    classes: usize,
    weights: &BTreeMap<String, Tensor>,
    device: &Device,
    engine: Engine,
) -> Result<Sequential, ModelError> {
    let builder = parameters::fixed(&widen(weights)?, device)?;
    architecture.build(classes, engine, builder)
}

fn parse(bytes: &[u8], device: &Device, engine: Engine) -> Result<Model, CheckError> {
    let description = describe(bytes).map_err(CheckError::Refused)?;
    let weights = tensors(bytes).map_err(CheckError::Refused)?;
    compare(&description, &weights).map_err(CheckError::Refused)?;
    let (architecture, classes) = (&description.architecture, &description.classes);
    let network = network(architecture, classes.len(), &weights, device, engine)
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
        views: description.preprocessing.views,
        ..Preprocessing::default()
    };
    if description.preprocessing != known {
        let reason = format!(
            "preprocessing {:?} is not known here",
            description.preprocessing
        );
        return Err(Refusal::Description(reason));
    }
    let calibration = description.calibration.as_ref();
    if let Some(unusable) = calibration.filter(|calibration| !calibration.is_usable()) {
        return Err(Refusal::Description(format!(
            "temperature {} is out of range: expected 0.01 to 100",
            unusable.temperature
        )));
    }
    let abstention = description.abstention.as_ref();
    if abstention.is_some_and(|abstention| !abstention.is_usable()) {
        let reason = "its steps of abstaining are not shares in falling risk and coverage";
        return Err(Refusal::Description(reason.into()));
    }
    Ok(description)
}

fn tensors(bytes: &[u8]) -> Result<BTreeMap<String, Tensor>, Refusal> {
    let file = SafeTensors::deserialize(bytes)
        .map_err(|error| Refusal::NotSafetensors(error.to_string()))?;
    let mut weights = BTreeMap::new();
    for (name, view) in file.tensors() {
        let dtype = match view.dtype() {
            safetensors::Dtype::F32 => DType::F32,
            safetensors::Dtype::F16 => DType::F16,
            safetensors::Dtype::BF16 => DType::BF16,
            other => {
                return Err(Refusal::Tensors(format!(
                    "{name} is {other:?}, expected F32, F16 or BF16"
                )));
            }
        };
        let unreadable = |error| Refusal::Tensors(format!("{name}: {error}"));
        let tensor = Tensor::from_raw_buffer(view.data(), dtype, view.shape(), &Device::Cpu)
            .and_then(|tensor| tensor.to_dtype(DType::F32))
            .map_err(unreadable)?;
        if !is_finite(&tensor).map_err(unreadable)? {
            return Err(Refusal::NotFinite(name));
        }
        weights.insert(name, tensor);
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
