//! Maps times a number for each picture and channel, plus other maps, and what follows.

use rayon::prelude::*;

use super::Engine;
use super::convolution::{Epilogue, Maps, check_len};
use super::norm::{Factors, Following, Operands, Sums, apply_factors};
use super::scratch;
use super::simd::{Kernel, Simd};

/// Writes `x * gates`, plus residual, with ReLU and pool as `epilogue` asks (its bias is not used),
/// to `y`; `x` and the residual are (batch, `height`, `width`, `channels`), `gates` are (batch,
/// `channels`), `y` is as `x` or pooled. `index` as in [`forward`](super::convolution::forward).
///
/// # Panics
/// If a length does not fit.
#[expect(
    clippy::too_many_arguments,
    reason = "operands, result and their shape"
)]
pub fn forward(
    engine: Engine,
    maps: Maps,
    channels: usize,
    gates: &[f32],
    x: &[f32],
    epilogue: Epilogue<'_>,
    y: &mut [f32],
    index: Option<&mut [u8]>,
) {
    check_len("gates", gates.len(), maps.batch * channels);
    let shift = &vec![0.0; channels];
    let factors = |picture: usize| Factors {
        scale: &gates[picture * channels..][..channels],
        shift,
    };
    apply_factors(engine, maps, channels, factors, x, epilogue, y, index);
}

/// What [`backward`] writes.
#[derive(Debug)]
pub struct GateGradients<'a> {
    /// For the maps that were multiplied: (batch, `height`, `width`, channels).
    pub dx: &'a mut [f32],
    /// For the gates: (batch, channels).
    pub dgates: &'a mut [f32],
    /// For the residual: as `dx`.
    pub dresidual: &'a mut [f32],
}

/// The gradients of [`forward`], given its `gates` and `x`, the `gradient` of what it wrote, and
/// what it ended with.
///
/// # Panics
/// If a length does not fit.
#[expect(
    clippy::too_many_arguments,
    reason = "operands, result and their shape"
)]
pub fn backward(
    engine: Engine,
    maps: Maps,
    channels: usize,
    gates: &[f32],
    x: &[f32],
    gradient: &[f32],
    following: Following<'_>,
    gradients: GateGradients<'_>,
) {
    let GateGradients {
        dx,
        dgates,
        dresidual,
    } = gradients;
    // Deviations from zero: the sums of their products are the gradients of the gates.
    let operands = Operands {
        maps,
        x,
        mean: &vec![0.0; channels],
        gradient,
        following,
        channels,
    };
    operands.check();
    check_len("gates", gates.len(), maps.batch * channels);
    check_len("gradient of the gates", dgates.len(), gates.len());
    check_len("input gradient", dx.len(), x.len());
    check_len("residual gradient", dresidual.len(), x.len());
    if x.is_empty() {
        return dgates.fill(0.0);
    }
    let picture = maps.height * maps.width * channels;
    let of_maps = dx
        .par_chunks_mut(picture)
        .zip(dresidual.par_chunks_mut(picture));
    let of_gates = dgates
        .par_chunks_mut(channels)
        .zip(gates.par_chunks(channels));
    of_maps
        .zip(of_gates)
        .enumerate()
        .for_each(|(number, ((dx, dresidual), (dgates, gates)))| {
            engine.run(Picture {
                operands,
                number,
                gates,
                dx,
                dgates,
                dresidual,
            });
        });
}

struct Picture<'a> {
    operands: Operands<'a>,
    number: usize,
    gates: &'a [f32],
    dx: &'a mut [f32],
    dgates: &'a mut [f32],
    dresidual: &'a mut [f32],
}

impl Kernel for Picture<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let channels = self.operands.channels;
        let sums = &mut *scratch::take(2 * channels);
        let back = Sums {
            operands: self.operands,
            number: self.number,
            sums,
            dx: self.dresidual,
        };
        back.run(simd);
        self.dgates.copy_from_slice(&sums[channels..]);
        let positions = self.dresidual.chunks_exact(channels);
        for (dx, gradient) in self.dx.chunks_exact_mut(channels).zip(positions) {
            for start in (0..channels).step_by(S::LANES) {
                let lanes = start..channels.min(start + S::LANES);
                let gate = simd.read(&self.gates[lanes.clone()]);
                let number = simd.mul(gate, simd.read(&gradient[lanes.clone()]));
                simd.write(&mut dx[lanes], number);
            }
        }
    }
}

