use candle_core::Result;

/// Adds numbers up over all who train a network together, each on a part of the batch.
///
/// A [`Tape`](crate::Tape) that has one normalises by the statistics of the whole batch, in the forward
/// and in the backward pass.
pub trait Exchange: Send + Sync {
    /// Replaces each of `values` by its sum over all the parts, the same bits everywhere. All call it
    /// equally often, in the same order, with as many values.
    ///
    /// # Errors
    /// Another that is gone.
    fn sum(&self, values: &mut [f64]) -> Result<()>;
}
