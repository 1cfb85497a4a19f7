use candle_core::{Result, Tensor};
use candle_nn::VarBuilder;

use crate::parameters::glorot_uniform;

/// A 3×3 convolution of stride 1 without padding, with a bias.
#[derive(Clone, Debug)]
pub struct Convolution {
    weight: Tensor,
    bias: Tensor,
}

impl Convolution {
    /// Pixels along each side of the window.
    pub const WINDOW: usize = 3;

    /// Takes `weight` of shape (outputs, inputs, 3, 3), Glorot uniform, and `bias` of shape
    /// (outputs), zero, from the builder.
    ///
    /// # Errors
    /// A stored tensor that is missing or has another shape.
    pub fn new(inputs: usize, outputs: usize, builder: VarBuilder<'_>) -> Result<Self> {
        let window = Self::WINDOW * Self::WINDOW;
        let init = glorot_uniform(inputs * window, outputs * window);
        let shape = (outputs, inputs, Self::WINDOW, Self::WINDOW);
        Ok(Convolution {
            weight: builder.get_with_hints(shape, "weight", init)?,
            bias: builder.get_with_hints(outputs, "bias", candle_nn::init::ZERO)?,
        })
    }

    /// (pictures, inputs, height, width) → (pictures, outputs, height − 2, width − 2).
    ///
    /// # Errors
    /// Channels that do not fit, or a picture smaller than the window.
    pub fn forward(&self, pictures: &Tensor) -> Result<Tensor> {
        let bias = self.bias.reshape((1, (), 1, 1))?;
        pictures
            .conv2d(&self.weight, 0, 1, 1, 1)?
            .broadcast_add(&bias)
    }
}
