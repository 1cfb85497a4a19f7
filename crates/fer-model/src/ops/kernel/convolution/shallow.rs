//! Convolutions of few products (those of the first layer) with a 2×2 max-pool: the four sums of a
//! window stay in registers until one has won.

use crate::ops::kernel::pool::{DEAD, largest};
use crate::ops::kernel::product::{Block, blocks};
use crate::ops::kernel::simd::{Kernel, Simd};

/// Products in one output up to which this form is the faster one.
pub(crate) const MOST: usize = 32;

/// Taps whose sums are kept in registers side by side.
const TAPS: usize = 9;

/// Where the inputs of some rows of windows lie.
#[derive(Clone, Copy)]
pub(crate) struct Windows<'a> {
    /// The input, padded, from the first window on.
    pub(crate) x: &'a [f32],
    /// From one kernel row to the next.
    pub(crate) step: usize,
    /// From one output to the next, down and across.
    pub(crate) outputs: [usize; 2],
    /// Rows of windows, and windows in a row.
    pub(crate) count: [usize; 2],
    /// Side of the kernel.
    pub(crate) kernel: usize,
    /// Numbers in a kernel row: kernel columns by channels.
    pub(crate) run: usize,
}

impl Windows<'_> {
    /// Panics unless every input lies in `x`; `step` and the others are not negative, so the last
    /// one is the one to look at.
    fn check(&self) {
        let [down, across] = self.outputs;
        let [rows, columns] = self.count.map(|count| 2 * count - 1);
        let last = rows * down + columns * across + (self.kernel - 1) * self.step + self.run - 1;
        assert!(last < self.x.len(), "{last} of {}", self.x.len());
    }

    /// Offsets of a window's four outputs.
    fn places(&self) -> [usize; 4] {
        let [down, across] = self.outputs;
        [0, across, down, down + across]
    }
}

/// Convolves, pools and writes `y` and `index`, all of them rows of windows by channels.
#[expect(clippy::too_many_arguments, reason = "operands and results")]
#[inline(always)]
pub(crate) fn forward<S: Simd>(
    simd: S,
    windows: Windows<'_>,
    packed: &[f32],
    bias: Option<&[f32]>,
    relu: bool,
    channels: usize,
    y: &mut [f32],
    mut index: Option<&mut [u8]>,
) {
    let depth = windows.kernel * windows.run;
    for block in blocks::<S>(channels) {
        let part = Forward {
            windows,
            packed: &packed[block.start * depth..][..block.columns * depth],
            bias: bias.map(|bias| &bias[block.start..]),
            relu,
            channels,
            block,
            y,
            index: index.as_deref_mut(),
        };
        match (block.vectors, block.columns == block.vectors * S::LANES) {
            (_, false) => simd.call(Columns::<1, false>(part)),
            (1, true) => simd.call(Columns::<1, true>(part)),
            (2, true) => simd.call(Columns::<2, true>(part)),
            (3, true) => simd.call(Columns::<3, true>(part)),
            (4, true) => simd.call(Columns::<4, true>(part)),
            (more, _) => unreachable!("no block has {more} vectors"),
        }
    }
}

struct Forward<'a> {
    windows: Windows<'a>,
    packed: &'a [f32],
    bias: Option<&'a [f32]>,
    relu: bool,
    channels: usize,
    block: Block,
    y: &'a mut [f32],
    index: Option<&'a mut [u8]>,
}

/// `C` vectors of channels, all lanes in use if `WHOLE`.
struct Columns<'a, const C: usize, const WHOLE: bool>(Forward<'a>);

impl<const C: usize, const WHOLE: bool> Kernel for Columns<'_, C, WHOLE> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self(mut part) = self;
        let windows = part.windows;
        let columns = if WHOLE {
            C * S::LANES
        } else {
            part.block.columns
        };
        windows.check();
        assert!(columns <= C * S::LANES && (WHOLE || C == 1));
        assert!(windows.kernel * windows.run * columns <= part.packed.len());
        let mut bias = [simd.splat(0.0); C];
        if let Some(from) = part.bias {
            for (number, bias) in bias.iter_mut().enumerate() {
                *bias = simd.read(&from[number * S::LANES..columns]);
            }
        }
        let [rows, across] = windows.count;
        for row in 0..rows {
            for column in 0..across {
                let start = 2 * (row * windows.outputs[0] + column * windows.outputs[1]);
                // SAFETY: `check` has seen the last input of the last window, and all the packed
                // weights are there.
                let sums = unsafe {
                    window::<S, C, WHOLE>(simd, &windows, start, part.packed, columns, bias)
                };
                let at = (row * across + column) * part.channels + part.block.start;
                let [first, second, third, fourth] = sums;
                let below = third.into_iter().zip(fourth);
                let each = first.into_iter().zip(second).zip(below).enumerate();
                for (number, ((first, second), (third, fourth))) in each {
                    let candidates = [first, second, third, fourth];
                    let (best, place) = largest(simd, candidates, part.relu);
                    let lanes = at + number * S::LANES..at + columns.min((number + 1) * S::LANES);
                    simd.write(&mut part.y[lanes.clone()], best);
                    if let Some(index) = &mut part.index {
                        simd.write_bytes(place, &mut index[lanes]);
                    }
                }
            }
        }
    }
}

