use candle_core::{D, Result, Tensor};

/// Logarithms of the softmax: logits (rows, classes) → log-probabilities (rows, classes).
///
/// # Errors
/// A tensor without a last dimension.
pub fn log_probabilities(logits: &Tensor) -> Result<Tensor> {
    candle_nn::ops::log_softmax(logits, D::Minus1)
}

/// Categorical cross-entropy from logits, averaged over the rows: a scalar in nats.
///
/// `logits` and `targets` are (rows, classes); each row of `targets` is a distribution, one-hot or
/// soft. The loss is −Σ target · log softmax(logits) over the classes, as Keras's
/// `CategoricalCrossentropy(from_logits=True)` has it.
///
/// # Errors
/// Shapes that differ.
pub fn cross_entropy(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    let rows = logits.dim(0)? as f64;
    (targets * log_probabilities(logits)?)?.sum_all()? / -rows
}
