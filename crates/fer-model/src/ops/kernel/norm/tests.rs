//! Normalisation against its definition.

use proptest::prelude::*;

use super::*;
use crate::ops::kernel::convolution::Epilogue;
use crate::ops::kernel::reference::{assert_close, engines, numbers, pool, with_threads};

const EPSILON: f32 = 1e-3;

/// The definition in `f64`: the output before and after the pool, and the places of the maxima.
fn definition(
    maps: Maps,
    x: &[f64],
    gamma: &[f64],
    beta: &[f32],
    epilogue: &Epilogue<'_>,
) -> Vec<f64> {
    let channels = gamma.len();
    let count = maps.positions() as f64;
    let mut y = vec![0.0; x.len()];
    for channel in 0..channels {
        let numbers = || x.iter().skip(channel).step_by(channels);
        let mean = numbers().sum::<f64>() / count;
        let variance = numbers().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
        let deviation = (variance + f64::from(EPSILON)).sqrt();
        for place in (channel..x.len()).step_by(channels) {
            y[place] = (x[place] - mean) / deviation * gamma[channel] + f64::from(beta[channel]);
            if let Some(residual) = epilogue.residual {
                y[place] += f64::from(residual[place]);
            }
        }
    }
    if epilogue.pool {
        y = pool(maps, channels, &y).0;
    }
    if epilogue.relu {
        y.iter_mut().for_each(|y| *y = y.max(0.0));
    }
    y
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn output_and_gradients_are_the_definition(
        batch in 1..4usize, height in 2..6usize, width in 2..6usize,
        channels in prop_oneof![1..5usize, 15..20usize],
        options in any::<[bool; 3]>(), seed: u64,
    ) {
        let [relu, pooled, with_residual] = options;
        let maps = Maps { batch, height, width };
        let x: Vec<f32> = numbers(seed, maps.positions() * channels).iter().map(|x| x + 3.0).collect();
        let residual = numbers(seed ^ 1, x.len());
        let (gamma, beta) = (numbers(seed ^ 2, channels), numbers(seed ^ 3, channels));
        let epilogue = Epilogue { bias: None, residual: with_residual.then_some(&residual[..]), relu, pool: pooled };
        let wide_gamma: Vec<f64> = gamma.iter().copied().map(f64::from).collect();
        let mut wide: Vec<f64> = x.iter().copied().map(f64::from).collect();
        let expected = definition(maps, &wide, &wide_gamma, &beta, &epilogue);
        let gradient = numbers(seed ^ 4, expected.len());
        for engine in engines() {
            let statistics = Statistics::of(engine, maps, channels, &x);
            let affine = Affine::new(&statistics.mean, &statistics.variance, &gamma, &beta, EPSILON);
            let mut y = vec![f32::NAN; expected.len()];
            let mut index = vec![9; y.len()];
            apply(engine, maps, &affine, &x, epilogue, &mut y, pooled.then_some(&mut index));
            assert_close(engine.name(), &y, &expected, 2e-5);
            let following = match (pooled, relu) {
                (true, _) => Following::Pool(&index),
                (false, true) => Following::Relu(&y),
                (false, false) => Following::Nothing,
            };
            let (mut dx, mut dresidual) = (vec![f32::NAN; x.len()], vec![f32::NAN; x.len()]);
            let (mut dgamma, mut dbeta) = (vec![f32::NAN; channels], vec![f32::NAN; channels]);
            let gradients = NormGradients { dx: &mut dx, dgamma: &mut dgamma, dbeta: &mut dbeta, dresidual: Some(&mut dresidual) };
            backward(engine, maps, &x, &statistics, EPSILON, &gamma, &gradient, following, gradients);

            // Finite differences of the loss `sum(gradient * y)` in `f64`, by a step so small that
            // hardly any maximum changes place.
            let loss = |y: &[f64]| -> f64 { y.iter().zip(&gradient).map(|(y, g)| y * f64::from(*g)).sum() };
            let step = 1e-7;
            let scale = 3.0 / f64::from(EPSILON).sqrt().max(0.05);
            for place in (0..x.len()).step_by(x.len().div_ceil(9)) {
                let here = wide[place];
                wide[place] = here + step;
                let up = loss(&definition(maps, &wide, &wide_gamma, &beta, &epilogue));
                wide[place] = here - step;
                let down = loss(&definition(maps, &wide, &wide_gamma, &beta, &epilogue));
                wide[place] = here;
                let slope = (up - down) / (2.0 * step);
                prop_assert!((slope - f64::from(dx[place])).abs() < 1e-4 * scale, "dx {place}: {} for {slope}", dx[place]);
            }
            let sums: f64 = dresidual.iter().copied().map(f64::from).sum();
            let betas: f64 = dbeta.iter().copied().map(f64::from).sum();
            prop_assert!((sums - betas).abs() < 1e-3);
            for channel in 0..channels {
                let mut raised = wide_gamma.clone();
                raised[channel] += step;
                let up = loss(&definition(maps, &wide, &raised, &beta, &epilogue));
                raised[channel] -= 2.0 * step;
                let down = loss(&definition(maps, &wide, &raised, &beta, &epilogue));
                let slope = (up - down) / (2.0 * step);
                prop_assert!(
                    (slope - f64::from(dgamma[channel])).abs() < 1e-3,
                    "gamma: {} for {slope}",
                    dgamma[channel]
                );
            }
        }
    }
}

