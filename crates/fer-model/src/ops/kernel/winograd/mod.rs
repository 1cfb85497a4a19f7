//! Winograd's convolution F(4×4, 3×3) (Lavin & Gray 2016): a tile of 4×4 outputs of a 3×3
//! convolution costs 36 products in place of 144.
//!
//! Input tiles of 6×6, weights and output tiles go through linear transforms; in between stand 36
//! matrix products over the channels, one for every place in the tile. The transforms' constants
//! cost accuracy: the error stays below [`ERROR_BOUND`] times the largest output.

mod forward;
#[cfg(test)]
mod tests;
mod transform;
mod weight_gradient;
mod weights;

pub(crate) use forward::forward;
pub(crate) use weight_gradient::weight_gradient;
pub(crate) use weights::WinogradWeights;

use super::convolution::{Convolution, Maps};

/// Outputs along the side of a tile.
const TILE: usize = 4;
/// Inputs along the side of a tile.
const PATCH: usize = TILE + 2;
/// Matrix products: places in a tile of inputs.
const PLANES: usize = PATCH * PATCH;

/// What the error of a Winograd result is at most, as a share of the largest result, for inputs
/// and weights of any scale (measured below a tenth of it for up to 256 channels).
pub const ERROR_BOUND: f64 = 1e-4;

/// Whether the transforms can be used at all.
pub(crate) fn applies(convolution: &Convolution) -> bool {
    convolution.kernel == 3 && convolution.stride == 1 && convolution.padding <= 2
}

/// Whether they are faster than the direct kernels: where the channels are many enough to pay for
/// the transforms and the tiles are mostly full.
pub(crate) fn pays(convolution: &Convolution, maps: Maps) -> bool {
    let out = maps.after(convolution);
    let covered = |side: usize| side.next_multiple_of(TILE);
    let waste = (covered(out.height) * covered(out.width)) as f64 / (out.height * out.width) as f64;
    applies(convolution)
        && convolution.in_channels >= 16
        && convolution.out_channels >= 16
        && waste <= 1.8
}

/// Length of one plane of `count` numbers: a whole, odd number of cache lines, so that the places
/// of the planes do not all fall into one set of the cache.
fn plane(count: usize) -> usize {
    (count.div_ceil(16) | 1) * 16
}
