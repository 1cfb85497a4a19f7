//! The model file: one safetensors file that describes itself.

mod description;
mod read;
mod replace;
mod self_test;
mod write;

pub use description::{Description, Preprocessing, TrainingSummary};
pub use read::{Model, load};
pub use replace::{partial, replace};
pub use self_test::SelfTest;
pub use write::save;

/// The metadata key under which the description stands, as JSON.
const KEY: &str = "fer";