/// The sums of one window's four outputs.
///
/// # Safety
/// From `start` on, the inputs of the window lie in the input; `packed` holds `columns` weights for
/// every term, and `columns` is `C` vectors or, if not `WHOLE`, less than the one.
#[inline(always)]
unsafe fn window<S: Simd, const C: usize, const WHOLE: bool>(
    simd: S,
    windows: &Windows<'_>,
    start: usize,
    packed: &[f32],
    columns: usize,
    bias: [S::Vector; C],
) -> [[S::Vector; C]; 4] {
    let places = windows.places();
    let mut sums = [bias; 4];
    let mut weights = packed.as_ptr();
    for row in 0..windows.kernel {
        for term in 0..windows.run {
            let at = start + row * windows.step + term;
            let mut right = [simd.splat(0.0); C];
            for (number, right) in right.iter_mut().enumerate() {
                // SAFETY: `weights` stands at one of the terms, each `columns` long.
                *right = unsafe {
                    if WHOLE {
                        simd.load(weights.add(number * S::LANES))
                    } else {
                        simd.load_part(weights, columns)
                    }
                };
            }
            for (sums, place) in sums.iter_mut().zip(places) {
                // SAFETY: an input of the window, which the caller vouches for.
                let left = simd.splat(unsafe { *windows.x.as_ptr().add(at + place) });
                for (sum, right) in sums.iter_mut().zip(right) {
                    *sum = simd.mul_add(left, right, *sum);
                }
            }
            weights = weights.wrapping_add(columns);
        }
    }
    sums
}

/// Adds to `part` (block after block, in each term after term) and to `sums` (a number for each
/// channel) the gradients of weights and bias, given those of the pool's output.
#[inline(always)]
pub(crate) fn weight_gradient<S: Simd>(
    simd: S,
    windows: Windows<'_>,
    gradient: &[f32],
    index: &[u8],
    part: &mut [f32],
    sums: &mut [f32],
) {
    let channels = sums.len();
    let depth = windows.kernel * windows.run;
    for block in blocks::<S>(channels) {
        let part = &mut part[block.start * depth..][..block.columns * depth];
        for lane in (0..block.columns).step_by(S::LANES) {
            let lanes = [lane, block.columns.min(lane + S::LANES)].map(|lane| block.start + lane);
            for first in (0..depth).step_by(TAPS) {
                let taps = Taps {
                    windows,
                    gradient,
                    index,
                    channels,
                    lanes,
                    first,
                    row: block.columns,
                    part: &mut part[first * block.columns + lane..],
                    sums: (first == 0).then_some(&mut *sums),
                };
                macro_rules! of {
                    ($($count:literal)*) => {
                        match TAPS.min(depth - first) {
                            $($count => simd.call(Gradient::<$count>(taps)),)*
                            more => unreachable!("no group has {more} taps"),
                        }
                    };
                }
                of!(1 2 3 4 5 6 7 8 9);
            }
        }
    }
}

struct Taps<'a> {
    windows: Windows<'a>,
    gradient: &'a [f32],
    index: &'a [u8],
    channels: usize,
    lanes: [usize; 2],
    first: usize,
    row: usize,
    part: &'a mut [f32],
    sums: Option<&'a mut [f32]>,
}

/// The gradients of `T` taps of a vector of channels.
struct Gradient<'a, const T: usize>(Taps<'a>);

impl<const T: usize> Kernel for Gradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self(taps) = self;
        let (windows, [begin, end]) = (taps.windows, taps.lanes);
        windows.check();
        assert!(taps.first + T <= windows.kernel * windows.run);
        let zero = simd.splat(0.0);
        let (mut totals, mut offsets) = ([zero; T], [0; T]);
        for (tap, total) in totals.iter_mut().enumerate() {
            let term = taps.first + tap;
            offsets[tap] = term / windows.run * windows.step + term % windows.run;
            *total = simd.read(&taps.part[tap * taps.row..][..end - begin]);
        }
        let mut sum = zero;
        let (places, [_, across]) = (windows.places(), windows.count);
        let each = taps
            .gradient
            .chunks_exact(taps.channels)
            .zip(taps.index.chunks_exact(taps.channels));
        for (window, (gradient, index)) in each.enumerate().take(windows.count[0] * across) {
            let gradient = simd.read(&gradient[begin..end]);
            let place = simd.read_bytes(&index[begin..end]);
            let dead = simd.equal(place, simd.splat(f32::from(DEAD)));
            sum = simd.add(sum, simd.select(dead, zero, gradient));
            let (row, column) = (window / across, window % across);
            let start = 2 * (row * windows.outputs[0] + column * windows.outputs[1]);
            for (number, offset) in places.into_iter().enumerate() {
                let here = simd.equal(place, simd.splat(number as f32));
                let gradient = simd.select(here, gradient, zero);
                for (total, tap) in totals.iter_mut().zip(offsets) {
                    // SAFETY: an input of a window; `check` has seen the last of the last.
                    let x = simd.splat(unsafe { *windows.x.as_ptr().add(start + offset + tap) });
                    *total = simd.mul_add(x, gradient, *total);
                }
            }
        }
        for (tap, total) in totals.into_iter().enumerate() {
            simd.write(&mut taps.part[tap * taps.row..][..end - begin], total);
        }
        if let Some(sums) = taps.sums {
            let sums = &mut sums[begin..end];
            let total = simd.add(simd.read(sums), sum);
            simd.write(sums, total);
        }
    }
}
