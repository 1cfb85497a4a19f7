//! The operations that networks are built of: one file each.
//!
//! Each has a portable form out of candle's own operations, which every device can do, and a form for
//! the CPU by this crate's kernels; tests hold the two against each other.
//!
//! candle's own max-pooling has a wrong gradient, and its random masks cannot be seeded on the
//! CPU; what stands here has right gradients on every device, checked against finite differences.

mod adam;
mod convolution;
mod cross_entropy;
mod dense;
mod dropout;
pub mod kernel;
mod max_pool;
mod values;

pub use adam::{AdamSettings, AdamState};
pub use convolution::ConvolutionBlock;
pub use cross_entropy::{cross_entropy, log_probabilities};
pub use dense::Dense;
pub use dropout::{Mode, dropout};
pub use max_pool::max_pool;
