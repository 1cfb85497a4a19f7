//! The two orders of maps: what stands between layers has its channels last, and candle's convolutions take and
//! give them first. Neither function moves a number.

use candle_core::{Result, Tensor};

/// (pictures, rows, columns, channels) → (pictures, channels, rows, columns).
pub(crate) fn channels_first(maps: &Tensor) -> Result<Tensor> {
    maps.permute((0, 3, 1, 2))
}

/// (pictures, channels, rows, columns) → (pictures, rows, columns, channels).
pub(crate) fn channels_last(maps: &Tensor) -> Result<Tensor> {
    maps.permute((0, 2, 3, 1))
}
