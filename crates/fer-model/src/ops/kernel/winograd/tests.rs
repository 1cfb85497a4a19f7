//! Winograd's method against the definition of the convolution.

use proptest::prelude::*;

use super::ERROR_BOUND;
use crate::ops::kernel::convolution::tests::{any_case, outputs};
use crate::ops::kernel::convolution::{
    BackwardWeights, Convolution, Epilogue, ForwardWeights, Maps, Method, forward, input_gradient,
    weight_gradient,
};
use crate::ops::kernel::reference::{
    assert_close_at, convolve, convolve_backward, engines, numbers, pool, with_threads,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn winograd_stays_within_its_bound(
        (mut convolution, maps, seed) in any_case(),
        padding in 0..=2usize,
        options in any::<[bool; 4]>(),
    ) {
        let [with_bias, with_residual, relu, pooled] = options;
        (convolution.kernel, convolution.stride, convolution.padding) = (3, 1, padding);
        let full = maps.after(&convolution);
        let x = numbers(seed, maps.positions() * convolution.in_channels);
        let w = numbers(seed ^ 1, convolution.weights());
        let bias = numbers(seed ^ 2, convolution.out_channels);
        let residual = numbers(seed ^ 3, outputs(&convolution, maps));
        let epilogue = Epilogue {
            bias: with_bias.then_some(&bias[..]),
            residual: with_residual.then_some(&residual[..]),
            relu,
            pool: pooled,
        };
        let mut expected = convolve(&convolution, maps, &x, &w);
        for (place, y) in expected.iter_mut().enumerate() {
            if with_bias { *y += f64::from(bias[place % bias.len()]); }
            if with_residual { *y += f64::from(residual[place]); }
            if relu { *y = y.max(0.0); }
        }
        let gradient = numbers(seed ^ 4, expected.len());
        let wide: Vec<f64> = gradient.iter().copied().map(f64::from).collect();
        let (dw, dx) = convolve_backward(&convolution, maps, &x, &w, &wide);
        if pooled {
            expected = pool(full, bias.len(), &expected).0;
        }
        for engine in engines() {
            for (method, bound) in [(Method::Winograd, ERROR_BOUND), (Method::Direct, 1e-5)] {
                let weights = ForwardWeights::new(engine, convolution, method, &w);
                let mut y = vec![f32::NAN; expected.len()];
                let mut index = vec![9; y.len()];
                forward(&weights, maps, &x, epilogue, &mut y, pooled.then_some(&mut index));
                assert_close_at(1.0, engine.name(), &y, &expected, bound);
                for (y, place) in y.iter().zip(index).filter(|_| pooled) {
                    assert!(place < 4 || place == 255 && relu && *y == 0.0);
                }
            }
            let mut got = vec![f32::NAN; w.len()];
            weight_gradient(engine, &convolution, Method::Winograd, maps, &x, &gradient, &mut got);
            assert_close_at(1.0, engine.name(), &got, &dw, ERROR_BOUND);
            let mut got = vec![f32::NAN; x.len()];
            let weights = BackwardWeights::new(engine, convolution, Method::Winograd, &w);
            input_gradient(&weights, maps, &gradient, &mut got);
            assert_close_at(1.0, engine.name(), &got, &dx, ERROR_BOUND);
        }
    }
}

#[test]
fn winograd_gives_the_same_bits_for_any_number_of_threads() {
    let convolution = Convolution {
        in_channels: 33,
        out_channels: 40,
        kernel: 3,
        stride: 1,
        padding: 1,
    };
    let maps = Maps {
        batch: 13,
        height: 11,
        width: 14,
    };
    let (x, w) = (
        numbers(1, maps.positions() * 33),
        numbers(2, convolution.weights()),
    );
    let gradient = numbers(3, outputs(&convolution, maps));
    for engine in engines() {
        let run = |threads| {
            with_threads(threads, || {
                let weights = ForwardWeights::new(engine, convolution, Method::Winograd, &w);
                let mut y = vec![0.0; gradient.len()];
                forward(&weights, maps, &x, Epilogue::default(), &mut y, None);
                let mut dw = vec![0.0; w.len()];
                weight_gradient(
                    engine,
                    &convolution,
                    Method::Winograd,
                    maps,
                    &x,
                    &gradient,
                    &mut dw,
                );
                let weights = BackwardWeights::new(engine, convolution, Method::Winograd, &w);
                let mut dx = vec![0.0; x.len()];
                input_gradient(&weights, maps, &gradient, &mut dx);
                [y, dw, dx].concat()
            })
        };
        let one = run(1);
        assert_eq!(one, run(2));
        assert_eq!(one, run(4));
    }
}

#[test]
fn winograd_is_off_by_no_more_than_its_bound_with_many_channels() {
    let convolution = Convolution {
        in_channels: 256,
        out_channels: 32,
        kernel: 3,
        stride: 1,
        padding: 1,
    };
    let maps = Maps {
        batch: 1,
        height: 12,
        width: 12,
    };
    let (x, w) = (
        numbers(1, maps.positions() * 256),
        numbers(2, convolution.weights()),
    );
    let expected = convolve(&convolution, maps, &x, &w);
    let largest = expected.iter().fold(0f64, |most, y| most.max(y.abs()));
    for engine in engines() {
        let weights = ForwardWeights::new(engine, convolution, Method::Winograd, &w);
        let mut y = vec![0.0; expected.len()];
        forward(&weights, maps, &x, Epilogue::default(), &mut y, None);
        let error = y
            .iter()
            .zip(&expected)
            .fold(0f64, |most, (y, e)| most.max((f64::from(*y) - e).abs()));
        assert!(error < 0.1 * ERROR_BOUND * largest, "{error} of {largest}");
        assert!(error > 0.0);
    }
}

#[test]
fn winograd_is_chosen_where_channels_are_many_and_tiles_are_full() {
    let wide = Convolution {
        in_channels: 64,
        out_channels: 64,
        kernel: 3,
        stride: 1,
        padding: 1,
    };
    let maps = |side| Maps {
        batch: 1,
        height: side,
        width: side,
    };
    assert_eq!(Method::best(&wide, maps(24)), Method::Winograd);
    assert_eq!(Method::best(&wide, maps(5)), Method::Direct);
    for other in [
        Convolution {
            in_channels: 1,
            ..wide
        },
        Convolution { stride: 2, ..wide },
        Convolution {
            kernel: 1,
            padding: 0,
            ..wide
        },
    ] {
        assert_eq!(Method::best(&other, maps(24)), Method::Direct);
    }
}
