//! The gradients for weights and bias of a convolution that a 2×2 max-pool follows.
//!
//! Of the pool's four candidates one wins, and a ReLU kills some of those: at most a quarter of the
//! gradient before the pool is not zero, and only that is multiplied.

use std::ops::Range;

use rayon::prelude::*;

use super::shallow::{self, Windows};
use super::sparse_sum::{Entry, Job, Sums, passes};
use super::weight_gradient::unpack;
use super::{Convolution, Maps, add_in_order, check_len, chunks_of};
use crate::ops::kernel::Engine;
use crate::ops::kernel::pool::DEAD;
use crate::ops::kernel::scratch;
use crate::ops::kernel::simd::{Kernel, Simd};
use crate::ops::kernel::window::Window;

/// Numbers of input that are worked on at a time: 24 KiB stay in the first level of cache.
const BAND: usize = 6 * 1024;

/// Writes to `dw` (out, in, kernel row, kernel column) and `db` (`out_channels`) the gradients of
/// weights and bias of a convolution followed by a 2×2 max-pool, given the input `x`, the
/// `gradient` of the pool's output (batch, rows, columns, `out_channels`) and the `index` that
/// [`forward`](super::forward) wrote.
///
/// Most products with the zeros of positions that did not win are left out, so that an infinite
/// input there is not turned into NaN, as a dense gradient would turn it.
///
/// # Panics
/// If a length does not fit.
#[expect(
    clippy::too_many_arguments,
    reason = "two operands, two results and their shape"
)]
pub fn pooled_weight_gradient(
    engine: Engine,
    convolution: &Convolution,
    maps: Maps,
    x: &[f32],
    gradient: &[f32],
    index: &[u8],
    dw: &mut [f32],
    db: &mut [f32],
) {
    let channels = convolution.out_channels;
    let pooled = maps.after(convolution).pooled();
    check_len("input", x.len(), maps.positions() * convolution.in_channels);
    check_len("gradient", gradient.len(), pooled.positions() * channels);
    check_len("index", index.len(), gradient.len());
    check_len("weight gradient", dw.len(), convolution.weights());
    check_len("bias gradient", db.len(), channels);
    if gradient.is_empty() {
        dw.fill(0.0);
        return db.fill(0.0);
    }
    let chunks = chunks_of(maps.batch);
    let len = dw.len() + channels;
    let parts = &mut *scratch::take(chunks.len() * (len + channels));
    let (parts, sums) = parts.split_at_mut(chunks.len() * dw.len());
    let sums = &mut sums[..chunks.len() * channels];
    parts
        .par_chunks_mut(dw.len())
        .zip(sums.par_chunks_mut(channels))
        .zip(chunks)
        .for_each(|((part, sums), chunk)| {
            part.fill(0.0);
            sums.fill(0.0);
            engine.run(Chunk {
                convolution,
                maps,
                x,
                gradient,
                index,
                chunk,
                part,
                sums,
            });
        });
    add_in_order(sums, db);
    if is_narrow(engine, convolution) {
        unpack(engine, convolution, parts, dw);
    } else {
        unpack_by_output(convolution, parts, dw);
    }
}

/// Whether a kernel row is shorter than a vector, so that vectors had better run over the output
/// channels, zeros included.
fn is_narrow(engine: Engine, convolution: &Convolution) -> bool {
    struct Narrow(usize);
    impl Kernel for Narrow {
        type Output = bool;
        #[inline(always)]
        fn run<S: Simd>(self, _: S) -> bool {
            self.0 < S::LANES
        }
    }
    engine.run(Narrow(convolution.kernel * convolution.in_channels))
}

/// Adds the parts, laid out (out, kernel row, kernel column, in), and puts them in PyTorch's order.
fn unpack_by_output(convolution: &Convolution, parts: &[f32], dw: &mut [f32]) {
    let (channels, taps) = (convolution.in_channels, convolution.kernel.pow(2));
    let (depth, len) = (convolution.depth(), dw.len());
    dw.par_chunks_mut(depth).enumerate().for_each(|(out, dw)| {
        let sum = &mut *scratch::take(depth);
        for (chunk, part) in parts.chunks_exact(len).enumerate() {
            let part = &part[out * depth..][..depth];
            if chunk == 0 {
                sum.copy_from_slice(part);
            } else {
                sum.iter_mut()
                    .zip(part)
                    .for_each(|(sum, part)| *sum += part);
            }
        }
        for (channel, dw) in dw.chunks_exact_mut(taps).enumerate() {
            for (tap, dw) in dw.iter_mut().enumerate() {
                *dw = sum[tap * channels + channel];
            }
        }
    });
}

struct Chunk<'a> {
    convolution: &'a Convolution,
    maps: Maps,
    x: &'a [f32],
    gradient: &'a [f32],
    index: &'a [u8],
    chunk: Range<usize>,
    part: &'a mut [f32],
    sums: &'a mut [f32],
}

