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
    /// The learning rate of the epoch.
    pub learning_rate: f64,
}

/// The epochs of a run, in order.
pub type History = Vec<EpochRecord>;
