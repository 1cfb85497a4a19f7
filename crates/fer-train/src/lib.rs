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
//!     smaller: Default::default(),
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
//! [`fit`] holds the training: [`FitSettings`](fit::FitSettings) and its
//! [`Trainer`](fit::Trainer), which keeps the best epoch on validation. [`evaluation`] asks a
//! network about many pictures; [`calibration`] finds the temperature of its answers, [`abstention`] how
//! sure they must be; [`metrics`] turns the answers into figures that agree with scikit-learn's,
//! [`statistics`] says how sure these are, [`predictions`] lists the answers picture by picture, [`hard`]
//! tells what is hard, [`insight`] where a network looks. [`config`] is a run's whole
//! configuration, [`recipe`] holds those that come with the program, [`run`] the directory that it
//! leaves,
//! and [`checkpoint`] what lies there so that a run can go on after any stop. `baseline` trains what a
//! network must beat.
//!
//! # Features
//!
//! `cli` (default): the command line. `serve` (default): the page in a browser. `weights` (default): the built-in model. `figures`: the figures
//! and the model card of a run. `baseline`: traditional machine learning. `hub` (default): data sets in
//! candle's own kind. `cuda`, `cudnn`, `metal`, `accelerate`, `mkl`: candle's. With
//! `default-features = false` this is the training library alone: no argument parsing, no plots.

pub mod config;
pub mod recipe;

pub mod abstention;
pub mod calibration;
pub mod evaluation;
pub mod fit;
pub mod metrics;
pub mod predictions;
pub mod statistics;

pub mod hard;
pub mod insight;
pub mod robustness;

pub mod checkpoint;
pub mod run;

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
