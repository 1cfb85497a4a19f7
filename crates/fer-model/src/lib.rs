//! Networks for facial expressions in candle, their files, and prediction.
//!
//! ```no_run
//! use fer_model::{Classifier, Device};
//!
//! let classifier = Classifier::load("model.safetensors".as_ref(), &Device::Cpu)?;
//! let prediction = classifier.predict(&classifier.open_picture("face.png".as_ref())?)?;
//! println!("{} ({:.0} %)", prediction.class_name(), 100.0 * prediction.probability());
//! # Ok::<(), fer_model::ModelError>(())
//! ```
//!
//! An [`Architecture`] builds a [`Network`] out of [`ops`] with the variables of [`Parameters`]. A
//! trained network is saved with its [`Description`](file::Description) as one safetensors
//! [file](mod@file), which a [`Classifier`] loads, checks and asks.
//!
//! # Which device computes?
//!
//! Any candle [`Device`]. [`DeviceChoice`] reads what a user typed (`auto`, `cuda:1`) and says why
//! it took the one it took.
//!
//! # How do I build a network of my own?
//!
//! [`Stack`] puts blocks one after the other and knows the shape after each. What it builds trains,
//! predicts and lists its layers like the networks of this crate.
//!
//! # Why is it fast on a CPU?
//!
//! The [operations](ops) run on kernels for AVX-512, AVX2 and plain Rust, chosen at run time
//! ([`Engine`](ops::Engine)); a [`Plan`] predicts without a graph, over few buffers that are used
//! again; a [`Tape`] trains so, and hands candle one operation from pictures to logits.
//!
//! # What is in a model file?
//!
//! The weights, with stable names, in PyTorch's layout, and under the metadata key `fer` a JSON
//! description: architecture, class names in order, preprocessing, training data and seed, how good
//! it was found, the [temperature](file::Calibration) that its logits are divided by, [how
//! sure](file::Abstention) it must be to keep a risk, and a self-test. Weights are F32, F16 or BF16; [`file::halve`] rounds them. A file that does not fit is
//! refused with the [`Refusal`].
//!
//! # Do I need a file at all?
//!
//! `Classifier::embedded` predicts with the model that this crate brings along.
//!
//! # Where does it look?
//!
//! [`explain`] has occlusion sensitivity and Grad-CAM for any network that a [`Stack`] builds.
//!
//! # How do other programs load it?
//!
//! The model file is read by PyTorch as it is (`examples/python/`); with the feature `onnx` the module
//! `export` writes a network as an ONNX file.
//!
//! # Can I train from my own candle program?
//!
//! ```
//! use candle_core::{Device, Tensor};
//! use fer_model::ops::{AdamSettings, AdamState, Engine, Mode, cross_entropy};
//! use fer_model::{Architecture, Network, Parameters};
//!
//! let parameters = Parameters::new(7, &Device::Cpu);
//! let engine = Engine::detect();
//! let network = Architecture::named("cnn")?.build(3, engine, parameters.builder())?;
//! let pictures = Tensor::full(0.5f32, (2, 1, 48, 48), &Device::Cpu)?;
//! let targets = Tensor::new(&[[1f32, 0.0, 0.0], [0.0, 0.5, 0.5]], &Device::Cpu)?;
//!
//! let logits = network.forward(&pictures, Mode::Train { seed: 7, step: 0 })?;
//! let gradients = cross_entropy(&logits, &targets, engine)?.backward()?;
//! for (name, var) in parameters.trainable() {
//!     let gradient = gradients.get(&var).ok_or(name)?;
//!     AdamState::new(&var, engine)?.step(&var, gradient, 1e-3, 1, &AdamSettings::default())?;
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! `weights` (default): the built-in model, at most 4 MB. `onnx`: the module `export`. `cuda`, `cudnn`, `metal`, `accelerate`,
//! `mkl`: candle's, by the same names.

pub mod ops;

mod arch;
mod parameters;
mod plan;
mod summary;
mod tape;

mod device;
mod error;
mod input;

mod agreement;
mod classifier;
pub mod explain;
#[cfg(feature = "onnx")]
pub mod export;
pub mod file;

pub use agreement::Agreement;
pub use arch::{
    Architecture, CnnSettings, Layer, MobileSettings, Network, ResNetSettings, ResVggSettings,
    ResidualSettings, Sequential, Shape, Stack, VggSettings,
};
pub use classifier::{Classifier, Prediction, most_probable};
pub use device::{DeviceChoice, SelectedDevice};
pub use error::{ModelError, Refusal};
pub use input::{batch_to_tensors, pictures_to_tensor};
pub use parameters::{Parameters, glorot_uniform, he_uniform};
pub use plan::Plan;
pub use summary::{layer_table, thousands};
pub use tape::Tape;

pub use candle_core::Device;
pub use fer_data::{ClassNames, Expression, Picture, Resize};
