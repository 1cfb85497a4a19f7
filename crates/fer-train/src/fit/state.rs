use std::collections::BTreeMap;
use std::fmt;

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

use crate::fit::{EarlyStopping, EpochTiming, History, ReduceOnPlateau};
use crate::metrics::Metrics;

/// A place in a run: between two batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The epoch at work, from 1; the one after the last when all are done.
    pub epoch: usize,
    /// Batches of that epoch that are done.
    pub batch: usize,
    /// Batches that are done in all epochs together; the number of the next one draws its dropout.
    pub step: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { epoch, batch, step } = self;
        match batch {
            0 => write!(formatter, "the start of epoch {epoch}, step {step}"),
            _ => write!(formatter, "epoch {epoch}, batch {batch}, step {step}"),
        }
    }
}

/// All that a run has become apart from its tensors.
///
/// Random streams need no state of their own: each follows from the seed, its name and the
/// [`Position`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// How far it is.
    pub position: Position,
    /// How often the learning rate was halved after training diverged.
    pub halvings: u32,
    /// What the batches of the epoch at work gave so far.
    pub trained: Metrics,
    /// What is known of the monitored figure.
    pub watch: EarlyStopping,
    /// What is known of the figure that may lower the learning rate, where one may.
    #[serde(default)]
    pub plateau: Option<ReduceOnPlateau>,
    /// The best epoch so far, from 1.
    pub best_epoch: Option<usize>,
    /// The epochs that are done.
    pub history: History,
}

/// Where a run is: with the settings and the data, all that it takes to go on to the same bits.
#[derive(Clone, Debug)]
pub struct RunState {
    /// Everything but the tensors.
    pub record: Record,
    /// What the network holds, by name, on the CPU.
    pub weights: BTreeMap<String, Tensor>,
    /// What the optimiser remembers, by name, on the CPU.
    pub optimiser: BTreeMap<String, Tensor>,
    /// The moving average of the weights, where one is kept, by name, on the CPU.
    pub average: Option<BTreeMap<String, Tensor>>,
    /// The weights of the best epoch, or their average, once there is one.
    pub best: Option<BTreeMap<String, Tensor>>,
    /// How long the epochs took. Clock readings: they are not part of a checkpoint.
    pub timings: Vec<EpochTiming>,
}

impl RunState {
    /// The first tensor that holds a value that is not finite, by name.
    ///
    /// # Errors
    /// None for tensors on the CPU.
    pub fn not_finite(&self) -> Result<Option<&str>> {
        for (name, tensor) in self.weights.iter().chain(&self.optimiser) {
            // A sum is not finite if any of its parts is not.
            let sum = tensor.abs()?.sum_all()?.to_scalar::<f32>()?;
            if !sum.is_finite() {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }
}
