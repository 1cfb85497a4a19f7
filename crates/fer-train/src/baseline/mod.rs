//! Traditional machine learning on the splits that a network is trained and judged on, to tell what a
//! network is worth.

mod file;
mod hog;

pub use file::{
    AgainstNetwork, Baseline, Baselines, Difference, FILE, Features, Method, Regularisation, Trial,
};
pub use hog::Hog;
