//! Max-pooling of 2×2 windows and its reverse.

use rayon::prelude::*;

use super::Engine;
use super::convolution::{Maps, check_len, parts_of};
use super::simd::{Kernel, Simd};

/// The place of a maximum that the ReLU has made zero.
pub const DEAD: u8 = 255;

/// Pools two rows of `2 * n` positions into one of `n`; with `relu`, negative maxima become zero
/// and their place [`DEAD`].
#[inline(always)]
pub(crate) fn pool_rows<S: Simd>(
    simd: S,
    [top, bottom]: [&[f32]; 2],
    channels: usize,
    relu: bool,
    y: &mut [f32],
    mut index: Option<&mut [u8]>,
) {
    for (column, y) in y.chunks_exact_mut(channels).enumerate() {
        let at = 2 * column * channels;
        let top = &top[at..at + 2 * channels];
        let bottom = &bottom[at..at + 2 * channels];
        let mut places = index
            .as_mut()
            .map(|index| &mut index[column * channels..][..channels]);
        for lane in (0..channels).step_by(S::LANES) {
            let end = channels.min(lane + S::LANES);
            let candidates = [
                simd.read(&top[lane..end]),
                simd.read(&top[channels + lane..channels + end]),
                simd.read(&bottom[lane..end]),
                simd.read(&bottom[channels + lane..channels + end]),
            ];
            let (best, place) = largest(simd, candidates, relu);
            simd.write(&mut y[lane..end], best);
            if let Some(places) = &mut places {
                simd.write_bytes(place, &mut places[lane..end]);
            }
        }
    }
}

/// The largest of four, and its place; with `relu`, zero and [`DEAD`] in place of negatives.
#[inline(always)]
pub(crate) fn largest<S: Simd>(
    simd: S,
    candidates: [S::Vector; 4],
    relu: bool,
) -> (S::Vector, S::Vector) {
    let mut best = candidates[0];
    let mut place = simd.splat(0.0);
    for (number, candidate) in candidates.into_iter().enumerate().skip(1) {
        let wins = simd.beats(candidate, best);
        best = simd.select(wins, candidate, best);
        place = simd.select(wins, simd.splat(number as f32), place);
    }
    if relu {
        place = simd.select(simd.is_dead(best), simd.splat(f32::from(DEAD)), place);
        best = simd.relu(best);
    }
    (best, place)
}

/// Spreads a row of pooled gradients over the two rows of `2 * n` positions that they came from.
#[inline(always)]
pub(crate) fn spread_rows<S: Simd>(
    simd: S,
    gradient: &[f32],
    index: &[u8],
    channels: usize,
    [top, bottom]: [&mut [f32]; 2],
) {
    let windows = gradient
        .chunks_exact(channels)
        .zip(index.chunks_exact(channels));
    for (column, (gradient, index)) in windows.enumerate() {
        let at = 2 * column * channels;
        for lane in (0..channels).step_by(S::LANES) {
            let end = channels.min(lane + S::LANES);
            let gradient = simd.read(&gradient[lane..end]);
            let place = simd.read_bytes(&index[lane..end]);
            let (left, right) = (
                at + lane..at + end,
                at + channels + lane..at + channels + end,
            );
            simd.write(
                &mut top[left.clone()],
                where_equal(simd, gradient, place, 0.0),
            );
            simd.write(
                &mut top[right.clone()],
                where_equal(simd, gradient, place, 1.0),
            );
            simd.write(&mut bottom[left], where_equal(simd, gradient, place, 2.0));
            simd.write(&mut bottom[right], where_equal(simd, gradient, place, 3.0));
        }
    }
}

/// `gradient` where `place` is `number`, else zero.
#[inline(always)]
fn where_equal<S: Simd>(simd: S, gradient: S::Vector, place: S::Vector, number: f32) -> S::Vector {
    let here = simd.equal(place, simd.splat(number));
    simd.select(here, gradient, simd.splat(0.0))
}

