use serde::{Deserialize, Serialize};

/// The figures of one epoch; one row of `history.csv`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Counted from 1.
    pub epoch: usize,
    /// Mean loss over the epoch's batches while training, in nats, dropout and augmentation on.
    pub train_loss: f64,
    /// Share right while training, 0 to 1.
    pub train_accuracy: f64,
    /// Loss on the validation pictures after the epoch; absent without such pictures.
    pub validation_loss: Option<f64>,
    /// Share right on the validation pictures after the epoch, 0 to 1.
    pub validation_accuracy: Option<f64>,
    /// The learning rate of the epoch's last batch.
    pub learning_rate: f64,
}

/// The epochs of a run, in order.
pub type History = Vec<EpochRecord>;

/// How long an epoch took; one row of `timing.csv`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochTiming {
    /// Counted from 1.
    pub epoch: usize,
    /// Judging included. Of an epoch in which the run was stopped and resumed: since then.
    pub seconds: f64,
    /// Pictures trained on in that time, by the second.
    pub pictures_per_second: f64,
    /// The share of the training steps in which the network waited for pictures, 0 to 1.
    pub waiting_share: f64,
}