impl Kernel for Chunk<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let convolution = self.convolution;
        let (padding, stride) = (convolution.padding, convolution.stride);
        let pooled = self.maps.after(convolution).pooled();
        let columns = self.maps.width + 2 * padding;
        let step = columns * convolution.in_channels;
        let shape = [self.maps.height, self.maps.width, convolution.in_channels];
        let image = shape.iter().product::<usize>();
        let row = pooled.width * convolution.out_channels;
        let band = (BAND / step / stride / 2).max(1).min(pooled.height);
        let narrow = convolution.kernel * convolution.in_channels < S::LANES;
        let mut lists = Lists::new(convolution.out_channels, band * pooled.width);
        for number in self.chunk.clone() {
            let x = &self.x[number * image..][..image];
            for first in (0..pooled.height).step_by(band) {
                let rows = band.min(pooled.height - first);
                let window = Window {
                    top: (2 * first * stride) as isize - padding as isize,
                    left: -(padding as isize),
                    rows: (2 * rows - 1) * stride + convolution.kernel,
                    columns,
                };
                let start = (number * pooled.height + first) * row;
                let here = start..start + rows * row;
                let padded = &mut *scratch::take(window.rows * step);
                window.copy(x, shape, padded);
                if narrow {
                    self.spread(simd, padded, step, here);
                } else {
                    self.listed(simd, padded, step, here, &mut lists);
                }
            }
        }
    }
}

impl Chunk<'_> {
    /// Adds some pooled rows with the zeros that the pool left out.
    #[inline(always)]
    fn spread<S: Simd>(&mut self, simd: S, x: &[f32], step: usize, here: Range<usize>) {
        let convolution = self.convolution;
        let (gradient, index) = (&self.gradient[here.clone()], &self.index[here]);
        let columns = self.maps.after(convolution).pooled().width;
        let windows = Windows {
            x,
            step,
            outputs: [step, convolution.in_channels].map(|number| convolution.stride * number),
            count: [
                gradient.len() / (columns * convolution.out_channels),
                columns,
            ],
            kernel: convolution.kernel,
            run: convolution.kernel * convolution.in_channels,
        };
        shallow::weight_gradient(simd, windows, gradient, index, self.part, self.sums);
    }

    /// Adds some pooled rows, winners only.
    #[inline(always)]
    fn listed<S: Simd>(
        &mut self,
        simd: S,
        x: &[f32],
        step: usize,
        here: Range<usize>,
        lists: &mut Lists,
    ) {
        let convolution = self.convolution;
        let width = self.maps.after(convolution).pooled().width;
        let (gradient, index) = (&self.gradient[here.clone()], &self.index[here]);
        let pixel = convolution.stride * convolution.in_channels;
        let line = convolution.stride * step;
        lists.fill(
            gradient,
            index,
            width,
            [0, pixel, line, line + pixel],
            [2 * line, 2 * pixel],
        );
        let run = convolution.kernel * convolution.in_channels;
        let depth = convolution.depth();
        for (out, sum) in self.sums.iter_mut().enumerate() {
            *sum += lists.of(out).iter().map(|entry| entry.value).sum::<f32>();
        }
        let mut sums = Sums {
            entries: &lists.entries,
            jobs: &lists.jobs(depth),
            source: x,
            source_step: 1,
            source_row: step,
            target: self.part,
            target_row: run,
        };
        for pass in passes::<S>(run, Sums::most_of_three::<S>()) {
            sums.add(simd, convolution.kernel, pass);
        }
    }
}

/// The winners of some windows, a list for every channel.
struct Lists {
    entries: Vec<Entry>,
    counts: Vec<usize>,
    room: usize,
}

impl Lists {
    fn new(channels: usize, room: usize) -> Self {
        Self {
            entries: vec![Entry::default(); channels * room],
            counts: vec![0; channels],
            room,
        }
    }

    /// Lists the winners of rows of `width` windows; `places` are the offsets of a window's four
    /// positions, `steps` those from window to window, down and across.
    fn fill(
        &mut self,
        gradient: &[f32],
        index: &[u8],
        width: usize,
        places: [usize; 4],
        steps: [usize; 2],
    ) {
        self.counts.fill(0);
        let channels = self.counts.len();
        let windows = gradient
            .chunks_exact(channels)
            .zip(index.chunks_exact(channels));
        for (window, (gradient, index)) in windows.enumerate() {
            let base = window / width * steps[0] + window % width * steps[1];
            let offsets = places.map(|place| (base + place) as u32);
            let lists = self
                .entries
                .chunks_exact_mut(self.room)
                .zip(&mut self.counts);
            for ((list, count), (gradient, place)) in lists.zip(gradient.iter().zip(index)) {
                list[*count] = Entry {
                    offset: offsets[usize::from(*place & 3)],
                    value: *gradient,
                };
                *count += usize::from(*place != DEAD && *gradient != 0.0);
            }
        }
    }

    fn of(&self, channel: usize) -> &[Entry] {
        &self.entries[channel * self.room..][..self.counts[channel]]
    }

    /// One sum for every channel, with targets `step` apart.
    fn jobs(&self, step: usize) -> Vec<Job> {
        let counts = self.counts.iter().enumerate();
        counts
            .map(|(channel, count)| Job {
                start: channel * self.room,
                end: channel * self.room + count,
                target: channel * step,
            })
            .collect()
    }
}
