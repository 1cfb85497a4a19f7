use std::fmt;

use fer_data::DataError;
use serde::{Deserialize, Serialize};

use crate::fit::Position;

/// Pictures of a batch that a message names; the rest are counted.
const NAMED: usize = 8;

/// When training counts as diverged, and what is done then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DivergenceSettings {
    /// Mean loss of a batch, in nats, above which training has diverged; above 0. A loss that is
    /// not finite always counts. Default 1000.
    pub largest_loss: f64,
    /// What is done. Default `stop`.
    pub response: Response,
    /// How often the rate may be halved in one run. Default 5.
    pub most_halvings: u32,
}

/// What is done when training has diverged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Response {
    /// It stops with an error.
    #[default]
    Stop,
    /// It goes back to the start of the epoch and halves the learning rate from there on.
    HalveRate,
}

impl Default for DivergenceSettings {
    fn default() -> Self {
        DivergenceSettings {
            largest_loss: 1000.0,
            response: Response::Stop,
            most_halvings: 5,
        }
    }
}

impl DivergenceSettings {
    pub(crate) fn check(&self) -> Result<(), DataError> {
        if self.largest_loss > 0.0 {
            return Ok(());
        }
        Err(DataError::Setting {
            name: "training.divergence.largest_loss",
            value: self.largest_loss.to_string(),
            expected: "above 0",
        })
    }
}

/// What showed that training has diverged.
#[derive(Clone, Debug, PartialEq)]
pub enum Symptom {
    /// The mean loss of the batch, NaN where it has none.
    Loss(f64),
    /// A tensor of the network or the optimiser that is not finite after the batch.
    Tensor(String),
    /// The network's answers on validation are not finite after the batch.
    Validation,
}

/// Training has diverged: figures that are not finite, or a loss beyond all bounds.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub struct Divergence {
    /// What showed it.
    pub symptom: Symptom,
    /// The batch at work: its epoch, its number in the epoch and its step, all from 1.
    pub position: Position,
    /// The learning rate of the batch.
    pub learning_rate: f64,
    /// The pictures of the batch: their files, or their rows of a file.
    pub pictures: Vec<String>,
    /// The last good state that was kept, if one was.
    pub last_good: Option<String>,
}

impl fmt::Display for Divergence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { epoch, batch, step } = self.position;
        match &self.symptom {
            Symptom::Loss(loss) => write!(formatter, "training has diverged: the loss is {loss}")?,
            Symptom::Tensor(name) => {
                write!(formatter, "training has diverged: {name} is not finite")?
            }
            Symptom::Validation => write!(
                formatter,
                "training has diverged: the answers on validation are not finite"
            )?,
        }
        write!(
            formatter,
            " at epoch {epoch}, batch {batch}, step {step}, learning rate {}; the batch: {}",
            self.learning_rate,
            self.pictures[..self.pictures.len().min(NAMED)].join(", ")
        )?;
        if self.pictures.len() > NAMED {
            write!(formatter, " and {} more", self.pictures.len() - NAMED)?;
        }
        match &self.last_good {
            Some(state) => write!(formatter, "; the last good checkpoint: {state}"),
            None => write!(formatter, "; no checkpoint was written before"),
        }
    }
}
