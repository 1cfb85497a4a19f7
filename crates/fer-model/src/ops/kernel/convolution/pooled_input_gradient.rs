//! The gradient for its input of a convolution that a 2×2 max-pool follows: only positions that
//! won their window are multiplied.

use rayon::prelude::*;

use super::sparse_sum::{Entry, Job, Sums, passes};
use super::{Convolution, Maps, check_len};
use crate::ops::kernel::Engine;
use crate::ops::kernel::pool::DEAD;
use crate::ops::kernel::product::Block;
use crate::ops::kernel::scratch::{self, Aligned};
use crate::ops::kernel::simd::{Kernel, Simd};

/// Vectors of weights in one pass over the positions: with 64 output channels and AVX-512 they are
/// 24 KiB and stay in the first level of cache.
const PASS: usize = 6;

/// Weights packed for [`pooled_input_gradient`].
#[derive(Clone)]
pub struct SparseWeights {
    engine: Engine,
    convolution: Convolution,
    /// Pass after pass (kernel row, then a part of its run of kernel column and input channel), in
    /// each the parts of all the output channels one after another.
    packed: Aligned,
}

struct Passes(usize);

impl Kernel for Passes {
    type Output = Vec<(usize, usize)>;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> Vec<(usize, usize)> {
        passes::<S>(self.0, PASS)
            .map(|pass| (pass.start, pass.columns))
            .collect()
    }
}

impl SparseWeights {
    /// Packs `weights`, laid out (out, in, kernel row, kernel column).
    ///
    /// # Panics
    /// If their number is not [`Convolution::weights`].
    pub fn new(engine: Engine, convolution: Convolution, weights: &[f32]) -> Self {
        let packed = Aligned::zeros(convolution.weights());
        let mut sparse = Self {
            engine,
            convolution,
            packed,
        };
        sparse.update(weights);
        sparse
    }

    /// Packs other `weights` of the same shape into the same buffer.
    ///
    /// # Panics
    /// If their number is not [`Convolution::weights`].
    pub fn update(&mut self, weights: &[f32]) {
        check_len("weights", weights.len(), self.convolution.weights());
        let Convolution {
            in_channels,
            out_channels,
            kernel,
            ..
        } = self.convolution;
        let (taps, depth) = (kernel * kernel, self.convolution.depth());
        let mut rest = self.packed.as_mut_slice();
        for row in 0..kernel {
            for (start, columns) in self.engine.run(Passes(kernel * in_channels)) {
                let (pass, after) = rest.split_at_mut(columns * out_channels);
                rest = after;
                for (number, place) in (start..start + columns).enumerate() {
                    let (column, channel) = (place / in_channels, place % in_channels);
                    let from = &weights[channel * taps + row * kernel + column..];
                    for (out, packed) in pass.chunks_exact_mut(columns).enumerate() {
                        packed[number] = from[out * depth];
                    }
                }
            }
        }
    }
}

/// Writes to `dx` (batch, `height`, `width`, `in_channels`) the gradient of the input of a
/// convolution followed by a 2×2 max-pool, given the `gradient` of the pool's output and the
/// `index` that [`forward`](super::forward) wrote.
///
/// # Panics
/// If a length does not fit.
pub fn pooled_input_gradient(
    weights: &SparseWeights,
    maps: Maps,
    gradient: &[f32],
    index: &[u8],
    dx: &mut [f32],
) {
    let convolution = &weights.convolution;
    let pooled = maps.after(convolution).pooled();
    let picture = pooled.height * pooled.width * convolution.out_channels;
    check_len("gradient", gradient.len(), maps.batch * picture);
    check_len("index", index.len(), gradient.len());
    check_len(
        "input gradient",
        dx.len(),
        maps.positions() * convolution.in_channels,
    );
    if gradient.is_empty() {
        return dx.fill(0.0);
    }
    let image = maps.height * maps.width * convolution.in_channels;
    dx.par_chunks_mut(image)
        .zip(gradient.par_chunks(picture).zip(index.par_chunks(picture)))
        .for_each(|(dx, (gradient, index))| {
            weights.engine.run(Picture {
                weights,
                maps,
                gradient,
                index,
                dx,
            });
        });
}

struct Picture<'a> {
    weights: &'a SparseWeights,
    maps: Maps,
    gradient: &'a [f32],
    index: &'a [u8],
    dx: &'a mut [f32],
}

impl Kernel for Picture<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let convolution = &self.weights.convolution;
        let (padding, channels) = (convolution.padding, convolution.in_channels);
        let [height, width] = [self.maps.height, self.maps.width].map(|side| side + 2 * padding);
        let step = width * channels;
        let pooled = self.maps.after(convolution).pooled().width;
        let pixel = convolution.stride * channels;
        let line = convolution.stride * step;
        let (entries, jobs) = winners(
            self.gradient,
            self.index,
            [convolution.out_channels, pooled],
            [0, pixel, line, line + pixel],
            [2 * line, 2 * pixel],
        );
        let padded = &mut *scratch::take(height * step);
        padded.fill(0.0);
        let mut packed = self.weights.packed.as_slice();
        for row in 0..convolution.kernel {
            for pass in passes::<S>(convolution.kernel * channels, PASS) {
                let (here, rest) = packed.split_at(pass.columns * convolution.out_channels);
                packed = rest;
                let mut sums = Sums {
                    entries: &entries,
                    jobs: &jobs,
                    source: here,
                    source_step: pass.columns,
                    source_row: 0,
                    target: &mut padded[row * step + pass.start..],
                    target_row: 0,
                };
                sums.add(simd, 1, Block { start: 0, ..pass });
            }
        }
        let source = &padded[padding * step..];
        let rows = self.dx.chunks_exact_mut(self.maps.width * channels);
        for (dx, padded) in rows.zip(source.chunks_exact(step)) {
            dx.copy_from_slice(&padded[padding * channels..][..dx.len()]);
        }
    }
}

/// The winners among `gradient`, sorted by position: the entries (offsets are output channels) and
/// a sum for every position that has any. `places` are the offsets of a window's four positions,
/// `steps` those from window to window, down and across.
fn winners(
    gradient: &[f32],
    index: &[u8],
    [channels, width]: [usize; 2],
    places: [usize; 4],
    steps: [usize; 2],
) -> (Vec<Entry>, Vec<Job>) {
    let mut entries = Vec::with_capacity(gradient.len());
    let mut jobs = Vec::with_capacity(gradient.len() / channels * 4);
    let mut buckets = vec![Entry::default(); 4 * channels];
    let windows = gradient
        .chunks_exact(channels)
        .zip(index.chunks_exact(channels));
    for (window, (gradient, index)) in windows.enumerate() {
        let mut counts = [0; 4];
        for (channel, (gradient, place)) in gradient.iter().zip(index).enumerate() {
            let bucket = usize::from(*place & 3);
            buckets[bucket * channels + counts[bucket]] = Entry {
                offset: channel as u32,
                value: *gradient,
            };
            counts[bucket] += usize::from(*place != DEAD && *gradient != 0.0);
        }
        let base = window / width * steps[0] + window % width * steps[1];
        for (bucket, count) in counts.into_iter().enumerate() {
            let start = entries.len();
            entries.extend_from_slice(&buckets[bucket * channels..][..count]);
            if count > 0 {
                jobs.push(Job {
                    start,
                    end: start + count,
                    target: base + places[bucket],
                });
            }
        }
    }
    (entries, jobs)
}
