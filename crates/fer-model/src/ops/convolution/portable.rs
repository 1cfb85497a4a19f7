//! Convolutions out of operations that every device has.

use candle_core::{DType, Result, Tensor};

use super::{ConvolutionSettings, DepthwiseSettings};
use crate::ops::order::{channels_first, channels_last};
use crate::ops::precision::Precision;
use crate::ops::way_back::{needs_gradient, of_two};

/// (pictures, height, width, inputs) → (pictures, rows, columns, outputs).
///
/// `reversed` is u32, the places of a window from the last to the first.
pub(super) fn convolve(
    settings: &ConvolutionSettings,
    maps: &Tensor,
    weight: &Tensor,
    reversed: &Tensor,
    precision: Precision,
) -> Result<Tensor> {
    let maps = channels_first(maps)?;
    let ConvolutionSettings {
        kernel,
        stride,
        padding,
        ..
    } = *settings;
    let output = if stride == 1 && padding < kernel {
        let inputs = Convolved {
            maps: precision.operand(&maps.detach().contiguous()?)?,
            weight: precision.operand(&weight.detach())?,
            dtype: maps.dtype(),
            reversed: reversed.clone(),
            padding,
            precision,
        };
        let needed = [&maps, weight].map(needs_gradient);
        of_two([&maps, weight], inputs.forward()?, move |gradient| {
            inputs.back(&gradient.contiguous()?, needed)
        })?
    } else {
        // candle's gradient of a stride is wrong where rows and columns leave different remainders,
        // so none is left.
        let exact = exactly(&maps.contiguous()?, 2, settings)?;
        let exact = precision.operand(&exactly(&exact, 3, settings)?)?;
        let output = exact.conv2d(&precision.operand(weight)?, 0, stride, 1, 1)?;
        precision.product(&output, maps.dtype())?
    };
    channels_last(&output)
}

/// A convolution of stride 1 over maps (pictures, inputs, height, width), without a graph.
struct Convolved {
    /// As they are multiplied.
    maps: Tensor,
    weight: Tensor,
    /// Of what is given and of its gradients.
    dtype: DType,
    precision: Precision,
    reversed: Tensor,
    padding: usize,
}

impl Convolved {
    fn forward(&self) -> Result<Tensor> {
        let output = self.maps.conv2d(&self.weight, self.padding, 1, 1, 1)?;
        self.precision.product(&output, self.dtype)
    }

    /// The gradients of the maps and of the weight, as far as they are needed.
    fn back(&self, gradient: &Tensor, needed: [bool; 2]) -> Result<[Option<Tensor>; 2]> {
        let gradient = self.precision.operand(gradient)?;
        let product = |gradient: Result<Tensor>| self.precision.product(&gradient?, self.dtype);
        let [maps, weight] = needed;
        Ok([
            maps.then(|| product(self.of_maps(&gradient))).transpose()?,
            weight
                .then(|| product(self.of_weight(&gradient)))
                .transpose()?,
        ])
    }

    /// A convolution with the windows turned around, which is a product of matrices; candle's own way back, a
    /// transposed convolution, is none.
    fn of_maps(&self, gradient: &Tensor) -> Result<Tensor> {
        let (outputs, inputs, kernel, _) = self.weight.dims4()?;
        let windows = self.weight.reshape((outputs, inputs, kernel * kernel))?;
        let turned = windows.index_select(&self.reversed, 2)?;
        let turned = turned.transpose(0, 1)?.contiguous()?;
        let turned = turned.reshape((inputs, outputs, kernel, kernel))?;
        gradient.conv2d(&turned, kernel - 1 - self.padding, 1, 1, 1)
    }

    fn of_weight(&self, gradient: &Tensor) -> Result<Tensor> {
        let maps = self.maps.transpose(0, 1)?;
        let windows = maps.conv2d(&gradient.transpose(0, 1)?, self.padding, 1, 1, 1)?;
        windows.transpose(0, 1)
    }
}

/// The positions along `dim` that the windows touch, zeros of the padding among them.
fn exactly(maps: &Tensor, dim: usize, settings: &ConvolutionSettings) -> Result<Tensor> {
    let padding = settings.padding;
    let count = settings.before_pool(maps.dim(dim)?);
    let touched = (count.max(1) - 1) * settings.stride + settings.kernel;
    maps.pad_with_zeros(dim, padding, padding)?
        .narrow(dim, 0, touched)?
        .contiguous()
}

/// (pictures, height, width, channels) → (pictures, rows, columns, channels) with weights (channels,
/// 1, 3, 3): the sum of nine shifted copies, each multiplied by its weight.
pub(super) fn depthwise(
    settings: &DepthwiseSettings,
    maps: &Tensor,
    weight: &Tensor,
) -> Result<Tensor> {
    let maps = channels_first(maps)?;
    let (_, channels, height, width) = maps.dims4()?;
    let (rows, columns) = (settings.output_side(height), settings.output_side(width));
    // Room on the far side lets a stride take whole groups of positions.
    let far = settings.padding + settings.stride;
    let padded = maps
        .pad_with_zeros(2, settings.padding, far)?
        .pad_with_zeros(3, settings.padding, far)?;
    let taps = weight.reshape((1, channels, 1, 9))?;
    let mut sum: Option<Tensor> = None;
    for tap in 0..9 {
        let shifted = every(&padded, 2, tap / 3, settings.stride, rows)?;
        let shifted = every(&shifted, 3, tap % 3, settings.stride, columns)?;
        let product = shifted.broadcast_mul(&taps.narrow(3, tap, 1)?)?;
        sum = Some(match sum {
            Some(sum) => (sum + product)?,
            None => product,
        });
    }
    channels_last(&sum.map_or_else(|| maps.zeros_like(), Ok)?)
}

/// `count` positions along `dim`, from `start` in steps of `stride`.
fn every(maps: &Tensor, dim: usize, start: usize, stride: usize, count: usize) -> Result<Tensor> {
    if stride == 1 {
        return maps.narrow(dim, start, count);
    }
    let mut split = maps.dims().to_vec();
    split.splice(dim..=dim, [count, stride]);
    maps.narrow(dim, start, count * stride)?
        .contiguous()?
        .reshape(split)?
        .narrow(dim + 1, 0, 1)?
        .squeeze(dim + 1)
}
