//! The gradient of a normalisation over the batch and of what follows it.

use std::convert::Infallible;

use rayon::prelude::*;

use super::Statistics;
use crate::ops::kernel::Engine;
use crate::ops::kernel::convolution::{Maps, check_len};
use crate::ops::kernel::pool::Spread;
use crate::ops::kernel::scratch;
use crate::ops::kernel::simd::{Kernel, Simd};

/// What followed the normalisation, as far as its gradient needs it.
#[derive(Clone, Copy, Debug)]
pub enum Following<'a> {
    /// Nothing, or a residual alone.
    Nothing,
    /// A ReLU, whose output this is.
    Relu(&'a [f32]),
    /// A 2×2 max-pool, with or without a ReLU, which wrote this index. The gradient has the
    /// pool's shape.
    Pool(&'a [u8]),
}

/// What [`backward`] writes.
#[derive(Debug)]
pub struct NormGradients<'a> {
    /// For the normalisation's input: (batch, `height`, `width`, channels).
    pub dx: &'a mut [f32],
    /// For the factors: one number for each channel.
    pub dgamma: &'a mut [f32],
    /// For the summands: one number for each channel.
    pub dbeta: &'a mut [f32],
    /// For the residual, where there was one: as `dx`.
    pub dresidual: Option<&'a mut [f32]>,
}

/// The gradients of [`apply`](super::apply) after [`Statistics::of`] the batch, or by fixed
/// statistics, given the
/// normalisation's input `x` (batch, `height`, `width`, channels), its statistics, `epsilon` and
/// `gamma`, and the `gradient` of what [`apply`](super::apply) wrote.
///
/// # Panics
/// If a length does not fit.
#[expect(clippy::too_many_arguments, reason = "the operands of one formula")]
pub fn backward(
    engine: Engine,
    maps: Maps,
    x: &[f32],
    statistics: &Statistics,
    epsilon: f32,
    gamma: &[f32],
    gradient: &[f32],
    following: Following<'_>,
    gradients: NormGradients<'_>,
) {
    let nothing = |_: &mut [f64]| Ok::<(), Infallible>(());
    let Ok(()) = backward_in_part(
        engine, maps, x, statistics, epsilon, gamma, gradient, following, gradients, nothing,
    );
}

/// As [`backward`] for one part of the batch that `statistics` are of, whose other parts go back
/// elsewhere. `total` replaces each of 2·channels numbers by its sum over the parts. The gradients of
/// gamma and beta are those of this part.
///
/// # Errors
/// That of `total`.
///
/// # Panics
/// If a length does not fit.
#[expect(clippy::too_many_arguments, reason = "the operands of one formula")]
pub fn backward_in_part<E>(
    engine: Engine,
    maps: Maps,
    x: &[f32],
    statistics: &Statistics,
    epsilon: f32,
    gamma: &[f32],
    gradient: &[f32],
    following: Following<'_>,
    gradients: NormGradients<'_>,
    total: impl FnOnce(&mut [f64]) -> Result<(), E>,
) -> Result<(), E> {
    let channels = gamma.len();
    let NormGradients {
        dx,
        dgamma,
        dbeta,
        dresidual,
    } = gradients;
    let operands = Operands {
        maps,
        x,
        mean: &statistics.mean,
        gradient,
        following,
        channels,
    };
    operands.check();
    check_len("input gradient", dx.len(), x.len());
    check_len("gradient of gamma", dgamma.len(), channels);
    check_len("gradient of beta", dbeta.len(), channels);
    let picture = maps.height * maps.width * channels;
    let inverse = statistics.inverse_deviation(epsilon);
    let sums = &mut *scratch::take(2 * maps.batch * channels);
    sums.par_chunks_mut(2 * channels)
        .zip(dx.par_chunks_mut(picture))
        .enumerate()
        .for_each(|(number, (sums, dx))| {
            engine.run(Sums {
                operands,
                number,
                sums,
                dx,
            })
        });
    if let Some(dresidual) = dresidual {
        check_len("residual gradient", dresidual.len(), x.len());
        dresidual
            .par_chunks_mut(picture)
            .zip(dx.par_chunks(picture))
            .for_each(|(to, from)| to.copy_from_slice(from));
    }
    // What a number adds to fixed statistics is nothing.
    let count = match statistics.count {
        0 => f64::INFINITY,
        count => count as f64,
    };
    let of_pictures = |place: usize| -> f64 {
        let pictures = sums.chunks_exact(2 * channels);
        pictures.map(|sums| f64::from(sums[place])).sum()
    };
    let mut totals: Vec<f64> = (0..2 * channels).map(of_pictures).collect();
    for channel in 0..channels {
        dbeta[channel] = totals[channel] as f32;
        dgamma[channel] = (totals[channels + channel] * f64::from(inverse[channel])) as f32;
    }
    total(&mut totals)?;
    let factors = &mut *scratch::take(3 * channels);
    for channel in 0..channels {
        let (sum, product) = (totals[channel], totals[channels + channel]);
        let deviation = f64::from(inverse[channel]);
        let scale = f64::from(gamma[channel]) * deviation;
        let slope = -scale * product * deviation * deviation / count;
        factors[channel] = scale as f32;
        factors[channels + channel] = slope as f32;
        factors[2 * channels + channel] = (-scale * sum / count) as f32;
    }
    let (mean, factors) = (&statistics.mean[..], &*factors);
    dx.par_chunks_mut(picture)
        .zip(x.par_chunks(picture))
        .for_each(|(dx, x)| {
            engine.run(Finish {
                x,
                mean,
                factors,
                dx,
            })
        });
    Ok(())
}

