//! Training: settings, optimiser, loop, history.

mod average;
mod divergence;
mod early_stopping;
mod gradient;
mod history;
mod judging;
mod keeper;
mod keeping;
mod optimiser;
mod plateau;
mod progress;
mod recovery;
mod reduction;
mod schedule;
mod settings;
mod state;
mod step;
mod together;
mod trainer;
mod work;

pub use average::AveragingSettings;
pub use divergence::{Divergence, DivergenceSettings, Response, Symptom};
pub use early_stopping::{EarlyStopping, Monitor};
pub use gradient::{Gathering, clip_norm, global_norm, steps_until};
pub use history::{EpochRecord, EpochTiming, History};
pub use keeper::{Keeper, Memory, Moment};
pub use optimiser::{Optimiser, OptimiserKind, UpdateRule};
pub use plateau::{PlateauSettings, ReduceOnPlateau};
pub use progress::{Progress, Silent};
pub use schedule::Schedule;
pub use settings::{CheckedSettings, FitSettings};
pub use state::{Position, Record, RunState};
pub use trainer::{Ended, Fit, Trainer};
