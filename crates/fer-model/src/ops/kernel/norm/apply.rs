//! A factor and a summand for each channel, and what follows them.

use rayon::prelude::*;

use crate::ops::kernel::Engine;
use crate::ops::kernel::convolution::{Band, Bands, Epilogue, Maps, check_len};
use crate::ops::kernel::pool::pool_rows;
use crate::ops::kernel::scratch;
use crate::ops::kernel::simd::{Kernel, Simd};

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
/// or pooled. `index` as in [`forward`](crate::ops::kernel::convolution::forward).
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
    check_len("shift", affine.shift.len(), affine.scale.len());
    let factors = |_| Factors {
        scale: &affine.scale,
        shift: &affine.shift,
    };
    let channels = affine.scale.len();
    apply_factors(engine, maps, channels, factors, x, epilogue, y, index);
}

/// As [`apply`], with a factor and a summand for each of `channels` that each picture may have of its
/// own.
#[expect(
    clippy::too_many_arguments,
    reason = "operands, result and their shape"
)]
pub(crate) fn apply_factors<'a>(
    engine: Engine,
    maps: Maps,
    channels: usize,
    factors: impl Fn(usize) -> Factors<'a> + Sync,
    x: &[f32],
    epilogue: Epilogue<'_>,
    y: &mut [f32],
    index: Option<&mut [u8]>,
) {
    check_len("maps", x.len(), maps.positions() * channels);
    let bands = Bands::new(maps, channels, &epilogue, y, index);
    bands.into_par_iter().for_each(|band| {
        let picture = maps.height * maps.width * channels;
        let start = band.picture * picture + band.top * maps.width * channels;
        let x = &x[start..start + band.rows * maps.width * channels];
        engine.run(Apply {
            factors: factors(band.picture),
            x,
            epilogue,
            width: maps.width,
            band,
        });
    });
}

/// A factor and a summand for each channel of one picture.
#[derive(Clone, Copy)]
pub(crate) struct Factors<'a> {
    /// The factors.
    pub(crate) scale: &'a [f32],
    /// The summands.
    pub(crate) shift: &'a [f32],
}

struct Apply<'a> {
    factors: Factors<'a>,
    x: &'a [f32],
    epilogue: Epilogue<'a>,
    width: usize,
    band: Band<'a>,
}

impl Kernel for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let channels = self.factors.scale.len();
        let residual = self.band.residual;
        if !self.epilogue.pool {
            return add_and_scale(
                simd,
                self.factors,
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
            add_and_scale(simd, self.factors, x, residual, false, pair);
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
    factors: Factors<'_>,
    x: &[f32],
    residual: Option<&[f32]>,
    relu: bool,
    y: &mut [f32],
) {
    let channels = factors.scale.len();
    let positions = x.chunks_exact(channels).zip(y.chunks_exact_mut(channels));
    for (position, (x, y)) in positions.enumerate() {
        for start in (0..channels).step_by(S::LANES) {
            let end = channels.min(start + S::LANES);
            let scale = simd.read(&factors.scale[start..end]);
            let shift = simd.read(&factors.shift[start..end]);
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
