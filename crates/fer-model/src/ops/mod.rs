//! The operations that networks are built of: one file each.
//!
//! candle's own max-pooling has a wrong gradient, and its random masks cannot be seeded on the
//! CPU; what stands here has right gradients on every device, checked against finite differences.

mod adam;
mod convolution;
mod cross_entropy;
mod dense;
mod dropout;
mod max_pool;

pub use adam::{AdamSettings, AdamState};
pub use convolution::Convolution;
pub use cross_entropy::{cross_entropy, log_probabilities};
pub use dense::Dense;
pub use dropout::{Mode, dropout};
pub use max_pool::max_pool;
