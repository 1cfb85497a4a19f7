//! The gradients of a depthwise convolution.

use std::ops::Range;

use rayon::prelude::*;

use super::{Depthwise, TAPS, by_tap, convolve, read_taps, three_rows};
use crate::ops::kernel::Engine;
use crate::ops::kernel::convolution::{Maps, add_in_order, chunks_of};
use crate::ops::kernel::scratch;
use crate::ops::kernel::simd::{Kernel, Simd};

/// Writes to `dw` (channels, 1, 3, 3) the gradient of the weights, given the `gradient` of the
/// output before any ReLU.
///
/// # Panics
/// If a length does not fit.
pub fn weight_gradient(
    engine: Engine,
    depthwise: &Depthwise,
    maps: Maps,
    x: &[f32],
    gradient: &[f32],
    dw: &mut [f32],
) {
    depthwise.check(maps, x.len(), dw.len(), gradient.len());
    if gradient.is_empty() {
        return dw.fill(0.0);
    }
    let chunks = chunks_of(maps.batch);
    let len = dw.len();
    let parts = &mut *scratch::take((chunks.len() + 1) * len);
    let (sum, parts) = parts.split_at_mut(len);
    parts
        .par_chunks_mut(len)
        .zip(chunks)
        .for_each(|(part, chunk)| {
            part.fill(0.0);
            engine.run(Chunk {
                depthwise,
                maps,
                x,
                gradient,
                chunk,
                part,
            });
        });
    add_in_order(parts, sum);
    for (channel, dw) in dw.chunks_exact_mut(TAPS).enumerate() {
        for (tap, dw) in dw.iter_mut().enumerate() {
            *dw = sum[tap * depthwise.channels + channel];
        }
    }
}

struct Chunk<'a> {
    depthwise: &'a Depthwise,
    maps: Maps,
    x: &'a [f32],
    gradient: &'a [f32],
    chunk: Range<usize>,
    part: &'a mut [f32],
}

impl Kernel for Chunk<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (channels, stride) = (self.depthwise.channels, self.depthwise.stride);
        let window = self.depthwise.window(self.maps);
        let out = self.depthwise.after(self.maps);
        let step = window.columns * channels;
        let image = self.maps.height * self.maps.width * channels;
        let picture = out.height * out.width * channels;
        let padded = &mut *scratch::take(window.rows * step);
        for number in self.chunk {
            let x = &self.x[number * image..][..image];
            window.copy(x, [self.maps.height, self.maps.width, channels], padded);
            let gradient = &self.gradient[number * picture..][..picture];
            for start in (0..channels).step_by(S::LANES) {
                let lanes = start..channels.min(start + S::LANES);
                let mut sums = read_taps(simd, self.part, channels, &lanes);
                for (row, line) in gradient.chunks_exact(out.width * channels).enumerate() {
                    let rows = three_rows(padded, stride * row, step);
                    for (column, gradient) in line.chunks_exact(channels).enumerate() {
                        let gradient = simd.read(&gradient[lanes.clone()]);
                        let from = stride * column * channels + lanes.start;
                        for (tap, sum) in sums.iter_mut().enumerate() {
                            let from = from + tap % 3 * channels;
                            let x = simd.read(&rows[tap / 3][from..from + lanes.len()]);
                            *sum = simd.mul_add(x, gradient, *sum);
                        }
                    }
                }
                for (tap, sum) in sums.into_iter().enumerate() {
                    simd.write(&mut self.part[tap * channels..][lanes.clone()], sum);
                }
            }
        }
    }
}

/// Writes to `dx` (as the input) the gradient of the input, given the `gradient` of the output
/// before any ReLU.
///
/// # Panics
/// If a length does not fit.
pub fn input_gradient(
    engine: Engine,
    depthwise: &Depthwise,
    maps: Maps,
    weights: &[f32],
    gradient: &[f32],
    dx: &mut [f32],
) {
    depthwise.check(maps, dx.len(), weights.len(), gradient.len());
    if gradient.is_empty() {
        return dx.fill(0.0);
    }
    let packed = &mut *scratch::take(weights.len());
    by_tap(weights, packed);
    if depthwise.stride == 1 {
        return input_gradient_of_stride_one(engine, depthwise, maps, packed, gradient, dx);
    }
    let weights = &*packed;
    let out = depthwise.after(maps);
    let image = maps.height * maps.width * depthwise.channels;
    let picture = out.height * out.width * depthwise.channels;
    dx.par_chunks_mut(image)
        .zip(gradient.par_chunks(picture))
        .for_each(|(dx, gradient)| {
            engine.run(Scatter {
                depthwise,
                maps,
                weights,
                gradient,
                dx,
            });
        });
}

/// A convolution itself: of the gradient with the taps in reverse.
fn input_gradient_of_stride_one(
    engine: Engine,
    depthwise: &Depthwise,
    maps: Maps,
    weights: &mut [f32],
    gradient: &[f32],
    dx: &mut [f32],
) {
    let channels = depthwise.channels;
    for tap in 0..TAPS / 2 {
        let (first, last) = weights.split_at_mut((TAPS - 1 - tap) * channels);
        first[tap * channels..][..channels].swap_with_slice(&mut last[..channels]);
    }
    let reverse = Depthwise {
        padding: 2 - depthwise.padding,
        ..*depthwise
    };
    let out = depthwise.after(maps);
    convolve(engine, &reverse, out, gradient, weights, None, false, dx);
}

struct Scatter<'a> {
    depthwise: &'a Depthwise,
    maps: Maps,
    weights: &'a [f32],
    gradient: &'a [f32],
    dx: &'a mut [f32],
}

impl Kernel for Scatter<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (channels, stride, padding) = (
            self.depthwise.channels,
            self.depthwise.stride,
            self.depthwise.padding,
        );
        let window = self.depthwise.window(self.maps);
        let out = self.depthwise.after(self.maps);
        let step = window.columns * channels;
        let padded = &mut *scratch::take(window.rows * step);
        padded.fill(0.0);
        for start in (0..channels).step_by(S::LANES) {
            let lanes = start..channels.min(start + S::LANES);
            let weights = read_taps(simd, self.weights, channels, &lanes);
            for (place, gradient) in self.gradient.chunks_exact(channels).enumerate() {
                let gradient = simd.read(&gradient[lanes.clone()]);
                let (row, column) = (place / out.width, place % out.width);
                let to = stride * (row * step + column * channels);
                for (tap, weight) in weights.into_iter().enumerate() {
                    let to = to + tap / 3 * step + tap % 3 * channels;
                    let dx = &mut padded[to + lanes.start..to + lanes.end];
                    let sum = simd.mul_add(gradient, weight, simd.read(dx));
                    simd.write(dx, sum);
                }
            }
        }
        let rows = padded[padding * step..].chunks_exact(step);
        for (dx, padded) in self
            .dx
            .chunks_exact_mut(self.maps.width * channels)
            .zip(rows)
        {
            dx.copy_from_slice(&padded[padding * channels..][..dx.len()]);
        }
    }
}
