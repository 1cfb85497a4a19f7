//! The ReLU's gradient, and sums of gradients over positions.

use rayon::prelude::*;

use super::Engine;
use super::convolution::{add_in_order, check_len, chunks_of};
use super::scratch;
use super::simd::{Kernel, Simd};

/// Numbers that a thread handles at a time.
const CHUNK: usize = 32 * 1024;

/// Writes `gradient` to `dx` where the ReLU's output `y` is above zero or NaN, and zero elsewhere
/// (PyTorch's rule: at exactly zero the slope is zero).
///
/// # Panics
/// If the lengths differ.
pub fn relu_gradient(engine: Engine, y: &[f32], gradient: &[f32], dx: &mut [f32]) {
    check_len("gradient", gradient.len(), y.len());
    check_len("input gradient", dx.len(), y.len());
    dx.par_chunks_mut(CHUNK)
        .zip(y.par_chunks(CHUNK).zip(gradient.par_chunks(CHUNK)))
        .for_each(|(dx, (y, gradient))| engine.run(Masked { y, gradient, dx }));
}

struct Masked<'a> {
    y: &'a [f32],
    gradient: &'a [f32],
    dx: &'a mut [f32],
}

impl Kernel for Masked<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let operands = self.y.chunks(S::LANES).zip(self.gradient.chunks(S::LANES));
        for (dx, (y, gradient)) in self.dx.chunks_mut(S::LANES).zip(operands) {
            let dead = simd.is_dead(simd.read(y));
            simd.write(dx, simd.select(dead, simd.splat(0.0), simd.read(gradient)));
        }
    }
}

/// Writes to `sums` (`channels` numbers) the sums over all positions of `x` (batch and positions,
/// `channels`): the gradient of a bias. `batch` only says how the sum is cut into parts.
///
/// # Panics
/// If `x` is not a whole number of positions for each picture.
pub fn channel_sums(engine: Engine, batch: usize, x: &[f32], sums: &mut [f32]) {
    let channels = sums.len();
    if x.is_empty() {
        return sums.fill(0.0);
    }
    let picture = x.len() / batch.max(1) / channels.max(1) * channels;
    check_len("maps", x.len(), batch * picture);
    let chunks = chunks_of(batch);
    let parts = &mut *scratch::take(chunks.len() * channels);
    parts
        .par_chunks_mut(channels)
        .zip(chunks)
        .for_each(|(part, chunk)| {
            let x = &x[chunk.start * picture..chunk.end * picture];
            engine.run(Sum { x, sums: part });
        });
    add_in_order(parts, sums);
}

struct Sum<'a> {
    x: &'a [f32],
    sums: &'a mut [f32],
}

impl Kernel for Sum<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let channels = self.sums.len();
        for start in (0..channels).step_by(S::LANES) {
            let end = channels.min(start + S::LANES);
            // Four sums run side by side, for an addition waits for the one before it.
            let mut totals = [simd.splat(0.0); 4];
            for four in self.x.chunks(4 * channels) {
                for (total, position) in totals.iter_mut().zip(four.chunks_exact(channels)) {
                    *total = simd.add(*total, simd.read(&position[start..end]));
                }
            }
            let [a, b, c, d] = totals;
            simd.write(
                &mut self.sums[start..end],
                simd.add(simd.add(a, b), simd.add(c, d)),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::kernel::reference::{assert_close, engines, numbers, sums, with_threads};

    #[test]
    fn the_gradient_passes_where_the_output_is_above_zero_or_nan() {
        let y = [0.0, 1.0, f32::NAN, -0.0, 2.0];
        for engine in engines() {
            let mut dx = [9.0; 5];
            relu_gradient(engine, &y, &[1.0, 2.0, 3.0, 4.0, 5.0], &mut dx);
            assert_eq!(dx, [0.0, 2.0, 3.0, 0.0, 5.0]);
        }
    }

    #[test]
    fn channel_sums_are_sums_for_any_number_of_threads() {
        for (channels, batch, positions) in [(1, 1, 1), (3, 11, 7), (33, 9, 5), (64, 2, 9)] {
            let x = numbers(1, channels * batch * positions);
            let wide: Vec<f64> = x.iter().copied().map(f64::from).collect();
            for engine in engines() {
                let run = |threads| {
                    with_threads(threads, || {
                        let mut got = vec![f32::NAN; channels];
                        channel_sums(engine, batch, &x, &mut got);
                        got
                    })
                };
                assert_close(engine.name(), &run(1), &sums(channels, &wide), 1e-5);
                assert_eq!(run(1), run(4));
            }
        }
    }
}