/// The 2×2 max-pool of `x` (batch, `height`, `width`, `channels`), with a ReLU if asked for,
/// written to `y` (batch, `height / 2`, `width / 2`, `channels`); `index` as in
/// [`forward`](super::convolution::forward).
///
/// # Panics
/// If a length does not fit.
pub fn max_pool(
    engine: Engine,
    maps: Maps,
    channels: usize,
    x: &[f32],
    relu: bool,
    y: &mut [f32],
    index: Option<&mut [u8]>,
) {
    let out = maps.pooled();
    check_len("input", x.len(), maps.positions() * channels);
    check_len("output", y.len(), out.positions() * channels);
    if let Some(index) = &index {
        check_len("index", index.len(), y.len());
    }
    let (picture, pooled) = (maps.height * maps.width * channels, out.width * channels);
    if y.is_empty() {
        return;
    }
    let indices = parts_of(index, out.height * pooled, maps.batch);
    y.par_chunks_mut(out.height * pooled)
        .zip(x.par_chunks(picture))
        .zip(indices)
        .for_each(|((y, x), index)| {
            let rows = maps.width * channels;
            engine.run(Pool {
                x,
                rows,
                channels,
                relu,
                y,
                index,
                pooled,
            });
        });
}

struct Pool<'a> {
    x: &'a [f32],
    rows: usize,
    channels: usize,
    relu: bool,
    y: &'a mut [f32],
    index: Option<&'a mut [u8]>,
    pooled: usize,
}

impl Kernel for Pool<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        for (row, y) in self.y.chunks_exact_mut(self.pooled).enumerate() {
            let (top, bottom) = self.x[2 * row * self.rows..].split_at(self.rows);
            let index = self
                .index
                .as_mut()
                .map(|index| &mut index[row * self.pooled..][..self.pooled]);
            pool_rows(simd, [top, bottom], self.channels, self.relu, y, index);
        }
    }
}

/// The gradient of [`max_pool`] for its input: `gradient` (as its output) goes to the places in
/// `index`, zeros elsewhere; all of `dx` (as its input) is written.
///
/// # Panics
/// If a length does not fit.
pub fn max_pool_gradient(
    engine: Engine,
    maps: Maps,
    channels: usize,
    gradient: &[f32],
    index: &[u8],
    dx: &mut [f32],
) {
    let out = maps.pooled();
    check_len("gradient", gradient.len(), out.positions() * channels);
    check_len("index", index.len(), gradient.len());
    check_len("input gradient", dx.len(), maps.positions() * channels);
    if dx.is_empty() {
        return;
    }
    let (picture, pooled) = (
        maps.height * maps.width * channels,
        out.height * out.width * channels,
    );
    dx.par_chunks_mut(picture)
        .enumerate()
        .for_each(|(number, dx)| {
            let here = number * pooled..(number + 1) * pooled;
            let (gradient, index) = (&gradient[here.clone()], &index[here]);
            let shape = [maps.height, maps.width, channels];
            engine.run(Spread {
                gradient,
                index,
                shape,
                dx,
            });
        });
}

/// Spreads one picture's pooled gradients.
pub(crate) struct Spread<'a> {
    /// The gradients, pooled.
    pub(crate) gradient: &'a [f32],
    /// Their places.
    pub(crate) index: &'a [u8],
    /// Height, width and channels before the pool.
    pub(crate) shape: [usize; 3],
    /// The gradients before the pool; all of it is written.
    pub(crate) dx: &'a mut [f32],
}

impl Kernel for Spread<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let [height, width, channels] = self.shape;
        let (row, pooled) = (width * channels, width / 2 * channels);
        for (number, pair) in self.dx.chunks_mut(2 * row).enumerate() {
            if number == height / 2 {
                pair.fill(0.0);
                continue;
            }
            let (top, bottom) = pair.split_at_mut(row);
            top[2 * pooled..].fill(0.0);
            bottom[2 * pooled..].fill(0.0);
            let here = number * pooled..(number + 1) * pooled;
            let (gradient, index) = (&self.gradient[here.clone()], &self.index[here]);
            spread_rows(simd, gradient, index, channels, [top, bottom]);
        }
    }
}
