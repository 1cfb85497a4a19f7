//! Networks for facial expressions in candle, their files, and prediction.
//!
//! ```no_run
//! use fer_model::Classifier;
//!
//! let classifier = Classifier::builtin()?;
//! let prediction = classifier.predict(&classifier.open_picture("face.png")?)?;
//! println!("{} ({:.0} %)", prediction.class_name(), 100.0 * prediction.probability());
//! # Ok::<(), fer_model::ModelError>(())
//! ```
//!
//! A [`Classifier`] predicts pictures of faces: with the model that this crate brings along, or with one
//! that `fer-train` left. Below it, an [`Architecture`] builds a [`Network`] out of [`ops`] with the
//! variables of [`Parameters`], and a trained network is saved with its
//! [`Description`](file::Description) as one safetensors [file](mod@file).
//!
//! What a face shows is not what a person feels: a class is an apparent expression and nothing more.
//!
//! # How do I predict my own pictures?
//!
//! [`Classifier::builtin`] needs nothing; [`Classifier::load`] takes a model file. Pictures come as
//! files, as encoded bytes, as [`image::DynamicImage`] or as a tensor, one or many: the table at
//! [`Classifier`] says what asks about which. All become 48×48 grey values in the way that the network
//! learned from. The crates [`image`] and [`candle_core`] stand here again, so that yours are of the same
//! version.
//!
//! ```
//! use fer_model::Classifier;
//! use fer_model::image::{DynamicImage, GrayImage};
//!
//! let classifier = Classifier::builtin()?;
//! let camera = DynamicImage::from(GrayImage::from_pixel(96, 96, [128].into()));
//! let pictures = vec![classifier.picture_of(&camera)?; 3];
//! for prediction in classifier.predict_many(&pictures)? {
//!     println!("{:?}", prediction.iter().collect::<Vec<_>>());
//! }
//! # Ok::<(), fer_model::ModelError>(())
//! ```
//!
//! The pictures are cropped to one face. In a photograph `fer_data::face` (feature `detect` of
//! `fer-data`) finds the faces and cuts each out: `photograph.crop(&face, classifier.resize())` is a
//! picture for [`Classifier::predict`].
//!
//! # How sure is it, and may it abstain?
//!
//! Probabilities are calibrated where the model file has a [temperature](file::Calibration).
//! [`Classifier::at_risk`] gives the threshold that kept the share of wrong answers below a wanted one,
//! and [`Prediction::answer`] is `None` below it.
//!
//! # Can many threads share it?
//!
//! Yes. A [`Classifier`] is `Send` and `Sync`, predicts behind a shared reference and gives the same bits
//! on any number of threads. Nothing is global: two classifiers know nothing of each other. They share
//! what threads have anyway, rayon's pool and each thread's scratch memory.
//!
//! # What goes wrong, and how do I tell?
//!
//! Everything that reads from outside gives a [`ModelError`]: [`ModelError::Io`] and
//! [`ModelError::Refused`] for model files, [`ModelError::Data`] for pictures, [`ModelError::Pictures`]
//! for tensors, [`ModelError::Device`] for devices; the message names the thing, what was expected and
//! what was found. Panics are for mistakes in a program and stand in the documentation.
//!
//! # Which device computes?
//!
//! Any candle [`Device`]; [`Classifier::builtin`] takes the CPU, [`Classifier::builtin_on`] yours.
//! [`DeviceChoice`] reads what a user typed (`auto`, `cuda:1`) and says why it took the one it took. Its
//! CUDA devices have one stream for all threads, and whoever asks for one again gets the same; candle's
//! `Device::new_cuda` gives each thread its own and orders nothing between them, so stay on one thread with such a
//! one.
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
//! description: architecture, class names in order, preprocessing, over how many [views](Views) of a
//! picture it answers, training data and seed, how good it was found, the [temperature](file::Calibration)
//! that its logits are divided by, [how sure](file::Abstention) it must be to keep a risk, and a
//! self-test. Weights are F32, F16 or BF16; [`file::halve`] rounds them. A file that does not fit is refused with the [`Refusal`].
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
//! # How do I build a network of my own?
//!
//! [`Stack`] puts blocks one after the other and knows the shape after each. What it builds trains,
//! predicts and lists its layers like the networks of this crate: see the example `own_network`.
//!
//! # Can I train from my own candle program?
//!
//! The variables are candle's own, by name, and so is the graph; the example `train` has the whole loop.
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
//! Schedules, checkpoints, metrics and reports are `fer-train`'s, which is a library too.
//!
//! # Features
//!
//! `weights` (default): the built-in model, at most 4 MB. `onnx`: the module `export`. `cuda`, `cudnn`,
//! `metal`, `accelerate`, `mkl`: candle's, by the same names.

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
mod prediction;
mod views;

pub use agreement::Agreement;
pub use arch::{
    Architecture, CnnSettings, Layer, MobileSettings, Network, ResNetSettings, ResVggSettings,
    ResidualSettings, Sequential, Shape, Stack, VggSettings,
};
pub use classifier::Classifier;
pub use device::{DeviceChoice, SelectedDevice};
pub use error::{ModelError, Refusal};
pub use input::{batch_to_tensors, pictures_to_tensor};
pub use parameters::{Parameters, glorot_uniform, he_uniform};
pub use plan::Plan;
pub use prediction::{Prediction, most_probable};
pub use summary::{layer_table, thousands};
pub use tape::{Exchange, Tape};
pub use views::{Viewed, Views, answering};

pub use candle_core::{self, Device};
pub use fer_data::{ClassNames, Expression, Picture, Resize};
pub use image;

/// The README's program is compiled with the tests.
#[cfg(all(doctest, feature = "weights"))]
#[doc = include_str!("../README.md")]
struct Readme;