/// What the gradients are made of.
#[derive(Clone, Copy)]
pub(crate) struct Operands<'a> {
    /// The input's maps.
    pub(crate) maps: Maps,
    /// The input.
    pub(crate) x: &'a [f32],
    /// What each channel's deviations are taken from.
    pub(crate) mean: &'a [f32],
    /// The gradient of what came out.
    pub(crate) gradient: &'a [f32],
    /// What followed.
    pub(crate) following: Following<'a>,
    /// Channels.
    pub(crate) channels: usize,
}

impl Operands<'_> {
    /// # Panics
    /// If a length does not fit.
    #[track_caller]
    pub(crate) fn check(&self) {
        let (gradient, len) = (self.gradient.len(), self.x.len());
        check_len("maps", len, self.maps.positions() * self.channels);
        check_len("mean", self.mean.len(), self.channels);
        match self.following {
            Following::Nothing => check_len("gradient", gradient, len),
            Following::Relu(y) => {
                check_len("gradient", gradient, len);
                check_len("output", y.len(), len);
            }
            Following::Pool(index) => {
                let pooled = self.maps.pooled().positions() * self.channels;
                check_len("gradient", gradient, pooled);
                check_len("index", index.len(), gradient);
            }
        }
    }
}

/// Writes one picture's gradient of the normalisation's output to `dx`, and to `sums` its sum and
/// that of its product with the deviation from the mean.
pub(crate) struct Sums<'a> {
    /// Of all the pictures.
    pub(crate) operands: Operands<'a>,
    /// The picture's.
    pub(crate) number: usize,
    /// Two numbers a channel: all the sums, then those of the products.
    pub(crate) sums: &'a mut [f32],
    /// As one picture's input.
    pub(crate) dx: &'a mut [f32],
}

impl Kernel for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Operands {
            maps,
            x,
            mean,
            gradient,
            following,
            channels,
        } = self.operands;
        let start = self.number * self.dx.len();
        let here = start..start + self.dx.len();
        match following {
            Following::Nothing => self.dx.copy_from_slice(&gradient[here.clone()]),
            Following::Relu(y) => mask(simd, &y[here.clone()], &gradient[here.clone()], self.dx),
            Following::Pool(index) => {
                let pooled = self.number * (maps.height / 2) * (maps.width / 2) * channels;
                let len = (maps.height / 2) * (maps.width / 2) * channels;
                let spread = Spread {
                    gradient: &gradient[pooled..pooled + len],
                    index: &index[pooled..pooled + len],
                    shape: [maps.height, maps.width, channels],
                    dx: self.dx,
                };
                spread.run(simd);
            }
        }
        let x = &x[here];
        let (sums, products) = self.sums.split_at_mut(channels);
        for start in (0..channels).step_by(S::LANES) {
            let end = channels.min(start + S::LANES);
            let mean = simd.read(&mean[start..end]);
            // Two sums run side by side, for an addition waits for the one before it.
            let mut totals = [[simd.splat(0.0); 2]; 2];
            for (dx, x) in self.dx.chunks(2 * channels).zip(x.chunks(2 * channels)) {
                let positions = dx.chunks_exact(channels).zip(x.chunks_exact(channels));
                for (totals, (dx, x)) in totals.iter_mut().zip(positions) {
                    let gradient = simd.read(&dx[start..end]);
                    let away = simd.sub(simd.read(&x[start..end]), mean);
                    totals[0] = simd.add(totals[0], gradient);
                    totals[1] = simd.mul_add(gradient, away, totals[1]);
                }
            }
            let [first, second] = totals;
            simd.write(&mut sums[start..end], simd.add(first[0], second[0]));
            simd.write(&mut products[start..end], simd.add(first[1], second[1]));
        }
    }
}

/// `gradient` where `y` is above zero or NaN.
#[inline(always)]
fn mask<S: Simd>(simd: S, y: &[f32], gradient: &[f32], dx: &mut [f32]) {
    let operands = y.chunks(S::LANES).zip(gradient.chunks(S::LANES));
    for (dx, (y, gradient)) in dx.chunks_mut(S::LANES).zip(operands) {
        let dead = simd.is_dead(simd.read(y));
        simd.write(dx, simd.select(dead, simd.splat(0.0), simd.read(gradient)));
    }
}

/// Turns one picture's gradient of the output into that of the input: `dx * scale + (x - mean) *
/// slope + shift`, with the three factors of each channel one row after another.
struct Finish<'a> {
    x: &'a [f32],
    mean: &'a [f32],
    factors: &'a [f32],
    dx: &'a mut [f32],
}

impl Kernel for Finish<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let channels = self.mean.len();
        let (scale, rest) = self.factors.split_at(channels);
        let (slope, shift) = rest.split_at(channels);
        for (dx, x) in self
            .dx
            .chunks_exact_mut(channels)
            .zip(self.x.chunks_exact(channels))
        {
            for start in (0..channels).step_by(S::LANES) {
                let lanes = start..channels.min(start + S::LANES);
                let away = simd.sub(
                    simd.read(&x[lanes.clone()]),
                    simd.read(&self.mean[lanes.clone()]),
                );
                let shift = simd.read(&shift[lanes.clone()]);
                let number = simd.mul_add(away, simd.read(&slope[lanes.clone()]), shift);
                let scale = simd.read(&scale[lanes.clone()]);
                let number = simd.mul_add(simd.read(&dx[lanes.clone()]), scale, number);
                simd.write(&mut dx[lanes], number);
            }
        }
    }
}
