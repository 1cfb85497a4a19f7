//! Convolutions out of operations that every device has.

use candle_core::{Result, Tensor};

use super::{ConvolutionSettings, DepthwiseSettings};

/// (pictures, height, width, inputs) → (pictures, rows, columns, outputs).
pub(super) fn convolve(
    settings: &ConvolutionSettings,
    maps: &Tensor,
    weight: &Tensor,
) -> Result<Tensor> {
    let channels_first = maps.permute((0, 3, 1, 2))?.contiguous()?;
    let ConvolutionSettings {
        stride, padding, ..
    } = *settings;
    let output = if stride == 1 {
        channels_first.conv2d(weight, padding, 1, 1, 1)?
    } else {
        // candle's gradient of a stride is wrong where rows and columns leave different remainders,
        // so none is left.
        let exact = exactly(&channels_first, 2, settings)?;
        exactly(&exact, 3, settings)?.conv2d(weight, 0, stride, 1, 1)?
    };
    output.permute((0, 2, 3, 1))
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
    let (_, height, width, channels) = maps.dims4()?;
    let (rows, columns) = (settings.output_side(height), settings.output_side(width));
    // Room on the far side lets a stride take whole groups of positions.
    let far = settings.padding + settings.stride;
    let padded = maps
        .pad_with_zeros(1, settings.padding, far)?
        .pad_with_zeros(2, settings.padding, far)?;
    let taps = weight.reshape((channels, 9))?.t()?.contiguous()?;
    let mut sum: Option<Tensor> = None;
    for tap in 0..9 {
        let shifted = every(&padded, 1, tap / 3, settings.stride, rows)?;
        let shifted = every(&shifted, 2, tap % 3, settings.stride, columns)?;
        let product = shifted.broadcast_mul(&taps.narrow(0, tap, 1)?)?;
        sum = Some(match sum {
            Some(sum) => (sum + product)?,
            None => product,
        });
    }
    sum.map_or_else(|| maps.zeros_like(), Ok)
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
