//! Dense layers: forward and both gradients.

use rayon::prelude::*;

use crate::ops::kernel::Engine;
use crate::ops::kernel::convolution::check_len;
use crate::ops::kernel::scratch;
use crate::ops::kernel::simd::{Kernel, Simd};

mod gradient;
#[cfg(test)]
mod tests;

pub use gradient::backward;

/// Inputs that are multiplied before the next outputs' turn: the weights of eight outputs are
/// 40 KiB then.
const DEPTH: usize = 1280;

/// Outputs that one task makes.
const OUTPUTS: usize = 8;

/// The shape of a dense layer and its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dense {
    /// Pictures.
    pub batch: usize,
    /// Numbers that go in, for each picture.
    pub inputs: usize,
    /// Numbers that come out, for each picture.
    pub outputs: usize,
}

impl Dense {
    fn check(&self, x: usize, weights: usize, y: usize) {
        check_len("input", x, self.batch * self.inputs);
        check_len("weights", weights, self.outputs * self.inputs);
        check_len("output", y, self.batch * self.outputs);
    }
}

/// Writes `x * weightsᵀ + bias` to `y` (batch, outputs), with a ReLU if asked for; `x` is (batch,
/// inputs), `weights` (outputs, inputs).
///
/// # Panics
/// If a length does not fit.
pub fn forward(
    engine: Engine,
    shape: Dense,
    x: &[f32],
    weights: &[f32],
    bias: Option<&[f32]>,
    relu: bool,
    y: &mut [f32],
) {
    shape.check(x.len(), weights.len(), y.len());
    if let Some(bias) = bias {
        check_len("bias", bias.len(), shape.outputs);
    }
    let Dense {
        batch,
        inputs,
        outputs,
    } = shape;
    if batch == 0 || outputs == 0 {
        return;
    }
    // The columns of `y` that a task makes are not neighbours, so it makes them elsewhere.
    let columns = &mut *scratch::take(outputs.next_multiple_of(OUTPUTS) * batch);
    columns
        .par_chunks_mut(OUTPUTS * batch)
        .enumerate()
        .for_each(|(number, columns)| {
            let first = number * OUTPUTS;
            let count = OUTPUTS.min(outputs - first);
            let weights = &weights[first * inputs..][..count * inputs];
            engine.run(Dots {
                x,
                weights,
                inputs,
                count,
                columns,
            });
        });
    for (place, y) in y.iter_mut().enumerate() {
        let (row, output) = (place / outputs, place % outputs);
        let task = output / OUTPUTS;
        let sum = columns[(task * batch + row) * OUTPUTS + output % OUTPUTS];
        let sum = sum + bias.map_or(0.0, |bias| bias[output]);
        *y = if relu && sum < 0.0 { 0.0 } else { sum };
    }
}

/// The products of every row of `x` with `count` rows of `weights`; `columns` is
/// (batch, [`OUTPUTS`]).
struct Dots<'a> {
    x: &'a [f32],
    weights: &'a [f32],
    inputs: usize,
    count: usize,
    columns: &'a mut [f32],
}

impl Kernel for Dots<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        self.columns.fill(0.0);
        let batch = self.columns.len() / OUTPUTS;
        for start in (0..self.inputs).step_by(DEPTH) {
            let part = [start, self.inputs.min(start + DEPTH)];
            let mut row = 0;
            while row < batch {
                if batch - row >= 3 {
                    self.rows::<S, 3>(simd, row, part);
                    row += 3;
                } else {
                    self.rows::<S, 1>(simd, row, part);
                    row += 1;
                }
            }
        }
    }
}

impl Dots<'_> {
    #[inline(always)]
    fn rows<S: Simd, const R: usize>(&mut self, simd: S, row: usize, part: [usize; 2]) {
        let mut output = 0;
        while output < self.count {
            let left = self.count - output;
            let step = if left >= 8 && S::TILE_VECTORS >= 4 {
                self.tile::<S, R, 8>(simd, row, output, part)
            } else if left >= 4 {
                self.tile::<S, R, 4>(simd, row, output, part)
            } else {
                self.tile::<S, R, 1>(simd, row, output, part)
            };
            output += step;
        }
    }

    #[inline(always)]
    fn tile<S: Simd, const R: usize, const O: usize>(
        &mut self,
        simd: S,
        row: usize,
        output: usize,
        [start, end]: [usize; 2],
    ) -> usize {
        let rows = |from: &'_ [f32], first: usize, number: usize| {
            let at = (first + number) * self.inputs;
            from[at + start..at + end].as_ptr()
        };
        let sums = simd.call(Dot::<R, O> {
            left: std::array::from_fn(|number| rows(self.x, row, number)),
            right: std::array::from_fn(|number| rows(self.weights, output, number)),
            len: end - start,
        });
        for (number, sums) in sums.into_iter().enumerate() {
            let columns = &mut self.columns[(row + number) * OUTPUTS + output..][..O];
            for (column, sum) in columns.iter_mut().zip(sums) {
                *column += sum;
            }
        }
        O
    }
}

/// All the products of `R` rows with `O` rows, each `len` numbers long.
struct Dot<const R: usize, const O: usize> {
    left: [*const f32; R],
    right: [*const f32; O],
    len: usize,
}

impl<const R: usize, const O: usize> Kernel for Dot<R, O> {
    type Output = [[f32; O]; R];

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> [[f32; O]; R] {
        let mut totals = [[simd.splat(0.0); O]; R];
        let whole = self.len / S::LANES * S::LANES;
        for place in (0..whole).step_by(S::LANES) {
            self.add::<S, true>(simd, place, &mut totals);
        }
        if whole < self.len {
            self.add::<S, false>(simd, whole, &mut totals);
        }
        let mut sums = [[0.0; O]; R];
        for (sums, totals) in sums.iter_mut().zip(totals) {
            for (sum, total) in sums.iter_mut().zip(totals) {
                *sum = simd.sum(total);
            }
        }
        sums
    }
}

impl<const R: usize, const O: usize> Dot<R, O> {
    /// Adds the products of a vector from `place` on, which is not full unless `WHOLE`.
    #[inline(always)]
    fn add<S: Simd, const WHOLE: bool>(
        &self,
        simd: S,
        place: usize,
        totals: &mut [[S::Vector; O]; R],
    ) {
        let count = self.len - place;
        let mut left = [simd.splat(0.0); R];
        for (vector, row) in left.iter_mut().zip(self.left) {
            // SAFETY: `tile`, which alone makes this type, has taken every pointer from a slice of
            // `len` numbers, and `place + count` is `len`; a `WHOLE` vector is no longer.
            *vector = unsafe {
                if WHOLE {
                    simd.load(row.add(place))
                } else {
                    simd.load_part(row.add(place), count)
                }
            };
        }
        for output in 0..O {
            // SAFETY: as above.
            let right = unsafe {
                if WHOLE {
                    simd.load(self.right[output].add(place))
                } else {
                    simd.load_part(self.right[output].add(place), count)
                }
            };
            for (totals, left) in totals.iter_mut().zip(left) {
                totals[output] = simd.mul_add(left, right, totals[output]);
            }
        }
    }
}
