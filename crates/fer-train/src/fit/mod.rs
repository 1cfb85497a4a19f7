//! Training: settings, optimiser, loop, history.

mod adam;
mod early_stopping;
mod history;
mod settings;
mod trainer;

pub use adam::Adam;
pub use early_stopping::{EarlyStopping, Monitor};
pub use history::{EpochRecord, History};
pub use settings::{CheckedSettings, FitSettings};
pub use trainer::{EpochTime, Fit, Progress, Silent, Trainer};
