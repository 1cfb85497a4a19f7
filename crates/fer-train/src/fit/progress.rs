use crate::fit::{Divergence, EpochRecord, EpochTiming};

/// What a trainer tells while it works; nothing of it changes the result.
pub trait Progress {
    /// Epoch `epoch` (from 1) starts, or goes on, with `batches` batches to come.
    fn epoch_starts(&mut self, epoch: usize, batches: usize);
    /// A batch of `pictures` is done; loss and accuracy are the epoch's so far.
    fn batch_done(&mut self, pictures: usize, loss: f64, accuracy: f64);
    /// The epoch is done and judged; `best` when no earlier one was better.
    fn epoch_done(&mut self, record: &EpochRecord, best: bool, timing: &EpochTiming);
    /// The state could not be kept; training goes on all the same.
    fn not_kept(&mut self, error: &anyhow::Error) {
        let _ = error;
    }
    /// Training diverged and goes back to epoch `epoch` with `learning_rate`, half of what it was.
    fn rate_halved(&mut self, divergence: &Divergence, epoch: usize, learning_rate: f64) {
        let _ = (divergence, epoch, learning_rate);
    }
}

/// Tells nothing.
pub struct Silent;

impl Progress for Silent {
    fn epoch_starts(&mut self, _epoch: usize, _batches: usize) {}
    fn batch_done(&mut self, _pictures: usize, _loss: f64, _accuracy: f64) {}
    fn epoch_done(&mut self, _record: &EpochRecord, _best: bool, _timing: &EpochTiming) {}
}