#[test]
fn a_mean_far_from_zero_costs_no_accuracy() {
    let maps = Maps {
        batch: 4,
        height: 9,
        width: 9,
    };
    let x: Vec<f32> = numbers(1, maps.positions() * 3)
        .iter()
        .map(|x| x * 0.125 + 1000.0)
        .collect();
    let wide: Vec<f64> = x.iter().copied().map(f64::from).collect();
    for engine in engines() {
        let statistics = Statistics::of(engine, maps, 3, &x);
        for channel in 0..3 {
            let numbers = || wide.iter().skip(channel).step_by(3);
            let mean = numbers().sum::<f64>() / 324.0;
            let variance = numbers().map(|x| (x - mean).powi(2)).sum::<f64>() / 324.0;
            assert!((f64::from(statistics.mean[channel]) - mean).abs() < 2e-4);
            assert!((f64::from(statistics.variance[channel]) / variance - 1.0).abs() < 1e-3);
        }
    }
}

#[test]
fn running_statistics_take_the_unbiased_variance() {
    let statistics = Statistics {
        mean: vec![2.0],
        variance: vec![3.0],
        count: 4,
    };
    let (mut mean, mut variance) = ([1.0], [1.0]);
    statistics.update_running(0.1, &mut mean, &mut variance);
    assert!((mean[0] - 1.1).abs() < 1e-6);
    assert!((variance[0] - 1.3).abs() < 1e-6);
}

#[test]
fn folded_weights_do_the_same() {
    let affine = Affine::new(&[1.0, -2.0], &[4.0, 0.25], &[3.0, 0.5], &[0.5, 0.25], 0.0);
    let (mut weights, mut bias) = ([1.0, 2.0, 3.0, 4.0], [10.0, 20.0]);
    let before = |x: [f32; 2]| [x[0] + 2.0 * x[1] + 10.0, 3.0 * x[0] + 4.0 * x[1] + 20.0];
    affine.fold(&mut weights, &mut bias);
    let z = before([0.3, 0.7]);
    for channel in 0..2 {
        let folded = weights[2 * channel] * 0.3 + weights[2 * channel + 1] * 0.7 + bias[channel];
        let plain = z[channel] * affine.scale[channel] + affine.shift[channel];
        assert!((folded - plain).abs() < 1e-5);
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let maps = Maps {
        batch: 9,
        height: 6,
        width: 7,
    };
    let x = numbers(1, maps.positions() * 20);
    let gamma = numbers(2, 20);
    for engine in engines() {
        let run = |threads| {
            with_threads(threads, || {
                let statistics = Statistics::of(engine, maps, 20, &x);
                let (mut dx, mut dgamma, mut dbeta) =
                    (vec![0.0; x.len()], vec![0.0; 20], vec![0.0; 20]);
                let gradients = NormGradients {
                    dx: &mut dx,
                    dgamma: &mut dgamma,
                    dbeta: &mut dbeta,
                    dresidual: None,
                };
                backward(
                    engine,
                    maps,
                    &x,
                    &statistics,
                    EPSILON,
                    &gamma,
                    &x,
                    Following::Nothing,
                    gradients,
                );
                [statistics.mean, statistics.variance, dx, dgamma, dbeta].concat()
            })
        };
        assert_eq!(run(1), run(2));
        assert_eq!(run(1), run(4));
    }
}
