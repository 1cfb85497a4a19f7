//! Depthwise 3×3 convolutions: every channel has a kernel of its own.

use std::ops::Range;

use rayon::prelude::*;

use crate::ops::kernel::Engine;
use crate::ops::kernel::convolution::{Convolution, Maps, add_in_order, check_len, chunks_of};
use crate::ops::kernel::scratch;
use crate::ops::kernel::simd::{Kernel, Simd};
use crate::ops::kernel::window::Window;

#[cfg(test)]
mod tests;

/// Taps of a kernel.
const TAPS: usize = 9;

/// A depthwise 3×3 convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depthwise {
    /// Channels that go in and come out.
    pub channels: usize,
    /// Step between neighbouring outputs, at least 1.
    pub stride: usize,
    /// Rows and columns of zeros around the input, at most 2.
    pub padding: usize,
}

impl Depthwise {
    /// The maps that come out for `maps`.
    pub fn after(&self, maps: Maps) -> Maps {
        maps.after(&Convolution {
            in_channels: 1,
            out_channels: 1,
            kernel: 3,
            stride: self.stride,
            padding: self.padding,
        })
    }

    fn check(&self, maps: Maps, x: usize, weights: usize, y: usize) {
        check_len("input", x, maps.positions() * self.channels);
        check_len("weights", weights, self.channels * TAPS);
        check_len("output", y, self.after(maps).positions() * self.channels);
    }

    fn window(&self, maps: Maps) -> Window {
        Window {
            top: -(self.padding as isize),
            left: -(self.padding as isize),
            rows: maps.height + 2 * self.padding,
            columns: maps.width + 2 * self.padding,
        }
    }
}

/// Weights (channels, 1, 3, 3) with the channels last.
fn by_tap(weights: &[f32], packed: &mut [f32]) {
    let channels = weights.len() / TAPS;
    for (channel, taps) in weights.chunks_exact(TAPS).enumerate() {
        for (tap, weight) in taps.iter().enumerate() {
            packed[tap * channels + channel] = *weight;
        }
    }
}

/// Writes to `y` (batch, rows, columns, `channels`) the convolution of `x` (batch, `height`,
/// `width`, `channels`) with `weights` (channels, 1, 3, 3), plus the bias, with a ReLU if asked
/// for.
///
/// # Panics
/// If a length does not fit.
#[expect(
    clippy::too_many_arguments,
    reason = "operands, result and their shape"
)]
pub fn forward(
    engine: Engine,
    depthwise: &Depthwise,
    maps: Maps,
    x: &[f32],
    weights: &[f32],
    bias: Option<&[f32]>,
    relu: bool,
    y: &mut [f32],
) {
    depthwise.check(maps, x.len(), weights.len(), y.len());
    if let Some(bias) = bias {
        check_len("bias", bias.len(), depthwise.channels);
    }
    if y.is_empty() {
        return;
    }
    let out = depthwise.after(maps);
    let image = maps.height * maps.width * depthwise.channels;
    let picture = out.height * out.width * depthwise.channels;
    let packed = &mut *scratch::take(weights.len());
    by_tap(weights, packed);
    let weights = &*packed;
    y.par_chunks_mut(picture)
        .zip(x.par_chunks(image))
        .for_each(|(y, x)| {
            engine.run(Forward {
                depthwise,
                maps,
                x,
                weights,
                bias,
                relu,
                y,
            });
        });
}

struct Forward<'a> {
    depthwise: &'a Depthwise,
    maps: Maps,
    x: &'a [f32],
    weights: &'a [f32],
    bias: Option<&'a [f32]>,
    relu: bool,
    y: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (channels, stride) = (self.depthwise.channels, self.depthwise.stride);
        let window = self.depthwise.window(self.maps);
        let out = self.depthwise.after(self.maps);
        let step = window.columns * channels;
        let padded = &mut *scratch::take(window.rows * step);
        window.copy(
            self.x,
            [self.maps.height, self.maps.width, channels],
            padded,
        );
        for start in (0..channels).step_by(S::LANES) {
            let lanes = start..channels.min(start + S::LANES);
            let weights = read_taps(simd, self.weights, channels, &lanes);
            let bias = match self.bias {
                Some(bias) => simd.read(&bias[lanes.clone()]),
                None => simd.splat(0.0),
            };
            for (place, y) in self.y.chunks_exact_mut(channels).enumerate() {
                let (row, column) = (place / out.width, place % out.width);
                let from = stride * (row * step + column * channels);
                let mut sum = bias;
                for (tap, weight) in weights.into_iter().enumerate() {
                    let from = from + tap / 3 * step + tap % 3 * channels;
                    let x = simd.read(&padded[from + lanes.start..from + lanes.end]);
                    sum = simd.mul_add(x, weight, sum);
                }
                let sum = if self.relu { simd.relu(sum) } else { sum };
                simd.write(&mut y[lanes.clone()], sum);
            }
        }
    }
}

/// The nine taps of some channels.
#[inline(always)]
fn read_taps<S: Simd>(
    simd: S,
    weights: &[f32],
    channels: usize,
    lanes: &Range<usize>,
) -> [S::Vector; TAPS] {
    let mut taps = [simd.splat(0.0); TAPS];
    for (tap, vector) in taps.iter_mut().enumerate() {
        *vector = simd.read(&weights[tap * channels..][lanes.clone()]);
    }
    taps
}

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
                for (place, gradient) in gradient.chunks_exact(channels).enumerate() {
                    let gradient = simd.read(&gradient[lanes.clone()]);
                    let (row, column) = (place / out.width, place % out.width);
                    let from = stride * (row * step + column * channels);
                    for (tap, sum) in sums.iter_mut().enumerate() {
                        let from = from + tap / 3 * step + tap % 3 * channels;
                        let x = simd.read(&padded[from + lanes.start..from + lanes.end]);
                        *sum = simd.mul_add(x, gradient, *sum);
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
    let out = depthwise.after(maps);
    let image = maps.height * maps.width * depthwise.channels;
    let picture = out.height * out.width * depthwise.channels;
    let packed = &mut *scratch::take(weights.len());
    by_tap(weights, packed);
    let weights = &*packed;
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
