//! The operations that networks are built of: one file each.
//!
//! Each has a portable form out of candle's own operations, which every device can do, and a form for
//! the CPU by this crate's kernels; tests hold the two against each other.
//!
//! candle's own max-pooling has a wrong gradient, and its random masks cannot be seeded on the
//! CPU; what stands here has right gradients on every device, checked against finite differences.

mod engine;
pub mod kernel;
pub(crate) mod values;

mod convolution;
mod dense;
mod dropout;
mod finish;
mod flatten;
mod gated_sum;
mod max_pool;
mod mean;
pub(crate) mod norm;
mod order;
mod precision;
mod relu;
mod squeeze;
mod way_back;

mod adam;
mod average;
mod cross_entropy;
mod loss;
mod sgd;

pub use adam::{AdamForm, AdamSettings, AdamState};
pub use average::average_towards;
pub(crate) use convolution::Affine;
pub use convolution::{ConvolutionBlock, ConvolutionSettings, DepthwiseBlock, DepthwiseSettings};
pub use cross_entropy::{cross_entropy, log_probabilities};
pub use dense::Dense;
pub(crate) use dropout::dropout_mask;
pub use dropout::{Mode, dropout};
pub use engine::{Engine, EngineChoice};
pub(crate) use finish::Finish;
pub use flatten::flatten;
pub(crate) use gated_sum::gated_sum;
pub use loss::{ClassWeights, Loss, LossSettings};
pub use max_pool::max_pool;
pub use mean::global_mean;
pub use relu::relu;
pub use sgd::{SgdSettings, SgdState};
pub use squeeze::SqueezeBlock;
