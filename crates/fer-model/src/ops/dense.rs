use candle_core::{Result, Tensor};
use candle_nn::VarBuilder;

use crate::parameters::glorot_uniform;

/// A fully connected layer with a bias.
#[derive(Clone, Debug)]
pub struct Dense {
    weight: Tensor,
    bias: Tensor,
}

impl Dense {
    /// Takes `weight` of shape (outputs, inputs), Glorot uniform, and `bias` of shape (outputs),
    /// zero, from the builder.
    ///
    /// # Errors
    /// A stored tensor that is missing or has another shape.
    pub fn new(inputs: usize, outputs: usize, builder: VarBuilder<'_>) -> Result<Self> {
        let init = glorot_uniform(inputs, outputs);
        Ok(Dense {
            weight: builder.get_with_hints((outputs, inputs), "weight", init)?,
            bias: builder.get_with_hints(outputs, "bias", candle_nn::init::ZERO)?,
        })
    }

    /// (rows, inputs) → (rows, outputs).
    ///
    /// # Errors
    /// Rows of another length.
    pub fn forward(&self, rows: &Tensor) -> Result<Tensor> {
        rows.matmul(&self.weight.t()?)?.broadcast_add(&self.bias)
    }
}
