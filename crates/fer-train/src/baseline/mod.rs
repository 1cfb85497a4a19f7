//! Traditional machine learning on the splits that a network is trained and judged on, to tell what a
//! network is worth.
//!
//! [`Task`] trains and judges every method: the class that is most frequent ([`majority_class`]),
//! multinomial [`LogisticRegression`] on pixels and on histograms of oriented gradients ([`Hog`]), and a
//! [`LinearSvm`] on these. The training pictures alone give the [`Standardisation`] of the features
//! and the weights, validation chooses C, and what comes out is [`Baselines`], in a run directory
//! beside the figures of the network, which [`Task::compare`] sets it against.
//!
//! Classes are taken as frequent as they are, and pictures with votes by their label. The same bits
//! come out on any number of threads.

mod comparison;
mod features;
mod file;
mod hog;
mod linear_model;
mod linear_svm;
mod logistic_regression;
mod majority_class;
mod selection;
mod standardisation;
mod task;

pub use features::FeatureMatrix;
pub use file::{
    AgainstNetwork, Baseline, Baselines, FILE, Features, Method, NetworkDifference, NetworkFigures,
    Regularisation, Trial,
};
pub use hog::Hog;
pub use linear_model::LinearModel;
pub use linear_svm::{LinearSvm, SvmSettings};
pub use logistic_regression::{LogisticRegression, LogisticSettings};
pub use majority_class::majority_class;
pub use selection::Fitted;
pub use standardisation::Standardisation;
pub use task::Task;
