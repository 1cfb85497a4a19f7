//! Depthwise convolutions against full ones.

use proptest::prelude::*;

use super::*;
use crate::ops::kernel::reference::{
    assert_close_at, convolve, convolve_backward, engines, numbers, with_threads,
};

/// The same as a full convolution whose other weights are zero.
fn dense(depthwise: &Depthwise, weights: &[f32]) -> (Convolution, Vec<f32>) {
    let Depthwise {
        channels,
        stride,
        padding,
    } = *depthwise;
    let convolution = Convolution {
        in_channels: channels,
        out_channels: channels,
        kernel: 3,
        stride,
        padding,
    };
    let mut full = vec![0.0; convolution.weights()];
    for (channel, taps) in weights.chunks_exact(TAPS).enumerate() {
        full[(channel * channels + channel) * TAPS..][..TAPS].copy_from_slice(taps);
    }
    (convolution, full)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn forward_and_gradients_are_the_definition(
        channels in 1..40usize, stride in 1..3usize, padding in 0..3usize,
        batch in 1..4usize, height in 3..9usize, width in 3..9usize, seed: u64,
    ) {
        let (maps, depthwise) = (Maps { batch, height, width }, Depthwise { channels, stride, padding });
        let out = depthwise.after(maps).positions() * channels;
        let (x, w) = (numbers(seed, maps.positions() * channels), numbers(seed ^ 1, channels * TAPS));
        let (bias, gradient) = (numbers(seed ^ 2, channels), numbers(seed ^ 3, out));
        let (convolution, full) = dense(&depthwise, &w);
        let mut y = convolve(&convolution, maps, &x, &full);
        y.iter_mut().zip(bias.iter().cycle()).for_each(|(y, b)| *y = (*y + f64::from(*b)).max(0.0));
        let wide: Vec<f64> = gradient.iter().copied().map(f64::from).collect();
        let (dw, dx) = convolve_backward(&convolution, maps, &x, &full, &wide);
        let dw: Vec<f64> = (0..channels * TAPS)
            .map(|place| dw[(place / TAPS * channels + place / TAPS) * TAPS + place % TAPS])
            .collect();
        for engine in engines() {
            let mut got = vec![f32::NAN; out];
            forward(engine, &depthwise, maps, &x, &w, Some(&bias), true, &mut got);
            assert_close_at(1.0, engine.name(), &got, &y, 1e-5);
            let mut got = vec![f32::NAN; w.len()];
            weight_gradient(engine, &depthwise, maps, &x, &gradient, &mut got);
            assert_close_at(1.0, engine.name(), &got, &dw, 1e-5);
            let mut got = vec![f32::NAN; x.len()];
            input_gradient(engine, &depthwise, maps, &w, &gradient, &mut got);
            assert_close_at(1.0, engine.name(), &got, &dx, 1e-5);
        }
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let maps = Maps {
        batch: 11,
        height: 6,
        width: 7,
    };
    let depthwise = Depthwise {
        channels: 20,
        stride: 1,
        padding: 1,
    };
    let x = numbers(1, maps.positions() * 20);
    for engine in engines() {
        let run = |threads| {
            with_threads(threads, || {
                let mut dw = vec![0.0; 20 * TAPS];
                weight_gradient(engine, &depthwise, maps, &x, &x, &mut dw);
                dw
            })
        };
        assert_eq!(run(1), run(2));
        assert_eq!(run(1), run(4));
    }
}
