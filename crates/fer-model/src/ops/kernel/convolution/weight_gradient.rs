//! The gradient of a convolution for its weights, tile by tile without a transform.

use std::ops::Range;

use rayon::prelude::*;

use super::{Convolution, Maps, check_len};
use crate::ops::kernel::Engine;
use crate::ops::kernel::packing::blocks_of;
use crate::ops::kernel::product::{Finish, Product, block_rows, blocks};
use crate::ops::kernel::scratch;
use crate::ops::kernel::simd::{Kernel, Simd};
use crate::ops::kernel::window::Window;

/// The most parts that a batch is cut into. Each part sums its own gradient and the sums are added
/// in order, so the number depends on shapes alone, never on the threads.
const CHUNKS: usize = 8;

/// The parts of a batch whose gradients are summed apart.
pub(crate) fn chunks_of(batch: usize) -> Vec<Range<usize>> {
    let count = CHUNKS.min(batch);
    (0..count)
        .map(|chunk| chunk * batch / count..(chunk + 1) * batch / count)
        .collect()
}

/// Adds consecutive parts of `sum.len()` numbers into `sum`, first to last.
pub(crate) fn add_in_order(parts: &[f32], sum: &mut [f32]) {
    let mut parts = parts.chunks_exact(sum.len().max(1));
    if let Some(first) = parts.next() {
        sum.copy_from_slice(first);
    }
    for part in parts {
        for (sum, number) in sum.iter_mut().zip(part) {
            *sum += number;
        }
    }
}

/// As [`weight_gradient`](super::weight_gradient()).
pub(crate) fn weight_gradient(
    engine: Engine,
    convolution: &Convolution,
    maps: Maps,
    x: &[f32],
    gradient: &[f32],
    dw: &mut [f32],
) {
    let out = maps.after(convolution);
    check_len("input", x.len(), maps.positions() * convolution.in_channels);
    check_len(
        "gradient",
        gradient.len(),
        out.positions() * convolution.out_channels,
    );
    check_len("weight gradient", dw.len(), convolution.weights());
    if gradient.is_empty() {
        return dw.fill(0.0);
    }
    let chunks = chunks_of(maps.batch);
    let parts = &mut *scratch::take(chunks.len() * dw.len());
    parts
        .par_chunks_mut(dw.len())
        .zip(chunks)
        .for_each(|(part, chunk)| {
            engine.run(Chunk {
                convolution,
                maps,
                x,
                gradient,
                chunk,
                part,
            });
        });
    unpack(engine, convolution, parts, dw);
}

struct Chunk<'a> {
    convolution: &'a Convolution,
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
        let Self {
            convolution, maps, ..
        } = self;
        let padding = convolution.padding;
        let shape = [maps.height, maps.width, convolution.in_channels];
        let image = shape.iter().product::<usize>();
        let out = maps.after(convolution);
        let picture = out.height * out.width * convolution.out_channels;
        let window = Window {
            top: -(padding as isize),
            left: -(padding as isize),
            rows: maps.height + 2 * padding,
            columns: maps.width + 2 * padding,
        };
        let step = window.columns * convolution.in_channels;
        let first = self.chunk.start;
        if convolution.is_pointwise() {
            return self.in_a_row(simd, image, picture);
        }
        for number in self.chunk {
            let x = &self.x[number * image..][..image];
            let gradient = &self.gradient[number * picture..][..picture];
            let part = &mut *self.part;
            let fresh = number == first;
            if padding == 0 {
                add_picture(simd, convolution, out, x, step, gradient, part, fresh);
            } else {
                let padded = &mut *scratch::take(window.rows * step);
                window.copy(x, shape, padded);
                add_picture(simd, convolution, out, padded, step, gradient, part, fresh);
            }
        }
    }
}

/// Positions of neighbouring pictures that a pointwise convolution takes as one row: enough for long
/// sums, few enough to stay in the cache.
const ROW: usize = 512;

impl Chunk<'_> {
    /// A pointwise convolution does not see where a row or a picture ends.
    #[inline(always)]
    fn in_a_row<S: Simd>(self, simd: S, image: usize, picture: usize) {
        let positions = self.maps.height * self.maps.width;
        let together = (ROW / positions.max(1)).max(1);
        let (start, end) = (self.chunk.start, self.chunk.end);
        for first in (start..end).step_by(together) {
            let count = together.min(end - first);
            let row = Maps {
                batch: 1,
                height: 1,
                width: count * positions,
            };
            let x = &self.x[first * image..][..count * image];
            let gradient = &self.gradient[first * picture..][..count * picture];
            let (step, fresh) = (x.len(), first == start);
            let convolution = self.convolution;
            add_picture(simd, convolution, row, x, step, gradient, self.part, fresh);
        }
    }
}

/// Adds the gradient of one picture, or of some rows of it, to `part`, or writes it there where
/// `fresh`; `x` is padded and has rows of `step` numbers.
#[expect(clippy::too_many_arguments, reason = "the operands of one product")]
#[inline(always)]
pub(crate) fn add_picture<S: Simd>(
    simd: S,
    convolution: &Convolution,
    out: Maps,
    x: &[f32],
    step: usize,
    gradient: &[f32],
    part: &mut [f32],
    fresh: bool,
) {
    let (stride, channels) = (convolution.stride, convolution.out_channels);
    let terms = convolution.kernel * convolution.in_channels;
    let depth = convolution.depth();
    for block in blocks::<S>(channels) {
        let part = &mut part[block.start * depth..][..block.columns * depth];
        for kernel_row in 0..convolution.kernel {
            let product = Product {
                segments: out.height,
                depth: out.width,
                a: &x[kernel_row * step..],
                a_row: 1,
                a_depth: stride * convolution.in_channels,
                a_segment: stride * step,
                b: &gradient[block.start..],
                b_depth: channels,
                b_segment: out.width * channels,
            };
            let finish = Finish {
                accumulate: !fresh,
                ..Finish::default()
            };
            let part = &mut part[kernel_row * terms * block.columns..];
            block_rows(simd, terms, block, product, finish, part, block.columns);
        }
    }
}

/// Lanes that are unpacked together: a cache line.
const GROUP: usize = 16;

/// Adds the parts in order and puts the sums in PyTorch's layout.
pub(crate) fn unpack(engine: Engine, convolution: &Convolution, parts: &[f32], dw: &mut [f32]) {
    let (depth, len) = (convolution.depth(), dw.len());
    let mut groups = Vec::new();
    let mut rest = dw;
    for block in blocks_of(engine, convolution.out_channels) {
        for first in (0..block.columns).step_by(GROUP) {
            let lanes = GROUP.min(block.columns - first);
            let (group, after) = rest.split_at_mut(lanes * depth);
            rest = after;
            groups.push((block, first, lanes, group));
        }
    }
    let (channels, taps) = (convolution.in_channels, convolution.kernel.pow(2));
    groups
        .into_par_iter()
        .for_each(|(block, first, lanes, group)| {
            for channel in 0..channels {
                for tap in 0..taps {
                    let term = tap * channels + channel;
                    let at = block.start * depth + term * block.columns + first;
                    let mut sums = [0.0; GROUP];
                    for part in parts.chunks_exact(len) {
                        for (sum, number) in sums.iter_mut().zip(&part[at..at + lanes]) {
                            *sum += number;
                        }
                    }
                    for (lane, sum) in sums.into_iter().take(lanes).enumerate() {
                        group[lane * depth + channel * taps + tap] = sum;
                    }
                }
            }
        });
}
