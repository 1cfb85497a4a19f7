//! Adam and AdamW in one pass over parameters, moments and gradient.

use rayon::prelude::*;

use crate::ops::kernel::Engine;
use crate::ops::kernel::convolution::check_len;
use crate::ops::kernel::simd::{Kernel, Simd};

#[cfg(test)]
mod tests;

/// Parameters that a thread updates at a time.
const CHUNK: usize = 32 * 1024;

/// Where epsilon stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Epsilon {
    /// Added to the root of the second moment as it is: Keras, and the form with the better
    /// constant step in section 2 of Kingma & Ba 2015.
    Keras,
    /// Added to the root of the second moment after its correction: PyTorch, and algorithm 1 of
    /// Kingma & Ba 2015.
    PyTorch,
}

/// The constants of Adam (Kingma & Ba 2015), and of AdamW (Loshchilov & Hutter 2019) where `decay`
/// is not zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// The learning rate.
    pub rate: f32,
    /// How much of the first moment is kept, 0 to 1.
    pub beta1: f64,
    /// How much of the second moment is kept, 0 to 1.
    pub beta2: f64,
    /// What keeps the quotient finite.
    pub epsilon: f32,
    /// Where it stands.
    pub form: Epsilon,
    /// The share of the parameters, times the rate, that each step takes away; 0 is plain Adam.
    pub decay: f32,
}

impl Adam {
    /// Adam as Keras has it: betas 0.9 and 0.999, epsilon 1e-7 outside the correction, no decay.
    pub fn keras(rate: f32) -> Self {
        Self {
            rate,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-7,
            form: Epsilon::Keras,
            decay: 0.0,
        }
    }

    /// AdamW as PyTorch has it: betas 0.9 and 0.999, epsilon 1e-8 inside the correction.
    pub fn pytorch(rate: f32, decay: f32) -> Self {
        Self {
            epsilon: 1e-8,
            form: Epsilon::PyTorch,
            decay,
            ..Self::keras(rate)
        }
    }

    /// One step, the `step`th (from 1): changes `parameters` and the moments `first` and `second`
    /// by the `gradient`; all are of one length.
    ///
    /// # Panics
    /// If the lengths differ or `step` is 0.
    pub fn update(
        &self,
        engine: Engine,
        step: u32,
        gradient: &[f32],
        parameters: &mut [f32],
        first: &mut [f32],
        second: &mut [f32],
    ) {
        check_len("gradient", gradient.len(), parameters.len());
        check_len("first moment", first.len(), parameters.len());
        check_len("second moment", second.len(), parameters.len());
        let factors = self.factors(step);
        parameters
            .par_chunks_mut(CHUNK)
            .zip(first.par_chunks_mut(CHUNK))
            .zip(second.par_chunks_mut(CHUNK))
            .zip(gradient.par_chunks(CHUNK))
            .for_each(|(((parameters, first), second), gradient)| {
                engine.run(Update {
                    factors,
                    gradient,
                    parameters,
                    first,
                    second,
                });
            });
    }

    fn factors(&self, step: u32) -> Factors {
        assert!(step > 0, "the first step is number 1");
        let power = i32::try_from(step).unwrap_or(i32::MAX);
        let first = 1.0 / (1.0 - self.beta1.powi(power));
        let second = 1.0 / (1.0 - self.beta2.powi(power));
        let rate = f64::from(self.rate);
        let (rate, second) = match self.form {
            Epsilon::Keras => (rate * first / second.sqrt(), 1.0),
            Epsilon::PyTorch => (rate * first, second),
        };
        Factors {
            keep: 1.0 - self.rate * self.decay,
            first: [self.beta1 as f32, (1.0 - self.beta1) as f32],
            second: [self.beta2 as f32, (1.0 - self.beta2) as f32],
            rate: rate as f32,
            correction: second as f32,
            epsilon: self.epsilon,
        }
    }
}

/// What one step multiplies by.
#[derive(Clone, Copy)]
struct Factors {
    keep: f32,
    first: [f32; 2],
    second: [f32; 2],
    rate: f32,
    correction: f32,
    epsilon: f32,
}

struct Update<'a> {
    factors: Factors,
    gradient: &'a [f32],
    parameters: &'a mut [f32],
    first: &'a mut [f32],
    second: &'a mut [f32],
}

impl Kernel for Update<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let factors = self.factors;
        let [keep_first, add_first] = [simd.splat(factors.first[0]), simd.splat(factors.first[1])];
        let [keep_second, add_second] =
            [simd.splat(factors.second[0]), simd.splat(factors.second[1])];
        let (keep, rate) = (simd.splat(factors.keep), simd.splat(factors.rate));
        let (correction, epsilon) = (simd.splat(factors.correction), simd.splat(factors.epsilon));
        let moments = self
            .first
            .chunks_mut(S::LANES)
            .zip(self.second.chunks_mut(S::LANES));
        let numbers = self
            .parameters
            .chunks_mut(S::LANES)
            .zip(self.gradient.chunks(S::LANES));
        for ((first, second), (parameters, gradient)) in moments.zip(numbers) {
            let gradient = simd.read(gradient);
            let mean = simd.mul_add(keep_first, simd.read(first), simd.mul(add_first, gradient));
            let square = simd.mul(add_second, simd.mul(gradient, gradient));
            let square = simd.mul_add(keep_second, simd.read(second), square);
            simd.write(first, mean);
            simd.write(second, square);
            let root = simd.sqrt(simd.mul(square, correction));
            let change = simd.div(simd.mul(rate, mean), simd.add(root, epsilon));
            let kept = simd.mul(keep, simd.read(parameters));
            simd.write(parameters, simd.sub(kept, change));
        }
    }
}
