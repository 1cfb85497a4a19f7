//! Normalisation by a batch's own statistics, and back, out of operations that every device has.

use candle_core::{Result, Tensor};

use super::EPSILON;

/// Maps of zero mean and of about unit variance in each channel.
pub(super) struct Normalised {
    /// (pictures, channels, rows, columns).
    pub(super) values: Tensor,
    /// Of the batch, (1, channels, 1, 1).
    pub(super) mean: Tensor,
    /// Likewise, biased.
    pub(super) variance: Tensor,
    /// One over the root of the variance and epsilon.
    factor: Tensor,
    /// Numbers of a channel.
    pub(super) positions: usize,
}

impl Normalised {
    /// Of maps (pictures, channels, rows, columns) without a graph.
    pub(super) fn of(maps: &Tensor) -> Result<Self> {
        let (count, _, height, width) = maps.dims4()?;
        let positions = count * height * width;
        let mean_of = |each: &Tensor| sums(each)? / positions as f64;
        let mean = mean_of(maps)?;
        let centred = maps.broadcast_sub(&mean)?;
        let variance = mean_of(&centred.sqr()?)?;
        let factor = (&variance + EPSILON)?.sqrt()?.recip()?;
        Ok(Normalised {
            values: centred.broadcast_mul(&factor)?,
            mean,
            variance,
            factor,
            positions,
        })
    }

    /// The gradients of the maps, of the weight and of the bias, each (channels), given that of values · weight + bias:
    /// Ioffe & Szegedy 2015, section 3, with the sums over a batch taken together.
    pub(super) fn back(&self, gradient: &Tensor, weight: &Tensor) -> Result<[Tensor; 3]> {
        let of_bias = sums(gradient)?;
        let of_weight = sums(&(gradient * &self.values)?)?;
        let share = 1.0 / self.positions as f64;
        let along = self.values.broadcast_mul(&(&of_weight * share)?)?;
        let inner = (gradient.broadcast_sub(&(&of_bias * share)?)? - along)?;
        let scale = (&self.factor * weight.reshape((1, (), 1, 1))?)?;
        Ok([
            inner.broadcast_mul(&scale)?,
            of_weight.flatten_all()?,
            of_bias.flatten_all()?,
        ])
    }
}

/// The sum of each channel, (1, channels, 1, 1): picture by picture first, for a long sum in one go rounds much.
fn sums(maps: &Tensor) -> Result<Tensor> {
    let pictures = maps.flatten_from(2)?.sum(2)?;
    pictures.sum_keepdim(0)?.unsqueeze(2)?.unsqueeze(3)
}
