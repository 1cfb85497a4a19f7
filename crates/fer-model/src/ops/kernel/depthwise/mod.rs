//! Depthwise 3×3 convolutions: every channel has a kernel of its own.

use std::ops::Range;

use rayon::prelude::*;

use crate::ops::kernel::Engine;
use crate::ops::kernel::convolution::{Convolution, Maps, check_len};
use crate::ops::kernel::scratch;
use crate::ops::kernel::simd::{Kernel, Simd};
use crate::ops::kernel::window::Window;

mod gradient;
#[cfg(test)]
mod tests;

pub use gradient::{input_gradient, weight_gradient};

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
    let packed = &mut *scratch::take(weights.len());
    by_tap(weights, packed);
    convolve(engine, depthwise, maps, x, packed, bias, relu, y);
}

/// As [`forward`], with the channels last in the weights, for an output that is not empty.
#[expect(
    clippy::too_many_arguments,
    reason = "operands, result and their shape"
)]
fn convolve(
    engine: Engine,
    depthwise: &Depthwise,
    maps: Maps,
    x: &[f32],
    weights: &[f32],
    bias: Option<&[f32]>,
    relu: bool,
    y: &mut [f32],
) {
    let out = depthwise.after(maps);
    let image = maps.height * maps.width * depthwise.channels;
    let picture = out.height * out.width * depthwise.channels;
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
            for (row, line) in self.y.chunks_exact_mut(out.width * channels).enumerate() {
                let rows = three_rows(padded, stride * row, step);
                for (column, y) in line.chunks_exact_mut(channels).enumerate() {
                    let from = stride * column * channels + lanes.start;
                    let mut sum = bias;
                    for (tap, weight) in weights.into_iter().enumerate() {
                        let from = from + tap % 3 * channels;
                        let x = simd.read(&rows[tap / 3][from..from + lanes.len()]);
                        sum = simd.mul_add(x, weight, sum);
                    }
                    let sum = if self.relu { simd.relu(sum) } else { sum };
                    simd.write(&mut y[lanes.clone()], sum);
                }
            }
        }
    }
}

/// The rows of `step` numbers that a window reaches from row `first` on.
#[inline(always)]
fn three_rows(padded: &[f32], first: usize, step: usize) -> [&[f32]; 3] {
    let rows = &padded[first * step..(first + 3) * step];
    [&rows[..step], &rows[step..2 * step], &rows[2 * step..]]
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
