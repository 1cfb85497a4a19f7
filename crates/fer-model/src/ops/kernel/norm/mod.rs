//! Batch normalisation fused with what follows it: residual, ReLU and 2×2 max-pool.
//!
//! Ioffe & Szegedy 2015, as PyTorch has it: the biased variance normalises, the unbiased one goes
//! into the running statistics.

use rayon::prelude::*;

use super::Engine;
use super::convolution::{Maps, check_len};
use super::scratch;
use super::simd::{Kernel, Simd};

mod apply;
mod gradient;
#[cfg(test)]
mod tests;

pub use apply::{Affine, apply};
pub(crate) use apply::{Factors, apply_factors};
pub use gradient::{Following, NormGradients, backward, backward_in_part};
pub(crate) use gradient::{Operands, Sums};

/// Mean and variance of each channel over a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// The means.
    pub mean: Vec<f32>,
    /// The biased variances: squared deviations over their number.
    pub variance: Vec<f32>,
    /// How many numbers of each channel there were; 0 where the statistics are not the batch's but
    /// fixed, so that no gradient goes through them.
    pub count: usize,
}

impl Statistics {
    /// The statistics of `x` (batch, `height`, `width`, `channels`).
    ///
    /// Deviations are taken from the mean of each picture and joined in `f64` (Chan, Golub &
    /// LeVeque 1979), so a mean far from zero costs no accuracy.
    ///
    /// # Panics
    /// If a length does not fit, or the batch is empty.
    pub fn of(engine: Engine, maps: Maps, channels: usize, x: &[f32]) -> Self {
        let narrow = |values: Vec<f64>| values.into_iter().map(|value| value as f32).collect();
        let [mean, variance] = wide(engine, maps, channels, x);
        Self {
            mean: narrow(mean),
            variance: narrow(variance),
            count: maps.positions(),
        }
    }

    /// What the parts of a batch add up to give the statistics of all of it: how many numbers of each
    /// channel there are, then the channels' sums, then their sums of squares, 2·`channels` + 1 in all. `x`
    /// as for [`of`](Self::of), but it may be empty.
    ///
    /// # Panics
    /// If a length does not fit.
    pub fn totals(engine: Engine, maps: Maps, channels: usize, x: &[f32]) -> Vec<f64> {
        let mut totals = vec![0.0; 2 * channels + 1];
        if x.is_empty() {
            return totals;
        }
        let [mean, variance] = wide(engine, maps, channels, x);
        let count = maps.positions() as f64;
        totals[0] = count;
        let (sums, squares) = totals[1..].split_at_mut(channels);
        for (channel, (mean, variance)) in mean.into_iter().zip(variance).enumerate() {
            sums[channel] = mean * count;
            squares[channel] = (variance + mean * mean) * count;
        }
        totals
    }

    /// The statistics of a batch from the sum of the [`totals`](Self::totals) of its parts.
    pub fn from_totals(totals: &[f64]) -> Self {
        let count = totals.first().copied().unwrap_or(0.0);
        let (sums, squares) = totals[1..].split_at(totals.len() / 2);
        let mean = |sum: &f64| sum / count;
        let variances = sums.iter().zip(squares).map(|(sum, square)| {
            let mean = mean(sum);
            (square / count - mean * mean).max(0.0) as f32
        });
        Self {
            mean: sums.iter().map(|sum| mean(sum) as f32).collect(),
            variance: variances.collect(),
            count: count as usize,
        }
    }

    /// Moves running statistics towards these by `momentum` (PyTorch's 0.1: a tenth of the way),
    /// the variance unbiased. Of a single number the unbiased variance does not exist; it is NaN
    /// then, as its definition says.
    ///
    /// # Panics
    /// If a length does not fit.
    pub fn update_running(&self, momentum: f32, mean: &mut [f32], variance: &mut [f32]) {
        check_len("running mean", mean.len(), self.mean.len());
        check_len("running variance", variance.len(), self.variance.len());
        let unbiased = self.count as f32 / (self.count as f32 - 1.0);
        for (running, batch) in mean.iter_mut().zip(&self.mean) {
            *running += momentum * (batch - *running);
        }
        for (running, batch) in variance.iter_mut().zip(&self.variance) {
            *running += momentum * (batch * unbiased - *running);
        }
    }

    /// `1 / sqrt(variance + epsilon)` of each channel.
    pub fn inverse_deviation(&self, epsilon: f32) -> Vec<f32> {
        let variances = self.variance.iter();
        variances
            .map(|variance| 1.0 / (variance + epsilon).sqrt())
            .collect()
    }
}

/// The means and the variances of `x`.
fn wide(engine: Engine, maps: Maps, channels: usize, x: &[f32]) -> [Vec<f64>; 2] {
    check_len("maps", x.len(), maps.positions() * channels);
    assert!(!x.is_empty(), "statistics of an empty batch");
    let moments = &mut *scratch::take(2 * maps.batch * channels);
    let picture = maps.height * maps.width * channels;
    moments
        .par_chunks_mut(2 * channels)
        .zip(x.par_chunks(picture))
        .for_each(|(moments, x)| engine.run(Moments { x, moments }));
    let each = (maps.height * maps.width) as f64;
    let batch = maps.batch as f64;
    let (mut mean, mut variance) = (Vec::new(), Vec::new());
    for channel in 0..channels {
        let pictures = moments.chunks_exact(2 * channels);
        let means = pictures.clone().map(|moments| f64::from(moments[channel]));
        let centre = means.clone().sum::<f64>() / batch;
        let between: f64 = means.map(|mean| (mean - centre).powi(2)).sum();
        let within: f64 = pictures
            .map(|moments| f64::from(moments[channels + channel]))
            .sum();
        mean.push(centre);
        variance.push((within + each * between) / (each * batch));
    }
    [mean, variance]
}

/// Mean and sum of squared deviations of one picture's channels.
struct Moments<'a> {
    x: &'a [f32],
    moments: &'a mut [f32],
}

impl Kernel for Moments<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (means, squares) = self.moments.split_at_mut(self.moments.len() / 2);
        let channels = means.len();
        let count = simd.splat((self.x.len() / channels) as f32);
        for start in (0..channels).step_by(S::LANES) {
            let end = channels.min(start + S::LANES);
            // Four sums run side by side, for an addition waits for the one before it.
            let mut totals = [simd.splat(0.0); 4];
            for four in self.x.chunks(4 * channels) {
                for (total, position) in totals.iter_mut().zip(four.chunks_exact(channels)) {
                    *total = simd.add(*total, simd.read(&position[start..end]));
                }
            }
            let [a, b, c, d] = totals;
            let mean = simd.div(simd.add(simd.add(a, b), simd.add(c, d)), count);
            let mut totals = [simd.splat(0.0); 4];
            for four in self.x.chunks(4 * channels) {
                for (total, position) in totals.iter_mut().zip(four.chunks_exact(channels)) {
                    let away = simd.sub(simd.read(&position[start..end]), mean);
                    *total = simd.mul_add(away, away, *total);
                }
            }
            let [a, b, c, d] = totals;
            simd.write(&mut means[start..end], mean);
            simd.write(
                &mut squares[start..end],
                simd.add(simd.add(a, b), simd.add(c, d)),
            );
        }
    }
}
