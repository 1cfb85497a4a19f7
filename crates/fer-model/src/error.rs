use std::path::PathBuf;

use fer_data::{ClassNames, DataError, printable, printable_path};

/// What can go wrong with a network, its device or its file: one variant per cause.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// candle could not do an operation.
    #[error("tensor operation failed: {0}")]
    Tensor(#[from] candle_core::Error),
    /// A picture could not be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A tensor is none of pictures.
    #[error(
        "pictures are F32 of shape [pictures, 1, 48, 48] with values from 0, black, to 1, white (grey bytes divided by 255); got {found}"
    )]
    Pictures {
        /// Its type and shape, or the value out of range.
        found: String,
    },
    /// The device that was asked for explicitly cannot be used.
    #[error("device {device} cannot be used: {reason}")]
    Device {
        /// As it was asked for.
        device: String,
        /// Why not.
        reason: String,
    },
    /// A word names no device.
    #[error("`{0}` names no device; auto, cpu, cuda, cuda:N, metal and metal:N do")]
    UnknownDevice(String),
    /// The instructions that were asked for explicitly are not those of this machine.
    #[error(
        "engine {0} cannot be used: this machine does not have its instructions; auto takes the best that it has"
    )]
    Engine(&'static str),
    /// A word names no engine.
    #[error("`{0}` names no engine; {known} do", known = crate::ops::EngineChoice::NAMES.join(", "))]
    UnknownEngine(String),
    /// A word names no architecture.
    #[error("`{0}` names no architecture; known: {known}", known = crate::arch::Architecture::NAMES.join(", "))]
    UnknownArchitecture(String),
    /// A setting of an architecture is outside its range.
    #[error("{name} = {value} is out of range: {expected}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// What is allowed.
        expected: &'static str,
    },
    /// A file could not be read or written.
    #[error("cannot {action} {}: {source}", printable_path(path))]
    Io {
        /// `read` or `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system answered.
        source: std::io::Error,
    },
    /// A file is no usable model of this library.
    #[error("{} is refused as a model: {reason}", printable_path(path))]
    Refused {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: Refusal,
    },
    /// A model does not tell how sure it must be to keep a risk.
    #[error(
        "the model does not say how sure it must be to be wrong no more often than wanted; a run with at least 20 validation pictures measures it, and `fer-train calibrate` adds it to a model file"
    )]
    NoAbstention,
    /// A model was never as seldom wrong as wanted.
    #[error(
        "no threshold kept the share of wrong answers at {wanted}: the lowest that {pictures} validation pictures show is {least:.4}"
    )]
    Risk {
        /// The share of wrong answers that was asked for.
        wanted: f64,
        /// The lowest that was reached.
        least: f64,
        /// How many pictures were counted.
        pictures: usize,
    },
    /// A model's classes and those of the data differ.
    #[error("the model's classes are `{model}`, the data's are `{data}`{hint}")]
    Classes {
        /// The model's.
        model: ClassNames,
        /// The data's.
        data: ClassNames,
        /// What mends it, where that is known; else empty.
        hint: &'static str,
    },
}

/// Why a file is refused as a model.
#[derive(Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The bytes are no safetensors file, or not all of one.
    #[error("it is no whole safetensors file ({})", printable(_0))]
    NotSafetensors(String),
    /// A safetensors file of some other program.
    #[error(
        "it is a safetensors file without the description that this library writes (metadata key `fer`)"
    )]
    Foreign,
    /// The description cannot be read.
    #[error("its description cannot be read: {}", printable(_0))]
    Description(String),
    /// Written by another version of the format.
    #[error(
        "it has format {found}, this library reads format {supported}; use the version that wrote it: {}",
        printable(library)
    )]
    Format {
        /// Format of the file.
        found: u32,
        /// Format that is read here.
        supported: u32,
        /// The library that wrote the file, as it names itself.
        library: String,
    },
    /// The tensors are not those of the architecture.
    #[error("its tensors do not fit its architecture: {}", printable(_0))]
    Tensors(String),
    /// A weight is not a number.
    #[error("tensor {} holds a value that is not finite", printable(_0))]
    NotFinite(String),
    /// The network does not answer what it answered when it was saved.
    #[error("its self-test fails: logit {index} is {found}, {expected} when it was saved")]
    SelfTest {
        /// The class.
        index: usize,
        /// The logit now.
        found: f32,
        /// The logit then.
        expected: f32,
    },
}
