//! The model file: one safetensors file that describes itself.

mod abstention;
#[cfg(feature = "weights")]
mod builtin;
mod calibration;
mod description;
mod half;
mod read;
mod replace;
mod self_test;
mod write;

pub use abstention::{Abstention, AbstentionOrigin, AbstentionStep};
#[cfg(feature = "weights")]
pub use builtin::{BUILTIN, builtin};
pub use calibration::{Calibration, TemperatureOrigin};
pub use description::{
    Description, Distillation, InitialModel, Judged, Preprocessing, TeacherModel, TrainingSummary,
};
pub use half::{WeightFormat, halve};
pub use read::{Model, bytes, load, load_bytes, network};
pub use replace::{partial, replace, replace_with};
pub use self_test::SelfTest;
pub use write::{rewrite, save};

/// The metadata key under which the description stands, as JSON.
const KEY: &str = "fer";
