//! Tests that span the crates: one binary, because candle links slowly.

#![expect(clippy::unwrap_used, reason = "tests")]

// Batches that step together: as larger ones, and stopped anywhere.
mod accumulation;

// Histograms of oriented gradients and linear methods against scikit-image and scikit-learn.
mod baseline;

// The model that comes along: what it says of itself, and whether that is so.
mod built_in;

// The temperature and the calibration error against scipy and numpy.
mod calibration;

// Networks that teach others.
mod distillation;

// Where a network looks: the methods where the answer is known, and on faces whose regions are.
mod explanations;

// Beginning with a trained model, parts of it frozen.
mod fine_tuning;

// Reading fer2013.csv and FER+ votes: what is understood, what is refused, what is counted.
mod fer2013;

// Every engine against the portable form, over random shapes and random networks.
mod engines;

// What tests and the scripts in oracle/ both begin with.
mod formula;

// The gradient of every operation against finite differences.
mod gradients;

// Our data in candle's own hands.
mod hub;

// Our networks in the hands of other programs.
mod interop;

// The network against Keras, given the same weights.
mod keras;

// The metrics against scikit-learn.
mod metrics;

// The model file: what comes back, and what is refused.
mod model_file;

// Model files from strangers.
mod strange_models;

// The drawn faces: no toy, and learnable by people not seen.
mod drawn_faces;

// Calibration, risk, votes and doubted labels against scikit-learn, scipy, numpy and cleanlab.
mod probabilities;

// Several who train together.
mod parallel;

// What is in the packages of the crates.
mod packages;

// What other programs do: a classifier in their threads, their own networks, their own training.
mod programs;

// Fifty training steps against PyTorch, from the same weights.
mod pytorch;

// Gradient descent, clipping, the falling rate and the losses against PyTorch.
mod recipe;

// What must not lie in this repository.
mod repository;

// Intervals and tests against statsmodels, scipy and scikit-learn.
mod statistics;

// Training: same seed same bytes, stopping, choosing.
mod training;
