use candle_core::{Result, bail};

use crate::ops::kernel::convolution::{Convolution, Maps};
use crate::ops::kernel::depthwise::Depthwise;

/// The shape of a [`ConvolutionBlock`](crate::ops::ConvolutionBlock).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvolutionSettings {
    /// Channels that go in, at least 1.
    pub inputs: usize,
    /// Channels that come out, at least 1.
    pub outputs: usize,
    /// Side of the window: 1 or 3 have fast kernels, any at least 1 works.
    pub kernel: usize,
    /// Step between neighbouring outputs, at least 1.
    pub stride: usize,
    /// Rows and columns of zeros around the maps, below `kernel`.
    pub padding: usize,
    /// Batch normalisation in place of a bias.
    pub norm: bool,
    /// Whether negative values become zero.
    pub relu: bool,
    /// Whether the largest of every 2×2 positions is kept; an odd last row or column falls away.
    pub pool: bool,
}

impl ConvolutionSettings {
    /// 3×3, stride 1, no padding, a bias, a ReLU, no pool: what Keras does unless told otherwise.
    pub fn valid(inputs: usize, outputs: usize) -> Self {
        ConvolutionSettings {
            inputs,
            outputs,
            kernel: 3,
            stride: 1,
            padding: 0,
            norm: false,
            relu: true,
            pool: false,
        }
    }

    /// 3×3, stride 1, padding 1, batch normalisation, a ReLU, no pool.
    pub fn normalised(inputs: usize, outputs: usize) -> Self {
        ConvolutionSettings {
            padding: 1,
            norm: true,
            ..Self::valid(inputs, outputs)
        }
    }

    /// 1×1, batch normalisation, no ReLU: what brings maps to another number of channels.
    pub fn projection(inputs: usize, outputs: usize, stride: usize) -> Self {
        ConvolutionSettings {
            kernel: 1,
            stride,
            padding: 0,
            relu: false,
            ..Self::normalised(inputs, outputs)
        }
    }

    /// Rows (or columns) of the output for maps of so many, before any pool; 0 where nothing fits.
    pub fn before_pool(&self, side: usize) -> usize {
        self.kernel_shape().output_side(side)
    }

    /// Rows (or columns) that come out for maps of so many.
    pub fn output_side(&self, side: usize) -> usize {
        self.before_pool(side) / if self.pool { 2 } else { 1 }
    }

    /// The smallest side of maps that gives any output.
    pub(crate) fn least_side(&self) -> usize {
        let before_pool = if self.pool { 2 } else { 1 };
        ((before_pool - 1) * self.stride + self.kernel)
            .saturating_sub(2 * self.padding)
            .max(1)
    }

    pub(crate) fn kernel_shape(&self) -> Convolution {
        Convolution {
            in_channels: self.inputs,
            out_channels: self.outputs,
            kernel: self.kernel,
            stride: self.stride,
            padding: self.padding,
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        let positive = [self.inputs, self.outputs, self.kernel, self.stride];
        if positive.contains(&0) || self.padding >= self.kernel {
            bail!(
                "a convolution needs channels, window and stride of at least 1 and padding below the window, got {self:?}"
            );
        }
        Ok(())
    }
}

/// The shape of a [`DepthwiseBlock`](crate::ops::DepthwiseBlock): 3×3, each channel by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DepthwiseSettings {
    /// Channels that go in and come out, at least 1.
    pub channels: usize,
    /// Step between neighbouring outputs, at least 1.
    pub stride: usize,
    /// Rows and columns of zeros around the maps, at most 2.
    pub padding: usize,
    /// Batch normalisation in place of a bias.
    pub norm: bool,
    /// Whether negative values become zero.
    pub relu: bool,
}

impl DepthwiseSettings {
    /// Padding 1, batch normalisation and a ReLU.
    pub fn normalised(channels: usize, stride: usize) -> Self {
        DepthwiseSettings {
            channels,
            stride,
            padding: 1,
            norm: true,
            relu: true,
        }
    }

    /// Rows (or columns) that come out for maps of so many.
    pub fn output_side(&self, side: usize) -> usize {
        let maps = Maps {
            batch: 1,
            height: side,
            width: side,
        };
        self.kernel_shape().after(maps).height
    }

    pub(crate) fn kernel_shape(&self) -> Depthwise {
        Depthwise {
            channels: self.channels,
            stride: self.stride,
            padding: self.padding,
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.channels == 0 || self.stride == 0 || self.padding > 2 {
            bail!(
                "a depthwise convolution needs channels and stride of at least 1 and padding of at most 2, got {self:?}"
            );
        }
        Ok(())
    }
}
