//! The gradients of a dense layer.

use rayon::prelude::*;

use super::Dense;
use crate::ops::kernel::Engine;
use crate::ops::kernel::convolution::check_len;
use crate::ops::kernel::product::{Product, multiply};
use crate::ops::kernel::simd::{Kernel, Simd};

/// Outputs whose weight gradients one task makes: the rows of a register tile. Layers of fewer
/// inputs than this are one task.
const OUTPUTS: usize = 6;
const INPUTS: usize = 64;

/// Pictures whose input gradients one task makes at most.
const ROWS: usize = 32;

/// Writes the gradients of a dense layer: `dw` (outputs, inputs), `db` (outputs) and, where wanted,
/// `dx` (batch, inputs), given the `gradient` of its output (batch, outputs) before any ReLU.
///
/// # Panics
/// If a length does not fit.
#[expect(
    clippy::too_many_arguments,
    reason = "three operands, three results and their shape"
)]
pub fn backward(
    engine: Engine,
    shape: Dense,
    x: &[f32],
    weights: &[f32],
    gradient: &[f32],
    dw: &mut [f32],
    db: &mut [f32],
    dx: Option<&mut [f32]>,
) {
    shape.check(x.len(), weights.len(), gradient.len());
    check_len("weight gradient", dw.len(), weights.len());
    check_len("bias gradient", db.len(), shape.outputs);
    db.fill(0.0);
    for gradient in gradient.chunks_exact(shape.outputs.max(1)) {
        for (sum, gradient) in db.iter_mut().zip(gradient) {
            *sum += gradient;
        }
    }
    weight_gradient(engine, shape, x, gradient, dw);
    if let Some(dx) = dx {
        check_len("input gradient", dx.len(), x.len());
        input_gradient(engine, shape, weights, gradient, dx);
    }
}

/// `gradientᵀ * x`.
fn weight_gradient(engine: Engine, shape: Dense, x: &[f32], gradient: &[f32], dw: &mut [f32]) {
    let Dense {
        batch,
        inputs,
        outputs,
    } = shape;
    if dw.is_empty() {
        return;
    }
    let rows = if inputs >= INPUTS { OUTPUTS } else { outputs };
    dw.par_chunks_mut(rows * inputs)
        .enumerate()
        .for_each(|(number, dw)| {
            let product = Product {
                segments: 1,
                depth: batch,
                a: &gradient[(number * rows).min(gradient.len())..],
                a_row: 1,
                a_depth: outputs,
                a_segment: 0,
                b: x,
                b_depth: inputs,
                b_segment: 0,
            };
            let shape = [dw.len() / inputs, inputs];
            engine.run(Multiply {
                shape,
                product,
                y: dw,
            });
        });
}

/// `gradient * weights`.
fn input_gradient(engine: Engine, shape: Dense, weights: &[f32], gradient: &[f32], dx: &mut [f32]) {
    let Dense {
        batch,
        inputs,
        outputs,
    } = shape;
    if dx.is_empty() {
        return;
    }
    // Every task reads all the weights, so it had better have many rows to use them for.
    let rows = batch.div_ceil(rayon::current_num_threads()).min(ROWS);
    dx.par_chunks_mut(rows * inputs)
        .enumerate()
        .for_each(|(number, dx)| {
            let product = Product {
                segments: 1,
                depth: outputs,
                a: &gradient[number * rows * outputs..],
                a_row: outputs,
                a_depth: 1,
                a_segment: 0,
                b: weights,
                b_depth: inputs,
                b_segment: 0,
            };
            let shape = [dx.len() / inputs, inputs];
            engine.run(Multiply {
                shape,
                product,
                y: dx,
            });
        });
}

struct Multiply<'a> {
    shape: [usize; 2],
    product: Product<'a>,
    y: &'a mut [f32],
}

impl Kernel for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let columns = self.shape[1];
        multiply(simd, self.shape, self.product, self.y, columns);
    }
}
