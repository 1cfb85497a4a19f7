//! Batch normalisation fused with what follows it: residual, ReLU and 2×2 max-pool.
//!
//! Ioffe & Szegedy 2015, as PyTorch has it: the biased variance normalises, the unbiased one goes
//! into the running statistics.

use rayon::prelude::*;

use super::Engine;
use super::convolution::{Band, Bands, Epilogue, Maps, check_len};
use super::pool::pool_rows;
use super::scratch;
use super::simd::{Kernel, Simd};

mod gradient;
#[cfg(test)]
mod tests;

pub use gradient::{Following, NormGradients, backward};

/// Mean and variance of each channel over a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// The means.
    pub mean: Vec<f32>,
    /// The biased variances: squared deviations over their number.
    pub variance: Vec<f32>,
    /// How many numbers of each channel there were.
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
            mean.push(centre as f32);
            variance.push(((within + each * between) / (each * batch)) as f32);
        }
        Self {
            mean,
            variance,
            count: maps.positions(),
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

/// A factor and a summand for each channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Affine {
    /// The factors.
    pub scale: Vec<f32>,
    /// The summands.
    pub shift: Vec<f32>,
}

impl Affine {
    /// What normalising by `mean` and `variance` and then applying `gamma` and `beta` amounts to.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn new(mean: &[f32], variance: &[f32], gamma: &[f32], beta: &[f32], epsilon: f32) -> Self {
        let channels = mean.len();
        check_len("variance", variance.len(), channels);
        check_len("gamma", gamma.len(), channels);
        check_len("beta", beta.len(), channels);
        let scale: Vec<f32> = gamma
            .iter()
            .zip(variance)
            .map(|(gamma, variance)| gamma / (variance + epsilon).sqrt())
            .collect();
        let shift = beta
            .iter()
            .zip(mean.iter().zip(&scale))
            .map(|(beta, (mean, scale))| beta - mean * scale)
            .collect();
        Self { scale, shift }
    }

    /// Folds the scale into `weights` (out, anything) and writes to `bias` what is added after
    /// them: a convolution with these does what the one with the old bias and the normalisation
    /// did.
    ///
    /// # Panics
    /// If a length does not fit.
    pub fn fold(&self, weights: &mut [f32], bias: &mut [f32]) {
        let channels = self.scale.len();
        check_len("bias", bias.len(), channels);
        let depth = weights.len() / channels.max(1);
        check_len("weights", weights.len(), depth * channels);
        if depth > 0 {
            for (weights, scale) in weights.chunks_exact_mut(depth).zip(&self.scale) {
                weights.iter_mut().for_each(|weight| *weight *= scale);
            }
        }
        for (bias, (scale, shift)) in bias.iter_mut().zip(self.scale.iter().zip(&self.shift)) {
            *bias = *bias * scale + shift;
        }
    }
}

/// Writes `x * scale + shift`, plus residual, with ReLU and pool as `epilogue` asks (its bias is
/// not used), to `y`; `x` and the residual are (batch, `height`, `width`, channels), `y` is as `x`
/// or pooled. `index` as in [`forward`](super::convolution::forward).
///
/// # Panics
/// If a length does not fit.
pub fn apply(
    engine: Engine,
    maps: Maps,
    affine: &Affine,
    x: &[f32],
    epilogue: Epilogue<'_>,
    y: &mut [f32],
    index: Option<&mut [u8]>,
) {
    let channels = affine.scale.len();
    check_len("shift", affine.shift.len(), channels);
    check_len("maps", x.len(), maps.positions() * channels);
    let bands = Bands::new(maps, channels, &epilogue, y, index);
    bands.into_par_iter().for_each(|band| {
        let picture = maps.height * maps.width * channels;
        let start = band.picture * picture + band.top * maps.width * channels;
        let x = &x[start..start + band.rows * maps.width * channels];
        engine.run(Apply {
            affine,
            x,
            epilogue,
            width: maps.width,
            band,
        });
    });
}

struct Apply<'a> {
    affine: &'a Affine,
    x: &'a [f32],
    epilogue: Epilogue<'a>,
    width: usize,
    band: Band<'a>,
}

impl Kernel for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let channels = self.affine.scale.len();
        let residual = self.band.residual;
        if !self.epilogue.pool {
            return add_and_scale(
                simd,
                self.affine,
                self.x,
                residual,
                self.epilogue.relu,
                self.band.y,
            );
        }
        let row = self.width * channels;
        let pooled = self.width / 2 * channels;
        let pair = &mut *scratch::take(2 * row);
        for number in 0..self.band.rows / 2 {
            let x = &self.x[2 * number * row..][..2 * row];
            let residual = residual.map(|residual| &residual[2 * number * row..][..2 * row]);
            add_and_scale(simd, self.affine, x, residual, false, pair);
            let here = number * pooled..(number + 1) * pooled;
            let y = &mut self.band.y[here.clone()];
            let index = self.band.index.as_mut().map(|index| &mut index[here]);
            let (top, bottom) = pair.split_at(row);
            pool_rows(simd, [top, bottom], channels, self.epilogue.relu, y, index);
        }
    }
}

/// `x * scale + shift + residual`, position by position.
#[inline(always)]
fn add_and_scale<S: Simd>(
    simd: S,
    affine: &Affine,
    x: &[f32],
    residual: Option<&[f32]>,
    relu: bool,
    y: &mut [f32],
) {
    let channels = affine.scale.len();
    let positions = x.chunks_exact(channels).zip(y.chunks_exact_mut(channels));
    for (position, (x, y)) in positions.enumerate() {
        for start in (0..channels).step_by(S::LANES) {
            let end = channels.min(start + S::LANES);
            let scale = simd.read(&affine.scale[start..end]);
            let shift = simd.read(&affine.shift[start..end]);
            let mut number = simd.mul_add(simd.read(&x[start..end]), scale, shift);
            if let Some(residual) = residual {
                let at = position * channels;
                number = simd.add(number, simd.read(&residual[at + start..at + end]));
            }
            if relu {
                number = simd.relu(number);
            }
            simd.write(&mut y[start..end], number);
        }
    }
}
