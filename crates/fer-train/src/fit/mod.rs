//! Training: settings, optimiser, loop, history.

mod adam;
mod average;
mod divergence;
mod early_stopping;
mod history;
mod keeper;
mod progress;
mod recovery;
mod schedule;
mod settings;
mod state;
mod trainer;
mod work;

pub use adam::Adam;
pub use average::AveragingSettings;
pub use divergence::{Divergence, DivergenceSettings, Response, Symptom};
pub use early_stopping::{EarlyStopping, Monitor};
pub use history::{EpochRecord, EpochTiming, History};
pub use keeper::{Keeper, Memory, Moment};
pub use progress::{Progress, Silent};
pub use schedule::Schedule;
pub use settings::{CheckedSettings, FitSettings};
pub use state::{Position, Record, RunState};
pub use trainer::{Ended, Fit, Trainer};
