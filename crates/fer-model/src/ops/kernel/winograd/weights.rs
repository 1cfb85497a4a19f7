//! The transform of the weights and its reverse for their gradient.

use rayon::prelude::*;

use super::transform::KERNEL;
use super::{PATCH, PLANES};
use crate::ops::kernel::Engine;
use crate::ops::kernel::convolution::{Convolution, Maps};
use crate::ops::kernel::packing::{Source, blocks_of, pack};
use crate::ops::kernel::product::Block;
use crate::ops::kernel::scratch::{self, Aligned};
use crate::ops::kernel::simd::{Kernel, Simd};

/// Transformed weights: block after block of output channels, in each plane after plane, in each
/// the output channels of the block side by side for input channel after input channel.
#[derive(Clone)]
pub(crate) struct WinogradWeights {
    pub(super) engine: Engine,
    pub(super) convolution: Convolution,
    turned: bool,
    pub(super) blocks: Vec<Block>,
    pub(super) packed: Aligned,
}

impl WinogradWeights {
    /// Room for the weights of the forward pass.
    pub(crate) fn forward(engine: Engine, convolution: Convolution) -> Self {
        Self {
            engine,
            convolution,
            turned: false,
            blocks: blocks_of(engine, convolution.out_channels),
            packed: Aligned::zeros(PLANES * convolution.in_channels * convolution.out_channels),
        }
    }

    /// Room for the weights of the input's gradient: a convolution of the output's gradient with
    /// kernels turned by half a turn.
    pub(crate) fn backward(engine: Engine, convolution: Convolution) -> Self {
        let turned = Convolution {
            in_channels: convolution.out_channels,
            out_channels: convolution.in_channels,
            padding: 2 - convolution.padding,
            ..convolution
        };
        Self {
            turned: true,
            ..Self::forward(engine, turned)
        }
    }

    /// The convolution that the weights do; turned, its channels are swapped.
    pub(crate) fn convolution(&self) -> &Convolution {
        &self.convolution
    }

    /// For weights packed by [`backward`](Self::backward): the maps of the gradient that becomes
    /// that of input `maps`.
    pub(crate) fn maps_before(&self, maps: Maps) -> Maps {
        let side = |side: usize| (side + 2).saturating_sub(2 * self.convolution.padding);
        Maps {
            batch: maps.batch,
            height: side(maps.height),
            width: side(maps.width),
        }
    }

    /// Transforms `weights`, laid out (out, in, 3, 3).
    pub(crate) fn pack(&mut self, weights: &[f32]) {
        let (ins, outs) = (self.convolution.in_channels, self.convolution.out_channels);
        let source = Source {
            weights,
            taps: if self.turned {
                &[8, 7, 6, 5, 4, 3, 2, 1, 0]
            } else {
                &[0, 1, 2, 3, 4, 5, 6, 7, 8]
            },
            channels: ins,
            channel_step: if self.turned { 9 * outs } else { 9 },
            columns: outs,
            column_step: if self.turned { 9 } else { 9 * ins },
        };
        let engine = self.engine;
        let taps = &mut *scratch::take(9 * ins * outs);
        pack(engine, source, taps);
        let (mut tasks, mut rest) = (Vec::new(), self.packed.as_mut_slice());
        for block in &self.blocks {
            let taps = &taps[block.start * ins * 9..][..block.columns * ins * 9];
            for row in KERNEL {
                let (here, after) = rest.split_at_mut(PATCH * ins * block.columns);
                rest = after;
                tasks.push(Spread {
                    row,
                    taps,
                    planes: here,
                });
            }
        }
        tasks.into_par_iter().for_each(|task| engine.run(task));
    }
}

/// Makes six planes, those of one row of `G`, from the nine taps of a block.
struct Spread<'a> {
    row: [f32; 3],
    taps: &'a [f32],
    planes: &'a mut [f32],
}

impl Kernel for Spread<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let len = self.taps.len() / 9;
        let zero = simd.splat(0.0);
        for start in (0..len).step_by(S::LANES) {
            let end = len.min(start + S::LANES);
            let mut half = [zero; 3];
            for (column, half) in half.iter_mut().enumerate() {
                for (row, factor) in self.row.into_iter().enumerate() {
                    let tap = &self.taps[(row * 3 + column) * len..][start..end];
                    *half = simd.mul_add(simd.splat(factor), simd.read(tap), *half);
                }
            }
            for (place, factors) in KERNEL.into_iter().enumerate() {
                let mut sum = zero;
                for (factor, half) in factors.into_iter().zip(half) {
                    sum = simd.mul_add(simd.splat(factor), half, sum);
                }
                simd.write(&mut self.planes[place * len..][start..end], sum);
            }
        }
    }
}

/// Turns the gradient of the transformed weights (plane after plane, in each block after block)
/// into that of the weights: block after block, in each tap after tap.
pub(super) fn gather(engine: Engine, convolution: &Convolution, planes: &[f32], taps: &mut [f32]) {
    let (ins, outs) = (convolution.in_channels, convolution.out_channels);
    let (mut tasks, mut rest) = (Vec::new(), taps);
    for block in blocks_of(engine, outs) {
        for row in 0..3 {
            let (here, after) = rest.split_at_mut(3 * ins * block.columns);
            rest = after;
            let (plane, first) = (ins * outs, ins * block.start);
            tasks.push(Gather {
                row,
                planes,
                plane,
                first,
                taps: here,
            });
        }
    }
    tasks.into_par_iter().for_each(|task| engine.run(task));
}

/// Makes three taps, those of one kernel row, from the planes.
struct Gather<'a> {
    row: usize,
    planes: &'a [f32],
    plane: usize,
    first: usize,
    taps: &'a mut [f32],
}

impl Kernel for Gather<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let len = self.taps.len() / 3;
        let zero = simd.splat(0.0);
        for start in (0..len).step_by(S::LANES) {
            let end = len.min(start + S::LANES);
            let mut half = [zero; PATCH];
            for (column, half) in half.iter_mut().enumerate() {
                for (row, factors) in KERNEL.into_iter().enumerate() {
                    let plane = (row * PATCH + column) * self.plane + self.first;
                    let number = simd.read(&self.planes[plane + start..plane + end]);
                    *half = simd.mul_add(simd.splat(factors[self.row]), number, *half);
                }
            }
            for tap in 0..3 {
                let mut sum = zero;
                for (factors, half) in KERNEL.into_iter().zip(half) {
                    sum = simd.mul_add(simd.splat(factors[tap]), half, sum);
                }
                simd.write(&mut self.taps[tap * len..][start..end], sum);
            }
        }
    }
}
