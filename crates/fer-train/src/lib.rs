//! Trains networks for facial expressions and judges them honestly; the library behind the command
//! `fer-train`.
//!
//! ```
//! use fer_data::{OpenSettings, Split, open};
//! use fer_model::ops::Engine;
//! use fer_model::{Architecture, Device, Parameters};
//! use fer_train::evaluation::evaluate;
//! use fer_train::fit::{FitSettings, Silent, Trainer};
//!
//! # fn main() -> anyhow::Result<()> {
//! # if false { // trains for a minute
//! let dataset = open("drawn".as_ref(), &OpenSettings::default())?;
//! let device = Device::Cpu;
//! let parameters = Parameters::new(7, &device);
//! let network = Architecture::named("cnn")?;
//! let classes = dataset.class_names().len();
//! let network = network.build(classes, Engine::detect(), parameters.builder())?;
//! let settings = FitSettings { epochs: 10, ..FitSettings::default() }.check()?;
//! let trainer = Trainer {
//!     network: &network,
//!     teachers: None,
//!     parameters: &parameters,
//!     dataset: &dataset,
//!     settings: &settings,
//!     device: &device,
//! };
//! let fit = trainer.run(&mut Silent)?;
//! let judged = evaluate(&network, &dataset, dataset.indices(Split::Test), &device)?;
//! println!("epoch {}: {:.1} %", fit.epoch, 100.0 * judged.metrics.accuracy());
//! # }
//! # Ok(())
//! # }
//! ```
//!
//! A [`Trainer`](fit::Trainer) takes a network, its variables, a data set and settings that were checked,
//! and keeps the best epoch on validation. [`evaluation`] asks the network about many pictures, [`metrics`]
//! turns the answers into figures that agree with scikit-learn's.
//!
//! # How do I train on classes of my own, from a trained model?
//!
//! [`initial`] begins with a model file or the built-in model, draws a new last layer where the classes are
//! others, and freezes tensors by name; the example `fine_tune` is the whole program.
//!
//! ```
//! use fer_data::ClassNames;
//! use fer_model::Device;
//! use fer_train::initial::{InitSettings, Initial};
//!
//! # fn main() -> anyhow::Result<()> {
//! # if cfg!(feature = "weights") {
//! let initial = Initial::open(&InitSettings {
//!     model: InitSettings::BUILTIN.into(),
//!     freeze: vec!["conv*".into()],
//!     ..InitSettings::default()
//! })?;
//! let classes = ClassNames::new(["grin", "scowl", "gape"])?;
//! let transfer = initial.transfer(initial.architecture(), &classes)?;
//! let parameters = transfer.parameters(7, &Device::Cpu)?;
//! assert!(parameters.is_frozen("conv1.weight"));
//! # }
//! # Ok(())
//! # }
//! ```
//!
//! # How does a network learn from others?
//!
//! [`distillation`] makes the answers of trained models a part of the training targets;
//! [`Trainer::teachers`](fit::Trainer::teachers) takes them.
//!
//! # Which settings?
//!
//! [`FitSettings`](fit::FitSettings) are those of training, with the source document's as defaults;
//! [`recipe`] holds configurations that are better, [`config`] a run's whole configuration as TOML.
//!
//! # How sure are the figures, and the network?
//!
//! [`statistics`] has intervals and tests, [`calibration`] finds the temperature of a network's answers,
//! [`abstention`] how sure they must be to keep a risk.
//!
//! # What is hard for it, and where does it look?
//!
//! [`predictions`] lists the answers picture by picture, [`hard`] tells what is hard, [`insight`] where a
//! network looks, [`robustness`] how it does in the dark or behind a mask. `baseline` trains what a network
//! must beat.
//!
//! # How does a run go on after a stop?
//!
//! [`Trainer::run_from`](fit::Trainer::run_from) takes a [`RunState`](fit::RunState) and hands states to a
//! [`Keeper`](fit::Keeper); what comes out has the same bits as if nothing had happened. [`run`] is the
//! directory that a run leaves, [`checkpoint`] what lies there for this.
//!
//! # How do several processes train together?
//!
//! [`Trainer::run_with`](fit::Trainer::run_with) trains with the members of a
//! [`Group`](parallel::Group): threads, or with the feature `mpi` processes on one machine or on many.
//!
//! # Features
//!
//! `cli` (default): the command line. `serve` (default): the page in a browser. `weights` (default): the built-in model. `figures`: the figures
//! and the model card of a run. `baseline`: traditional machine learning. `hub` (default): data sets in
//! candle's own kind. `parquet`, of which `hub` makes use: data in Parquet files, and predictions written into
//! them. `mpi`: several processes. `cuda`, `cudnn`, `metal`, `accelerate`, `mkl`: candle's. With
//! `default-features = false` this is the training library alone: no argument parsing, no plots.

pub mod config;
pub mod recipe;

pub mod abstention;
pub mod calibration;
mod digest;
pub mod distillation;
pub mod evaluation;
pub mod fit;
mod formula;
pub mod initial;
pub mod metrics;
pub mod predictions;
pub mod statistics;
mod unread;

pub mod hard;
pub mod insight;
pub mod robustness;

pub mod checkpoint;
pub mod run;

pub mod parallel;

#[cfg(feature = "baseline")]
pub mod baseline;
#[cfg(feature = "figures")]
pub mod figures;
#[cfg(feature = "figures")]
pub mod report;

#[cfg(feature = "cli")]
mod answer;
#[cfg(feature = "cli")]
pub mod command;
#[cfg(feature = "serve")]
pub mod serve;
