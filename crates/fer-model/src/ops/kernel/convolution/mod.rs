//! Convolutions over maps laid out (picture, row, column, channel).

mod bands;
mod direct;
mod input_gradient;
mod method;
mod pooled_input_gradient;
mod pooled_weight_gradient;
mod shallow;
mod sparse_sum;
#[cfg(test)]
pub(crate) mod tests;
mod weight_gradient;

pub use bands::Epilogue;
pub(crate) use bands::{Band, Bands};
pub use method::{
    BackwardWeights, ForwardWeights, Method, forward, input_gradient, weight_gradient,
};
pub use pooled_input_gradient::{SparseWeights, pooled_input_gradient};
pub use pooled_weight_gradient::pooled_weight_gradient;
pub(crate) use weight_gradient::{add_in_order, chunks_of, unpack};

/// A square convolution without dilation or groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convolution {
    /// Channels of the input, at least 1.
    pub in_channels: usize,
    /// Channels of the output, at least 1.
    pub out_channels: usize,
    /// Side of the kernel, at least 1.
    pub kernel: usize,
    /// Step between neighbouring outputs, at least 1.
    pub stride: usize,
    /// Rows and columns of zeros around the input, below `kernel`.
    pub padding: usize,
}

impl Convolution {
    /// The side of the output maps for input maps of side `side`; 0 where nothing fits.
    pub fn output_side(&self, side: usize) -> usize {
        (side + 2 * self.padding)
            .checked_sub(self.kernel)
            .map_or(0, |left| left / self.stride + 1)
    }

    /// How many weights there are: `out_channels * in_channels * kernel * kernel`.
    pub fn weights(&self) -> usize {
        self.out_channels * self.depth()
    }

    /// Whether each output sees one position of the input, the one at its own place.
    pub(crate) fn is_pointwise(&self) -> bool {
        self.kernel == 1 && self.stride == 1
    }

    /// Products in one output: `in_channels * kernel * kernel`.
    pub(crate) fn depth(&self) -> usize {
        self.in_channels * self.kernel * self.kernel
    }
}

/// A batch of input maps: `batch` pictures of `height` by `width` positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Maps {
    /// Pictures.
    pub batch: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl Maps {
    /// Positions in all the pictures.
    pub fn positions(&self) -> usize {
        self.batch * self.height * self.width
    }

    /// The same positions as one row a picture.
    pub(crate) fn in_a_row(&self) -> Self {
        Self {
            batch: self.batch,
            height: 1,
            width: self.height * self.width,
        }
    }

    /// The maps that `convolution` makes of these.
    pub fn after(&self, convolution: &Convolution) -> Self {
        Self {
            batch: self.batch,
            height: convolution.output_side(self.height),
            width: convolution.output_side(self.width),
        }
    }

    /// The maps that a 2×2 max-pool makes of these: an odd row or column falls away.
    pub fn pooled(&self) -> Self {
        Self {
            batch: self.batch,
            height: self.height / 2,
            width: self.width / 2,
        }
    }
}

/// Panics unless a buffer has the length that its shape asks for.
#[track_caller]
pub(crate) fn check_len(what: &str, got: usize, expected: usize) {
    assert!(
        got == expected,
        "{what}: expected {expected} numbers, got {got}"
    );
}

/// `Some` of consecutive parts of `len` of a slice, or as many `None`s.
pub(crate) fn parts_of<T>(
    slice: Option<&mut [T]>,
    len: usize,
    count: usize,
) -> Vec<Option<&mut [T]>> {
    match slice {
        Some(slice) if len > 0 => slice.chunks_mut(len).map(Some).collect(),
        _ => (0..count).map(|_| None).collect(),
    }
}
