//! The mean over all positions of each channel.

use rayon::prelude::*;

use super::Engine;
use super::convolution::{Maps, check_len};
use super::simd::{Kernel, Simd};

/// Writes to `y` (batch, `channels`) the means of `x` (batch, `height`, `width`, `channels`).
///
/// # Panics
/// If a length does not fit.
pub fn global_mean(engine: Engine, maps: Maps, channels: usize, x: &[f32], y: &mut [f32]) {
    let positions = maps.height * maps.width;
    check_len("input", x.len(), maps.positions() * channels);
    check_len("output", y.len(), maps.batch * channels);
    if x.is_empty() {
        return y.fill(f32::NAN);
    }
    y.par_chunks_mut(channels)
        .zip(x.par_chunks(positions * channels))
        .for_each(|(y, x)| engine.run(Mean { x, y }));
}

struct Mean<'a> {
    x: &'a [f32],
    y: &'a mut [f32],
}

impl Kernel for Mean<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let channels = self.y.len();
        let count = simd.splat((self.x.len() / channels) as f32);
        for start in (0..channels).step_by(S::LANES) {
            let end = channels.min(start + S::LANES);
            let mut total = simd.splat(0.0);
            for position in self.x.chunks_exact(channels) {
                total = simd.add(total, simd.read(&position[start..end]));
            }
            simd.write(&mut self.y[start..end], simd.div(total, count));
        }
    }
}

/// Writes to `dx` (batch, `height`, `width`, `channels`) the gradient of [`global_mean`]'s input,
/// given the `gradient` of its output (batch, `channels`).
///
/// # Panics
/// If a length does not fit.
pub fn global_mean_gradient(maps: Maps, channels: usize, gradient: &[f32], dx: &mut [f32]) {
    let positions = maps.height * maps.width;
    check_len("gradient", gradient.len(), maps.batch * channels);
    check_len("input gradient", dx.len(), maps.positions() * channels);
    if dx.is_empty() {
        return;
    }
    dx.par_chunks_mut(positions * channels)
        .zip(gradient.par_chunks(channels))
        .for_each(|(dx, gradient)| {
            let (first, rest) = dx.split_at_mut(channels);
            for (dx, gradient) in first.iter_mut().zip(gradient) {
                *dx = gradient / positions as f32;
            }
            for dx in rest.chunks_exact_mut(channels) {
                dx.copy_from_slice(first);
            }
        });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::kernel::reference::{assert_close, engines, numbers};

    #[test]
    fn means_and_their_gradient_are_the_definition() {
        for (batch, height, width, channels) in [(1, 1, 1, 1), (2, 3, 5, 17), (3, 6, 6, 70)] {
            let maps = Maps {
                batch,
                height,
                width,
            };
            let (x, gradient) = (
                numbers(1, maps.positions() * channels),
                numbers(2, batch * channels),
            );
            let positions = height * width;
            let mut y = vec![0.0; batch * channels];
            let mut dx = vec![0.0; x.len()];
            for (place, x) in x.iter().enumerate() {
                let mean = place / (positions * channels) * channels + place % channels;
                y[mean] += f64::from(*x) / positions as f64;
                dx[place] = f64::from(gradient[mean]) / positions as f64;
            }
            let mut got = vec![f32::NAN; x.len()];
            global_mean_gradient(maps, channels, &gradient, &mut got);
            assert_close("gradient", &got, &dx, 1e-6);
            for engine in engines() {
                let mut got = vec![f32::NAN; y.len()];
                global_mean(engine, maps, channels, &x, &mut got);
                assert_close(engine.name(), &got, &y, 1e-6);
            }
        }
    }
}
