//! Every path of the convolutions against their definition.
#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::ops::kernel::Engine;
use crate::ops::kernel::reference::{
    assert_close_at, convolve, convolve_backward, engines, numbers, pool, sums, with_threads,
};

/// Numbers of the convolution's output.
pub(crate) fn outputs(convolution: &Convolution, maps: Maps) -> usize {
    maps.after(convolution).positions() * convolution.out_channels
}

/// A convolution of any kind that the networks have, on maps that it fits.
pub(crate) fn any_case() -> impl Strategy<Value = (Convolution, Maps, u64)> {
    let channels = || prop_oneof![1..=9usize, 15..=17usize, 30..=34usize, 63..=70usize];
    let kind = (prop_oneof![Just(1usize), Just(3)], 1..=2usize, 0..=1usize);
    let maps = (1..=3usize, 3..=13usize, 3..=13usize);
    (channels(), channels(), kind, maps, any::<u64>()).prop_map(
        |(in_channels, out_channels, (kernel, stride, padding), (batch, height, width), seed)| {
            let padding = padding.min(kernel - 1);
            let convolution = Convolution {
                in_channels,
                out_channels,
                kernel,
                stride,
                padding,
            };
            (
                convolution,
                Maps {
                    batch,
                    height,
                    width,
                },
                seed,
            )
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_forward_pass_is_the_definition((convolution, maps, seed) in any_case(), options in any::<[bool; 3]>()) {
        let [with_bias, with_residual, relu] = options;
        let x = numbers(seed, maps.positions() * convolution.in_channels);
        let w = numbers(seed ^ 1, convolution.weights());
        let bias = numbers(seed ^ 2, convolution.out_channels);
        let residual = numbers(seed ^ 3, outputs(&convolution, maps));
        let mut expected = convolve(&convolution, maps, &x, &w);
        for (place, y) in expected.iter_mut().enumerate() {
            if with_bias { *y += f64::from(bias[place % bias.len()]); }
            if with_residual { *y += f64::from(residual[place]); }
            if relu { *y = y.max(0.0); }
        }
        for engine in engines() {
            let weights = ForwardWeights::new(engine, convolution, Method::Direct, &w);
            let epilogue = Epilogue {
                bias: with_bias.then_some(&bias[..]),
                residual: with_residual.then_some(&residual[..]),
                relu,
                pool: false,
            };
            let mut y = vec![f32::NAN; expected.len()];
            forward(&weights, maps, &x, epilogue, &mut y, None);
            assert_close_at(1.0, engine.name(), &y, &expected, 1e-5);
        }
    }

    #[test]
    fn the_gradients_are_the_definition((convolution, maps, seed) in any_case()) {
        let x = numbers(seed, maps.positions() * convolution.in_channels);
        let w = numbers(seed ^ 1, convolution.weights());
        let gradient = numbers(seed ^ 2, outputs(&convolution, maps));
        let wide: Vec<f64> = gradient.iter().copied().map(f64::from).collect();
        let (dw, dx) = convolve_backward(&convolution, maps, &x, &w, &wide);
        for engine in engines() {
            let mut got = vec![f32::NAN; w.len()];
            weight_gradient(engine, &convolution, Method::Direct, maps, &x, &gradient, &mut got);
            assert_close_at(1.0, engine.name(), &got, &dw, 1e-5);
            let mut got = vec![f32::NAN; x.len()];
            let weights = BackwardWeights::new(engine, convolution, Method::Direct, &w);
            input_gradient(&weights, maps, &gradient, &mut got);
            assert_close_at(1.0, engine.name(), &got, &dx, 1e-5);
        }
    }

    #[test]
    fn pooled_blocks_are_the_definition((convolution, maps, seed) in any_case(), relu: bool) {
        let full = maps.after(&convolution);
        let x = numbers(seed, maps.positions() * convolution.in_channels);
        let w = numbers(seed ^ 1, convolution.weights());
        let bias = numbers(seed ^ 2, convolution.out_channels);
        let mut plain = convolve(&convolution, maps, &x, &w);
        for (place, y) in plain.iter_mut().enumerate() {
            *y += f64::from(bias[place % bias.len()]);
        }
        let maxima = pool(full, bias.len(), &plain).0;
        let gradient = numbers(seed ^ 3, maxima.len());
        let expected: Vec<f64> = maxima.iter().map(|y| if relu { y.max(0.0) } else { *y }).collect();
        for engine in engines() {
            let weights = ForwardWeights::new(engine, convolution, Method::Direct, &w);
            let mut y = vec![f32::NAN; expected.len()];
            let mut index = vec![9; y.len()];
            let epilogue = Epilogue { bias: Some(&bias), residual: None, relu, pool: true };
            forward(&weights, maps, &x, epilogue, &mut y, Some(&mut index));
            assert_close_at(1.0, engine.name(), &y, &expected, 1e-5);
            let dense = spread(full, bias.len(), &plain, &maxima, &index, &gradient, relu);
            let (dw, dx) = convolve_backward(&convolution, maps, &x, &w, &dense);
            let db = sums(bias.len(), &dense);
            let (mut got, mut got_sums) = (vec![f32::NAN; w.len()], vec![f32::NAN; bias.len()]);
            pooled_weight_gradient(engine, &convolution, maps, &x, &gradient, &index, &mut got, &mut got_sums);
            assert_close_at(1.0, engine.name(), &got, &dw, 1e-5);
            assert_close_at(1.0, engine.name(), &got_sums, &db, 1e-5);
            let weights = SparseWeights::new(engine, convolution, &w);
            let mut got = vec![f32::NAN; x.len()];
            pooled_input_gradient(&weights, maps, &gradient, &index, &mut got);
            assert_close_at(1.0, engine.name(), &got, &dx, 1e-5);
        }
    }
}

/// The gradient before the pool, for the winners that `index` names. Of candidates that differ by
/// less than the rounding of `f32` any may have won; all others are refused.
fn spread(
    full: Maps,
    channels: usize,
    plain: &[f64],
    maxima: &[f64],
    index: &[u8],
    gradient: &[f32],
    relu: bool,
) -> Vec<f64> {
    let pooled = full.pooled();
    let scale = plain.iter().fold(0f64, |most, y| most.max(y.abs()));
    let mut dense = vec![0.0; plain.len()];
    for (number, place) in index.iter().enumerate() {
        if *place == 255 {
            assert!(relu && maxima[number] <= 1e-6 * scale);
            continue;
        }
        let (position, channel) = (number / channels, number % channels);
        let (line, column) = (position / pooled.width, position % pooled.width);
        let (picture, row) = (line / pooled.height, line % pooled.height);
        let (down, across) = (usize::from(place / 2), usize::from(place % 2));
        let from = (picture * full.height + 2 * row + down) * full.width + 2 * column + across;
        assert!(maxima[number] - plain[from * channels + channel] <= 1e-6 * scale);
        assert!(!relu || maxima[number] >= -1e-6 * scale);
        dense[from * channels + channel] = f64::from(gradient[number]);
    }
    dense
}

/// Forward and both gradients of one layer in one list of bits.
fn bits(threads: usize, engine: Engine, convolution: Convolution, maps: Maps) -> Vec<u32> {
    with_threads(threads, || {
        let x = numbers(1, maps.positions() * convolution.in_channels);
        let w = numbers(2, convolution.weights());
        let full = maps.after(&convolution);
        let mut y = vec![0.0; full.pooled().positions() * convolution.out_channels];
        let mut index = vec![0; y.len()];
        let epilogue = Epilogue {
            relu: true,
            pool: true,
            ..Epilogue::default()
        };
        forward(
            &ForwardWeights::new(engine, convolution, Method::Direct, &w),
            maps,
            &x,
            epilogue,
            &mut y,
            Some(&mut index),
        );
        let (mut dw, mut db) = (vec![0.0; w.len()], vec![0.0; convolution.out_channels]);
        pooled_weight_gradient(engine, &convolution, maps, &x, &y, &index, &mut dw, &mut db);
        let mut dx = vec![0.0; x.len()];
        pooled_input_gradient(
            &SparseWeights::new(engine, convolution, &w),
            maps,
            &y,
            &index,
            &mut dx,
        );
        let gradient = numbers(3, outputs(&convolution, maps));
        let mut dense = vec![0.0; w.len()];
        weight_gradient(
            engine,
            &convolution,
            Method::Direct,
            maps,
            &x,
            &gradient,
            &mut dense,
        );
        [y, dw, db, dx, dense]
            .concat()
            .into_iter()
            .map(f32::to_bits)
            .collect()
    })
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let convolution = Convolution {
        in_channels: 20,
        out_channels: 33,
        kernel: 3,
        stride: 1,
        padding: 1,
    };
    for engine in engines() {
        for batch in [1, 13] {
            let maps = Maps {
                batch,
                height: 9,
                width: 12,
            };
            let one = bits(1, engine, convolution, maps);
            assert_eq!(one, bits(2, engine, convolution, maps));
            assert_eq!(one, bits(4, engine, convolution, maps));
            assert_eq!(one, bits(4, engine, convolution, maps));
        }
    }
}

#[test]
fn a_nan_in_the_picture_reaches_just_the_outputs_that_see_it() {
    let convolution = Convolution {
        in_channels: 1,
        out_channels: 18,
        kernel: 3,
        stride: 1,
        padding: 0,
    };
    let maps = Maps {
        batch: 2,
        height: 8,
        width: 8,
    };
    let w = numbers(5, convolution.weights());
    let mut x = numbers(6, maps.positions());
    x[0] = f32::NAN;
    for engine in engines() {
        let weights = ForwardWeights::new(engine, convolution, Method::Direct, &w);
        for pool in [false, true] {
            let epilogue = Epilogue {
                relu: true,
                pool,
                ..Epilogue::default()
            };
            let out = if pool { 9 } else { 36 };
            let mut y = vec![0.0; 2 * out * 18];
            forward(&weights, maps, &x, epilogue, &mut y, None);
            assert!(y[..18].iter().all(|y| y.is_nan()));
            assert!(y[18..].iter().all(|y| y.is_finite()));
        }
    }
}

#[test]
fn among_equal_candidates_the_first_wins_and_a_dead_one_is_marked() {
    let convolution = Convolution {
        in_channels: 1,
        out_channels: 1,
        kernel: 1,
        stride: 1,
        padding: 0,
    };
    let maps = Maps {
        batch: 1,
        height: 2,
        width: 6,
    };
    let x = [
        1.0,
        1.0,
        -1.0,
        -2.0,
        0.0,
        1.0,
        1.0,
        1.0,
        -3.0,
        -1.0,
        2.0,
        f32::NAN,
    ];
    for engine in engines() {
        let weights = ForwardWeights::new(engine, convolution, Method::Direct, &[1.0]);
        let epilogue = Epilogue {
            relu: true,
            pool: true,
            ..Epilogue::default()
        };
        let (mut y, mut index) = ([9.0; 3], [9; 3]);
        forward(&weights, maps, &x, epilogue, &mut y, Some(&mut index));
        assert_eq!(y[..2], [1.0, 0.0]);
        assert!(y[2].is_nan());
        assert_eq!(index, [0, 255, 3]);
    }
}

#[test]
fn lengths_that_do_not_fit_are_named() {
    let convolution = Convolution {
        in_channels: 1,
        out_channels: 2,
        kernel: 3,
        stride: 1,
        padding: 0,
    };
    let maps = Maps {
        batch: 1,
        height: 4,
        width: 4,
    };
    let weights = ForwardWeights::new(Engine::Plain, convolution, Method::Direct, &[0.0; 18]);
    let caught = std::panic::catch_unwind(|| {
        forward(
            &weights,
            maps,
            &[0.0; 15],
            Epilogue::default(),
            &mut [0.0; 8],
            None,
        );
    });
    let message = *caught.unwrap_err().downcast::<String>().unwrap();
    assert_eq!(message, "input: expected 16 numbers, got 15");
}

#[test]
fn weights_packed_anew_into_the_same_buffers_are_used() {
    let convolution = Convolution {
        in_channels: 3,
        out_channels: 5,
        kernel: 3,
        stride: 1,
        padding: 1,
    };
    let maps = Maps {
        batch: 1,
        height: 8,
        width: 8,
    };
    let x = numbers(1, maps.positions() * 3);
    let (old, new) = (
        numbers(2, convolution.weights()),
        numbers(3, convolution.weights()),
    );
    for method in [Method::Direct, Method::Winograd] {
        let run = |weights: &ForwardWeights| {
            let mut y = vec![0.0; maps.positions() * 5];
            forward(weights, maps, &x, Epilogue::default(), &mut y, None);
            y
        };
        let mut weights = ForwardWeights::new(Engine::Plain, convolution, method, &old);
        let before = run(&weights);
        weights.update(&new);
        let fresh = ForwardWeights::new(Engine::Plain, convolution, method, &new);
        assert_ne!(before, run(&weights));
        assert_eq!(run(&fresh), run(&weights));
    }
}
