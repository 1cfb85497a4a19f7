//! A network for other programs: as an ONNX file (feature `onnx`).
//!
//! ```no_run
//! use fer_model::{Device, export, file, ops::Engine};
//!
//! let model = file::builtin(&Device::Cpu, Engine::detect())?;
//! let bytes = export::onnx(&model)?;
//! file::replace("fer.onnx".as_ref(), &bytes)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What goes in and what comes out
//!
//! | name | type | shape | what |
//! |---|---|---|---|
//! | `pictures` | uint8 | (batch, 1, 48, 48) | grey values as they stand in a picture, 0 to 255; the graph divides them by 255 |
//! | `logits` | float32 | (batch, classes) | what [`Model::logits`](crate::file::Model::logits) gives |
//! | `probabilities` | float32 | (batch, classes) | their softmax, after they were divided by the model's [temperature](crate::file::Calibration) |
//!
//! Pictures are whole numbers because a runtime refuses anything else by name: to hand over values from
//! 0 to 1, the commonest mistake, is an error and not a wrong answer. `batch` may be any number.
//!
//! # What the file says of itself
//!
//! Its `metadata_props` hold `classes` (a JSON list in the order of the outputs), `preprocessing` (in
//! words: grey from colours, size, range), `temperature`, and `fer`, the [`Description`] of the model
//! file as JSON. It holds no date, path or host: the same model gives the same bytes.
//!
//! # What it is made of
//!
//! Operators of opset 17 (ONNX 1.12, July 2022) alone: `Cast`, `Div`, `Conv`, `Relu`, `MaxPool`, `Add`,
//! `Mul`, `Sigmoid`, `GlobalAveragePool`, `Flatten`, `Gemm`, `Softmax`, for a model that answers by two
//! [views](crate::Views) `Gather`, `Concat` and `Split`, and by ten `Reshape`, `ReduceMean` and
//! `Transpose` too. Every batch normalisation is folded into the convolution before it, dropout is left
//! out, weights are float32 also where the model file has 16 bits. Tensors and nodes carry the names of
//! the model file's tensors: `residual1.conv1.weight`, `residual1.conv1/Conv`.
//!
//! [`Description`]: crate::file::Description

mod description;
mod error;
mod graph;
mod layers;
mod message;
mod views;

pub use description::OnnxDescription;
pub use error::ExportError;

use prost::Message;

use crate::arch::Sequential;
use crate::file::Model;
use message::{ModelProto, OperatorSetIdProto, StringStringEntryProto};

/// The version of the operators that are used.
pub const OPSET: i64 = 17;

/// The version of the format, the one that came with [`OPSET`].
const IR_VERSION: i64 = 8;

/// The most bytes that protobuf, and so ONNX in one file, can hold.
const LARGEST: usize = i32::MAX as usize;

/// A model as an ONNX file.
///
/// # Errors
/// [`ExportError::TooLarge`]; weights that are not on the CPU.
pub fn onnx(model: &Model) -> Result<Vec<u8>, ExportError> {
    onnx_network(&model.network, &OnnxDescription::of(&model.description)?)
}

/// A network of one's own as an ONNX file. It takes uint8 of (batch, channels, rows, columns), which the
/// graph divides by 255, as [`pictures_to_tensor`](crate::pictures_to_tensor) does.
///
/// ```
/// use fer_model::export::{OnnxDescription, onnx_network};
/// use fer_model::ops::{ConvolutionSettings, Engine};
/// use fer_model::{ClassNames, Device, Parameters, Stack};
///
/// let parameters = Parameters::new(7, &Device::Cpu);
/// let network = Stack::new([1, 48, 48], Engine::detect(), parameters.builder())
///     .convolution("conv", ConvolutionSettings::normalised(1, 16))?
///     .global_mean()?
///     .dense("head", 2, false)?
///     .finish()?;
/// let description = OnnxDescription::new("blink", ClassNames::new(["awake", "asleep"])?);
/// let bytes = onnx_network(&network, &description)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`onnx`]; class names or a temperature that do not fit.
pub fn onnx_network(
    network: &Sequential,
    description: &OnnxDescription,
) -> Result<Vec<u8>, ExportError> {
    description.check(network.outputs())?;
    let model = ModelProto {
        ir_version: IR_VERSION,
        opset_import: vec![OperatorSetIdProto {
            domain: String::new(),
            version: OPSET,
        }],
        producer_name: env!("CARGO_PKG_NAME").into(),
        producer_version: env!("CARGO_PKG_VERSION").into(),
        doc_string: description.text.clone(),
        graph: Some(layers::graph(network, description)?),
        metadata_props: properties(description),
    };
    check_size(model.encoded_len())?;
    Ok(model.encode_to_vec())
}

fn properties(description: &OnnxDescription) -> Vec<StringStringEntryProto> {
    let entries = description.entries().into_iter();
    entries
        .map(|(key, value)| StringStringEntryProto { key, value })
        .collect()
}

fn check_size(bytes: usize) -> Result<(), ExportError> {
    if bytes > LARGEST {
        return Err(ExportError::TooLarge {
            bytes,
            largest: LARGEST,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
