//! The operations written as their definitions, in `f64`: what the kernels are tested against.

use super::Engine;
use super::convolution::{Convolution, Maps};

/// The engines of this machine.
pub(crate) fn engines() -> impl Iterator<Item = Engine> {
    Engine::ALL
        .into_iter()
        .filter(|engine| engine.is_available())
}

/// `len` numbers between -1 and 1 that depend on `seed`.
pub(crate) fn numbers(seed: u64, len: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    for _ in 0..8 {
        next();
    }
    (0..len).map(|_| next()).collect()
}

/// Runs `work` in a pool of `threads` threads.
pub(crate) fn with_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.expect("a pool of a few threads").install(work)
}

/// Panics unless the numbers agree to `tolerance` times the largest of the expected.
#[track_caller]
pub(crate) fn assert_close(what: &str, got: &[f32], expected: &[f64], tolerance: f64) {
    assert_close_at(1e-6, what, got, expected, tolerance);
}

/// As [`assert_close`], as shares of `least` where that is more than the largest number: sums of
/// terms of that size may cancel, their rounding errors do not.
#[track_caller]
pub(crate) fn assert_close_at(
    least: f64,
    what: &str,
    got: &[f32],
    expected: &[f64],
    tolerance: f64,
) {
    assert_eq!(got.len(), expected.len(), "{what}: length");
    let scale = expected
        .iter()
        .fold(least, |most, number| most.max(number.abs()));
    for (place, (got, expected)) in got.iter().zip(expected).enumerate() {
        let error = (f64::from(*got) - expected).abs();
        assert!(
            error <= tolerance * scale,
            "{what}: number {place} is {got}, expected {expected} (largest {scale})"
        );
    }
}

/// Calls `visit(x, w, y)` with the places of every product in the convolution.
fn for_each_product(
    convolution: &Convolution,
    maps: Maps,
    mut visit: impl FnMut(usize, usize, usize),
) {
    let out = maps.after(convolution);
    let Convolution {
        in_channels,
        out_channels,
        kernel,
        stride,
        padding,
    } = *convolution;
    let inside = |at: usize, tap: usize, side: usize| {
        (at * stride + tap)
            .checked_sub(padding)
            .filter(|source| *source < side)
    };
    for picture in 0..maps.batch {
        for (row, column) in grid(out.height, out.width) {
            for (down, across) in grid(kernel, kernel) {
                let source_row = inside(row, down, maps.height);
                let source_column = inside(column, across, maps.width);
                let (Some(source_row), Some(source_column)) = (source_row, source_column) else {
                    continue;
                };
                let x = ((picture * maps.height + source_row) * maps.width + source_column)
                    * in_channels;
                let y = ((picture * out.height + row) * out.width + column) * out_channels;
                for (o, i) in grid(out_channels, in_channels) {
                    let w = ((o * in_channels + i) * kernel + down) * kernel + across;
                    visit(x + i, w, y + o);
                }
            }
        }
    }
}

/// All pairs below `rows` and `columns`.
pub(crate) fn grid(rows: usize, columns: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..rows).flat_map(move |row| (0..columns).map(move |column| (row, column)))
}

/// The convolution's output.
pub(crate) fn convolve(convolution: &Convolution, maps: Maps, x: &[f32], w: &[f32]) -> Vec<f64> {
    let mut y = vec![0.0; maps.after(convolution).positions() * convolution.out_channels];
    for_each_product(convolution, maps, |from, weight, to| {
        y[to] += f64::from(x[from]) * f64::from(w[weight]);
    });
    y
}

/// The gradients for weights and input.
pub(crate) fn convolve_backward(
    convolution: &Convolution,
    maps: Maps,
    x: &[f32],
    w: &[f32],
    gradient: &[f64],
) -> (Vec<f64>, Vec<f64>) {
    let (mut dw, mut dx) = (vec![0.0; w.len()], vec![0.0; x.len()]);
    for_each_product(convolution, maps, |from, weight, to| {
        dw[weight] += f64::from(x[from]) * gradient[to];
        dx[from] += f64::from(w[weight]) * gradient[to];
    });
    (dw, dx)
}

/// The 2×2 max-pool, with the places of the maxima in `y`.
pub(crate) fn pool(maps: Maps, channels: usize, y: &[f64]) -> (Vec<f64>, Vec<usize>) {
    let out = maps.pooled();
    let (mut pooled, mut places) = (Vec::new(), Vec::new());
    for picture in 0..maps.batch {
        for (row, column) in grid(out.height, out.width) {
            for channel in 0..channels {
                let at = |down: usize, across: usize| {
                    ((picture * maps.height + 2 * row + down) * maps.width + 2 * column + across)
                        * channels
                        + channel
                };
                let mut best = at(0, 0);
                for (down, across) in grid(2, 2) {
                    let place = at(down, across);
                    if y[place] > y[best] || y[place].is_nan() {
                        best = place;
                    }
                }
                pooled.push(y[best]);
                places.push(best);
            }
        }
    }
    (pooled, places)
}

/// The sums of each channel over all positions.
pub(crate) fn sums(channels: usize, y: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0; channels];
    for position in y.chunks_exact(channels) {
        for (sum, number) in sums.iter_mut().zip(position) {
            *sum += number;
        }
    }
    sums
}
