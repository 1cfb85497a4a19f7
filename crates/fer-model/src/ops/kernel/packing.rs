//! Weights in the order in which the kernels read them.
//!
//! Outside, weights have PyTorch's layout: (out, in, kernel row, kernel column). Inside, the
//! output channels fall into blocks as wide as a register tile; a block holds, term after term
//! (kernel row, kernel column, input channel), its channels side by side.

use rayon::prelude::*;

use super::Engine;
use super::product::{Block, blocks};
use super::scratch;
use super::simd::{Kernel, Simd};

/// The blocks of `columns` for an engine chosen at run time.
pub(crate) fn blocks_of(engine: Engine, columns: usize) -> Vec<Block> {
    struct Blocks(usize);
    impl Kernel for Blocks {
        type Output = Vec<Block>;
        #[inline(always)]
        fn run<S: Simd>(self, _: S) -> Vec<Block> {
            blocks::<S>(self.0).collect()
        }
    }
    engine.run(Blocks(columns))
}

/// Weights as they lie outside the kernels: where the number of tap `t`, channel `c` and column
/// `o` is.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    /// All the weights.
    pub(crate) weights: &'a [f32],
    /// Where each tap lies.
    pub(crate) taps: &'a [usize],
    /// Channels: terms of the product for each tap.
    pub(crate) channels: usize,
    /// Step from channel to channel.
    pub(crate) channel_step: usize,
    /// Columns of the product.
    pub(crate) columns: usize,
    /// Step from column to column.
    pub(crate) column_step: usize,
}

/// Fills `packed` (taps by channels by columns numbers) in the order of [`multiply_packed`]: the
/// terms are taps, in each the channels.
///
/// [`multiply_packed`]: super::product::multiply_packed
pub(crate) fn pack(engine: Engine, source: Source<'_>, packed: &mut [f32]) {
    let depth = source.taps.len() * source.channels;
    assert_eq!(packed.len(), depth * source.columns, "packed weights");
    let mut rest = packed;
    let mut parts = Vec::new();
    for block in blocks_of(engine, source.columns) {
        let (part, after) = rest.split_at_mut(block.columns * depth);
        parts.push((block, part));
        rest = after;
    }
    parts
        .into_par_iter()
        .for_each(|(block, part)| pack_block(source, block, part));
}

/// Columns that are packed together: a cache line of the result.
const GROUP: usize = 16;

/// One block of columns. The taps of a weight lie together outside and far apart inside, at
/// distances that share a set of the cache; so the result is written in whole lines.
fn pack_block(source: Source<'_>, block: Block, part: &mut [f32]) {
    let row = source.channels * block.columns;
    let lines = &mut *scratch::take(source.taps.len() * GROUP);
    for channel in 0..source.channels {
        for first in (0..block.columns).step_by(GROUP) {
            let lanes = GROUP.min(block.columns - first);
            let column = block.start + first;
            let from = channel * source.channel_step + column * source.column_step;
            for lane in 0..lanes {
                let weights = &source.weights[from + lane * source.column_step..];
                for (line, offset) in lines.chunks_exact_mut(GROUP).zip(source.taps) {
                    line[lane] = weights[*offset];
                }
            }
            let to = channel * block.columns + first;
            for (tap, line) in lines.chunks_exact(GROUP).enumerate() {
                part[tap * row + to..][..lanes].copy_from_slice(&line[..lanes]);
            }
        }
    }
}
