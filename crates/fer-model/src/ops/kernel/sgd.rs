//! Stochastic gradient descent with momentum in one pass over parameters, velocity and gradient.

use rayon::prelude::*;

use crate::ops::kernel::Engine;
use crate::ops::kernel::convolution::check_len;
use crate::ops::kernel::simd::{Kernel, Simd};

/// Parameters that a thread updates at a time.
const CHUNK: usize = 32 * 1024;

/// The constants of stochastic gradient descent as PyTorch's `torch.optim.SGD` has it, without
/// dampening.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// The learning rate.
    pub rate: f32,
    /// How much of the velocity is kept, 0 to 1.
    pub momentum: f32,
    /// Whether a step looks ahead along the new velocity (Nesterov).
    pub nesterov: bool,
    /// The share of the parameters that is added to their gradient.
    pub decay: f32,
}

impl Sgd {
    /// One step: changes `parameters` and the `velocity` by the `gradient`; all are of one length.
    /// The velocity before the first step is zero.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn update(
        &self,
        engine: Engine,
        gradient: &[f32],
        parameters: &mut [f32],
        velocity: &mut [f32],
    ) {
        check_len("gradient", gradient.len(), parameters.len());
        check_len("velocity", velocity.len(), parameters.len());
        parameters
            .par_chunks_mut(CHUNK)
            .zip(velocity.par_chunks_mut(CHUNK))
            .zip(gradient.par_chunks(CHUNK))
            .for_each(|((parameters, velocity), gradient)| {
                engine.run(Update {
                    constants: *self,
                    gradient,
                    parameters,
                    velocity,
                });
            });
    }
}

struct Update<'a> {
    constants: Sgd,
    gradient: &'a [f32],
    parameters: &'a mut [f32],
    velocity: &'a mut [f32],
}

impl Kernel for Update<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Sgd { nesterov, .. } = self.constants;
        let (rate, decay) = (
            simd.splat(self.constants.rate),
            simd.splat(self.constants.decay),
        );
        let momentum = simd.splat(self.constants.momentum);
        let numbers = self
            .parameters
            .chunks_mut(S::LANES)
            .zip(self.velocity.chunks_mut(S::LANES))
            .zip(self.gradient.chunks(S::LANES));
        for ((parameters, velocity), gradient) in numbers {
            let place = simd.read(parameters);
            let slope = simd.mul_add(decay, place, simd.read(gradient));
            let speed = simd.mul_add(momentum, simd.read(velocity), slope);
            let change = if nesterov {
                simd.mul_add(momentum, speed, slope)
            } else {
                speed
            };
            simd.write(velocity, speed);
            simd.write(parameters, simd.neg_mul_add(rate, change, place));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::kernel::reference::{assert_close, engines, numbers, with_threads};

    const SGD: Sgd = Sgd {
        rate: 0.1,
        momentum: 0.9,
        nesterov: true,
        decay: 0.05,
    };

    /// The rule of PyTorch's documentation in `f64`.
    fn expected(sgd: &Sgd, steps: u64, start: &[f32]) -> Vec<f64> {
        let mut parameters: Vec<f64> = start.iter().copied().map(f64::from).collect();
        let mut velocity = vec![0.0; start.len()];
        let [rate, momentum, decay] = [sgd.rate, sgd.momentum, sgd.decay].map(f64::from);
        for step in 1..=steps {
            let gradient = numbers(step, start.len());
            for (place, parameter) in parameters.iter_mut().enumerate() {
                let slope = f64::from(gradient[place]) + decay * *parameter;
                velocity[place] = momentum * velocity[place] + slope;
                *parameter -= rate
                    * if sgd.nesterov {
                        slope + momentum * velocity[place]
                    } else {
                        velocity[place]
                    };
            }
        }
        parameters
    }

    fn run(sgd: &Sgd, engine: Engine, steps: u64, start: &[f32]) -> Vec<f32> {
        let (mut parameters, mut velocity) = (start.to_vec(), vec![0.0; start.len()]);
        for step in 1..=steps {
            let gradient = numbers(step, start.len());
            sgd.update(engine, &gradient, &mut parameters, &mut velocity);
        }
        parameters
    }

    #[test]
    fn every_form_follows_the_rule() {
        let start = numbers(99, 37);
        for nesterov in [false, true] {
            for (momentum, decay) in [(0.0, 0.0), (0.9, 0.0), (0.5, 0.05)] {
                let sgd = Sgd {
                    momentum,
                    nesterov,
                    decay,
                    ..SGD
                };
                let expected = expected(&sgd, 20, &start);
                for engine in engines() {
                    let found = run(&sgd, engine, 20, &start);
                    assert_close(engine.name(), &found, &expected, 2e-6);
                }
            }
        }
    }

    #[test]
    fn each_constant_tells() {
        let start = numbers(99, 37);
        let of = |sgd: Sgd| run(&sgd, Engine::Plain, 3, &start);
        let others = [
            Sgd { rate: 0.2, ..SGD },
            Sgd {
                momentum: 0.8,
                ..SGD
            },
            Sgd {
                nesterov: false,
                ..SGD
            },
            Sgd { decay: 0.0, ..SGD },
        ];
        for other in others {
            assert_ne!(of(SGD), of(other), "{other:?}");
        }
    }

    #[test]
    fn any_number_of_threads_gives_the_same_bits() {
        let start = numbers(99, 3 * CHUNK + 5);
        for engine in engines() {
            let work = |threads| with_threads(threads, || run(&SGD, engine, 2, &start));
            assert_eq!(work(1), work(4));
        }
    }
}