/// The logistic function: 1 / (1 + exp(-`x`)).
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ops::kernel::reference::{assert_close, engines, numbers, pool, with_threads};

    /// By the definition in `f64`: the output; and the gradients of maps, gates and residual.
    fn definition(
        maps: Maps,
        channels: usize,
        [x, gates, residual, gradient]: [&[f32]; 4],
        [relu, pooled]: [bool; 2],
    ) -> [Vec<f64>; 4] {
        let wide = |numbers: &[f32]| Vec::from_iter(numbers.iter().copied().map(f64::from));
        let [x, gates, residual, gradient] = [x, gates, residual, gradient].map(wide);
        let gate_of = |place: usize| {
            place / (maps.height * maps.width * channels) * channels + place % channels
        };
        let sum: Vec<f64> = (0..x.len())
            .map(|place| x[place] * gates[gate_of(place)] + residual[place])
            .collect();
        let (mut y, places) = if pooled {
            pool(maps, channels, &sum)
        } else {
            (sum.clone(), (0..sum.len()).collect())
        };
        let mut dresidual = vec![0.0; x.len()];
        for ((y, place), gradient) in y.iter_mut().zip(places).zip(gradient) {
            if relu && *y <= 0.0 {
                *y = 0.0;
            } else {
                dresidual[place] = gradient;
            }
        }
        let (mut dx, mut dgates) = (vec![0.0; x.len()], vec![0.0; gates.len()]);
        for place in 0..x.len() {
            dx[place] = dresidual[place] * gates[gate_of(place)];
            dgates[gate_of(place)] += dresidual[place] * x[place];
        }
        [y, dx, dgates, dresidual]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn output_and_gradients_are_the_definition_with_any_number_of_threads(
            batch in 1..4usize, height in 2..6usize, width in 2..6usize,
            channels in prop_oneof![1..5usize, 15..20usize, Just(33usize)],
            options in any::<[bool; 2]>(), seed: u64,
        ) {
            let [relu, pooled] = options;
            let maps = Maps { batch, height, width };
            let len = maps.positions() * channels;
            let (x, residual) = (numbers(seed, len), numbers(seed ^ 1, len));
            let gates = numbers(seed ^ 2, batch * channels);
            let out = if pooled { maps.pooled() } else { maps };
            let gradient = numbers(seed ^ 3, out.positions() * channels);
            let expected = definition(maps, channels, [&x, &gates, &residual, &gradient], options);
            for engine in engines() {
                let epilogue = Epilogue { bias: None, residual: Some(&residual), relu, pool: pooled };
                let run = |threads| with_threads(threads, || {
                    let mut y = vec![f32::NAN; gradient.len()];
                    let mut index = vec![9; y.len()];
                    let places = pooled.then_some(&mut index[..]);
                    forward(engine, maps, channels, &gates, &x, epilogue, &mut y, places);
                    let following = match (pooled, relu) {
                        (true, _) => Following::Pool(&index),
                        (false, true) => Following::Relu(&y),
                        (false, false) => Following::Nothing,
                    };
                    let [mut dx, mut dresidual] = [(); 2].map(|()| vec![f32::NAN; len]);
                    let mut dgates = vec![f32::NAN; gates.len()];
                    let gradients = GateGradients { dx: &mut dx, dgates: &mut dgates, dresidual: &mut dresidual };
                    backward(engine, maps, channels, &gates, &x, &gradient, following, gradients);
                    [y, dx, dgates, dresidual]
                });
                let found = run(1);
                for (found, expected) in found.iter().zip(&expected) {
                    assert_close(engine.name(), found, expected, 1e-5);
                }
                prop_assert_eq!(found, run(3));
            }
        }
    }

    #[test]
    fn the_logistic_function_is_a_half_at_zero_and_has_its_limits() {
        assert_eq!(sigmoid(0.0), 0.5);
        assert!((sigmoid(1.0) - 0.731_058_6).abs() < 1e-7);
        assert_eq!([sigmoid(200.0), sigmoid(-200.0)], [1.0, 0.0]);
        assert!(sigmoid(f32::NAN).is_nan());
    }
}
