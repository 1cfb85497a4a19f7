//! Between maps with the channels last, as the kernels have them, and first, as PyTorch has them.

use rayon::prelude::*;

use super::convolution::{Maps, check_len};

/// Side of the squares that are transposed at a time.
const SQUARE: usize = 16;

/// Writes `x` (batch, `height`, `width`, `channels`) to `y` as (batch, `channels`, `height`,
/// `width`).
///
/// # Panics
/// If a length does not fit.
pub fn channels_first(maps: Maps, channels: usize, x: &[f32], y: &mut [f32]) {
    transpose_each(maps, channels, [maps.height * maps.width, channels], x, y);
}

/// Writes `x` (batch, `channels`, `height`, `width`) to `y` as (batch, `height`, `width`,
/// `channels`).
///
/// # Panics
/// If a length does not fit.
pub fn channels_last(maps: Maps, channels: usize, x: &[f32], y: &mut [f32]) {
    transpose_each(maps, channels, [channels, maps.height * maps.width], x, y);
}

fn transpose_each(
    maps: Maps,
    channels: usize,
    [rows, columns]: [usize; 2],
    x: &[f32],
    y: &mut [f32],
) {
    check_len("input", x.len(), maps.positions() * channels);
    check_len("output", y.len(), x.len());
    if rows == 1 || columns == 1 {
        return y.copy_from_slice(x);
    }
    if x.is_empty() {
        return;
    }
    y.par_chunks_mut(rows * columns)
        .zip(x.par_chunks(rows * columns))
        .for_each(|(y, x)| transpose(x, y, rows, columns));
}

/// Writes the transpose of `x` (`rows`, `columns`) to `y`.
fn transpose(x: &[f32], y: &mut [f32], rows: usize, columns: usize) {
    for top in (0..rows).step_by(SQUARE) {
        for left in (0..columns).step_by(SQUARE) {
            let height = SQUARE.min(rows - top);
            for column in left..columns.min(left + SQUARE) {
                let y = &mut y[column * rows + top..][..height];
                for (row, y) in y.iter_mut().enumerate() {
                    *y = x[(top + row) * columns + column];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::kernel::reference::numbers;

    #[test]
    fn channels_move_and_come_back() {
        let maps = Maps {
            batch: 2,
            height: 5,
            width: 7,
        };
        let x = numbers(1, maps.positions() * 19);
        let (mut first, mut last) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        channels_first(maps, 19, &x, &mut first);
        assert_eq!(
            first[((19 + 4) * 5 + 2) * 7 + 3],
            x[((5 + 2) * 7 + 3) * 19 + 4]
        );
        channels_last(maps, 19, &first, &mut last);
        assert_eq!(last, x);
    }
}
