//! The linear transforms of tiles and weights, along one axis and along both.

use super::{PATCH, PLANES, TILE};
use crate::ops::kernel::simd::Simd;

/// `G`: from three taps to six.
pub(super) const KERNEL: [[f32; 3]; PATCH] = [
    [1.0 / 4.0, 0.0, 0.0],
    [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
    [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
    [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
    [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
    [0.0, 0.0, 1.0],
];

/// `Bᵀ d`: six inputs.
#[inline(always)]
fn input<S: Simd>(simd: S, d: [S::Vector; 6]) -> [S::Vector; 6] {
    let (two, four, five) = (simd.splat(2.0), simd.splat(4.0), simd.splat(5.0));
    let even = simd.neg_mul_add(four, d[2], d[4]);
    let odd = simd.neg_mul_add(four, d[1], d[3]);
    let far = simd.sub(d[4], d[2]);
    let twice = simd.mul(two, simd.sub(d[3], d[1]));
    [
        simd.mul_add(four, d[0], simd.neg_mul_add(five, d[2], d[4])),
        simd.add(even, odd),
        simd.sub(even, odd),
        simd.add(far, twice),
        simd.sub(far, twice),
        simd.mul_add(four, d[1], simd.neg_mul_add(five, d[3], d[5])),
    ]
}

/// `Aᵀ m`: from six sums to four outputs.
#[inline(always)]
fn output<S: Simd>(simd: S, m: [S::Vector; 6]) -> [S::Vector; 4] {
    let (two, four, eight) = (simd.splat(2.0), simd.splat(4.0), simd.splat(8.0));
    let (near, across) = (simd.add(m[1], m[2]), simd.sub(m[1], m[2]));
    let (far, beyond) = (simd.add(m[3], m[4]), simd.sub(m[3], m[4]));
    [
        simd.add(m[0], simd.add(near, far)),
        simd.mul_add(two, beyond, across),
        simd.mul_add(four, far, near),
        simd.add(m[5], simd.mul_add(eight, beyond, across)),
    ]
}

/// `A g`: from the gradients of four outputs to six.
#[inline(always)]
fn gradient<S: Simd>(simd: S, g: [S::Vector; 4]) -> [S::Vector; 6] {
    let (two, four, eight) = (simd.splat(2.0), simd.splat(4.0), simd.splat(8.0));
    let (even, odd) = (simd.add(g[0], g[2]), simd.add(g[1], g[3]));
    let far = simd.mul_add(four, g[2], g[0]);
    let beyond = simd.mul_add(eight, g[3], simd.mul(two, g[1]));
    [
        g[0],
        simd.add(even, odd),
        simd.sub(even, odd),
        simd.add(far, beyond),
        simd.sub(far, beyond),
        g[3],
    ]
}

/// Transforms a patch of 6×6 positions of all `channels`, which starts `source` and has rows
/// `source_row` apart, into `target`: number `p` of a channel goes to `p * plane`.
#[inline(always)]
pub(super) fn input_patch<S: Simd>(
    simd: S,
    source: &[f32],
    source_row: usize,
    channels: usize,
    target: &mut [f32],
    plane: usize,
) {
    assert!((PATCH - 1) * source_row + PATCH * channels <= source.len());
    assert!((PLANES - 1) * plane + channels <= target.len());
    for channel in (0..channels).step_by(S::LANES) {
        let count = channels - channel;
        let mut half = [[simd.splat(0.0); PATCH]; PATCH];
        for column in 0..PATCH {
            let mut down = [simd.splat(0.0); PATCH];
            for (row, vector) in down.iter_mut().enumerate() {
                let from = row * source_row + column * channels + channel;
                // SAFETY: row and column are at most 5 and `count` channels are left, so the last
                // number read lies below `5 * source_row + 6 * channels`, checked above.
                *vector = unsafe { simd.load_some(source.as_ptr().add(from), count) };
            }
            let done = input(simd, down);
            for (half, done) in half.iter_mut().zip(done) {
                half[column] = done;
            }
        }
        for (row, half) in half.into_iter().enumerate() {
            for (column, done) in input(simd, half).into_iter().enumerate() {
                let to = (row * PATCH + column) * plane + channel;
                // SAFETY: the last number written lies below `35 * plane + channels`, checked
                // above.
                unsafe { simd.store_some(target.as_mut_ptr().add(to), done, count) };
            }
        }
    }
}

/// Transforms a tile of 4×4 gradients as [`input_patch`] does a patch of inputs.
#[inline(always)]
pub(super) fn gradient_tile<S: Simd>(
    simd: S,
    source: &[f32],
    source_row: usize,
    channels: usize,
    target: &mut [f32],
    plane: usize,
) {
    assert!((TILE - 1) * source_row + TILE * channels <= source.len());
    assert!((PLANES - 1) * plane + channels <= target.len());
    for channel in (0..channels).step_by(S::LANES) {
        let count = channels - channel;
        let mut half = [[simd.splat(0.0); TILE]; PATCH];
        for column in 0..TILE {
            let mut down = [simd.splat(0.0); TILE];
            for (row, vector) in down.iter_mut().enumerate() {
                let from = row * source_row + column * channels + channel;
                // SAFETY: row and column are at most 3 and `count` channels are left, so the last
                // number read lies below `3 * source_row + 4 * channels`, checked above.
                *vector = unsafe { simd.load_some(source.as_ptr().add(from), count) };
            }
            let done = gradient(simd, down);
            for (half, done) in half.iter_mut().zip(done) {
                half[column] = done;
            }
        }
        for (row, half) in half.into_iter().enumerate() {
            for (column, done) in gradient(simd, half).into_iter().enumerate() {
                let to = (row * PATCH + column) * plane + channel;
                // SAFETY: the last number written lies below `35 * plane + channels`, checked
                // above.
                unsafe { simd.store_some(target.as_mut_ptr().add(to), done, count) };
            }
        }
    }
}

/// The 4×4 outputs of the channels from `channel` on (at most a vector, `count` at most), from
/// sums laid out as [`input_patch`] lays out inputs.
#[inline(always)]
pub(super) fn output_tile<S: Simd>(
    simd: S,
    sums: &[f32],
    plane: usize,
    channel: usize,
    count: usize,
) -> [[S::Vector; TILE]; TILE] {
    assert!((PLANES - 1) * plane + channel + count <= sums.len());
    let mut half = [[simd.splat(0.0); PATCH]; TILE];
    for column in 0..PATCH {
        let mut down = [simd.splat(0.0); PATCH];
        for (row, vector) in down.iter_mut().enumerate() {
            let from = (row * PATCH + column) * plane + channel;
            // SAFETY: the last number read lies below `35 * plane + channel + count`, checked
            // above.
            *vector = unsafe { simd.load_some(sums.as_ptr().add(from), count) };
        }
        let done = output(simd, down);
        for (half, done) in half.iter_mut().zip(done) {
            half[column] = done;
        }
    }
    let mut tile = [[simd.splat(0.0); TILE]; TILE];
    for (tile, half) in tile.iter_mut().zip(half) {
        *tile = output(simd, half);
    }
    tile
}
