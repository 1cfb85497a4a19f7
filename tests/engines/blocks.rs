use candle_core::{Device, Tensor, Var};
use fer_model::Parameters;
use fer_model::ops::{
    ConvolutionBlock, ConvolutionSettings, DepthwiseBlock, DepthwiseSettings, Engine, Mode,
};
use proptest::prelude::*;

use super::{assert_close, flat, gradients, kernels, random, randomise, runner};

const TRAIN: Mode = Mode::Train { seed: 0, step: 0 };
/// Winograd's transforms round more than a direct sum.
const TOLERANCE: f32 = 2e-4;

/// What one engine makes of one block.
struct Outcome {
    names: Vec<String>,
    output: Tensor,
    gradients: Vec<Vec<f32>>,
    statistics: Vec<Vec<f32>>,
}

fn compare(engine: Engine, found: &Outcome, expected: &Outcome) {
    assert_eq!(found.output.dims(), expected.output.dims());
    assert_close(
        &format!("{engine} output"),
        &flat(&found.output),
        &flat(&expected.output),
        TOLERANCE,
    );
    for (name, (found, expected)) in found
        .names
        .iter()
        .zip(found.gradients.iter().zip(&expected.gradients))
    {
        assert_close(
            &format!("{engine} gradient of {name}"),
            found,
            expected,
            TOLERANCE,
        );
    }
    for (found, expected) in found.statistics.iter().zip(&expected.statistics) {
        assert_close(
            &format!("{engine} running statistics"),
            found,
            expected,
            1e-5,
        );
    }
}

/// Random weights for the outputs, none where a ReLU or a maximum is about to change sides: there a
/// rounding error decides which way the gradient goes.
fn influence(before: &Tensor, relu: bool, pool: bool) -> Tensor {
    let (count, rows, columns, channels) = before.dims4().unwrap();
    let values = flat(before);
    let at = |picture, row, column, channel| {
        values[((picture * rows + row) * columns + column) * channels + channel]
    };
    let step = if pool { 2 } else { 1 };
    let shape = [count, rows / step, columns / step, channels];
    let mut weights = flat(&random(&shape, "influence"));
    for (place, weight) in weights.iter_mut().enumerate() {
        let (position, channel) = (place / channels, place % channels);
        let (position, column) = (position / shape[2], position % shape[2]);
        let (picture, row) = (position / shape[1], position % shape[1]);
        let mut window: Vec<f32> = (0..step * step)
            .map(|corner| {
                let (down, right) = (corner / step, corner % step);
                at(picture, step * row + down, step * column + right, channel)
            })
            .collect();
        window.sort_by(f32::total_cmp);
        let highest = window[window.len() - 1];
        let doubtful = (relu && highest.abs() < 1e-3)
            || (window.len() > 1 && highest - window[window.len() - 2] < 1e-3);
        if doubtful {
            *weight = 0.0;
        }
    }
    Tensor::from_vec(weights, &shape[..], &Device::Cpu).unwrap()
}

fn convolved(
    settings: ConvolutionSettings,
    maps: &Var,
    residual: Option<&Var>,
    mode: Mode,
    engine: Engine,
) -> Outcome {
    let parameters = Parameters::new(0, &Device::Cpu);
    let block = ConvolutionBlock::new(settings, engine, parameters.builder()).unwrap();
    randomise(&parameters);
    let bare = ConvolutionSettings {
        relu: false,
        pool: false,
        ..settings
    };
    let bare = ConvolutionBlock::new(bare, Engine::Portable, parameters.builder()).unwrap();
    let residual_tensor = residual.map(Var::as_tensor);
    let before = bare.forward_adding(maps, residual_tensor, mode).unwrap();
    randomise(&parameters);
    let output = block.forward_adding(maps, residual_tensor, mode).unwrap();
    let weights = influence(&before, settings.relu, settings.pool);
    let loss = (&output * weights).unwrap().sum_all().unwrap();
    outcome(&parameters, maps, residual, output, &loss)
}

fn outcome(
    parameters: &Parameters,
    maps: &Var,
    residual: Option<&Var>,
    output: Tensor,
    loss: &Tensor,
) -> Outcome {
    let mut vars = parameters.trainable();
    vars.push(("maps".into(), maps.clone()));
    vars.extend(residual.map(|var| ("residual".to_string(), var.clone())));
    let statistics = parameters
        .vars()
        .iter()
        .filter(|(name, _)| name.contains("running"))
        .map(|(_, var)| flat(var))
        .collect();
    Outcome {
        gradients: gradients(loss, &vars),
        names: vars.into_iter().map(|(name, _)| name).collect(),
        output: output.detach(),
        statistics,
    }
}

fn shapes() -> impl Strategy<Value = (ConvolutionSettings, [usize; 3], bool, bool)> {
    let channels = prop_oneof![1..8usize, 1..40usize, Just(16), Just(32), Just(64)];
    let flags = (
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
    );
    (
        (
            channels.clone(),
            channels,
            prop_oneof![Just(1usize), Just(3)],
            1..3usize,
            0..2usize,
        ),
        (1..4usize, 4..15usize, 4..15usize),
        flags,
    )
        .prop_map(|(shape, (count, height, width), flags)| {
            let (inputs, outputs, kernel, stride, padding) = shape;
            let (norm, relu, pool, residual, trains) = flags;
            let padding = padding.min(kernel - 1);
            let settings = ConvolutionSettings {
                inputs,
                outputs,
                kernel,
                stride,
                padding,
                norm,
                relu,
                pool,
            };
            // A pool takes at least two rows.
            let room = settings.before_pool(height.min(width)) >= 2;
            let settings = ConvolutionSettings {
                pool: pool && room,
                ..settings
            };
            (settings, [count, height, width], residual, trains)
        })
}

#[test]
fn convolution_blocks_agree_with_the_portable_form_for_every_engine() {
    let test = |(settings, [count, height, width], residual, trains): (
        ConvolutionSettings,
        [usize; 3],
        bool,
        bool,
    )| {
        let shape = [count, height, width, settings.inputs];
        let maps = Var::from_tensor(&random(&shape, "maps")).unwrap();
        let sides = [height, width].map(|side| settings.before_pool(side));
        let around = [count, sides[0], sides[1], settings.outputs];
        let around = residual.then(|| Var::from_tensor(&random(&around, "residual")).unwrap());
        let mode = if trains { TRAIN } else { Mode::Predict };
        let made = |engine| convolved(settings, &maps, around.as_ref(), mode, engine);
        let expected = made(Engine::Portable);
        for engine in kernels() {
            compare(engine, &made(engine), &expected);
        }
        Ok(())
    };
    runner(120).run(&shapes(), test).unwrap();
}

#[test]
fn depthwise_blocks_agree_with_the_portable_form_for_every_engine() {
    let shapes = (
        prop_oneof![1..40usize, Just(16usize), Just(64)],
        1..4usize,
        0..3usize,
        (any::<bool>(), any::<bool>(), any::<bool>()),
        (1..4usize, 3..12usize, 3..12usize),
    );
    let test = |(channels, stride, padding, flags, (count, height, width))| {
        let (norm, relu, trains) = flags;
        let settings = DepthwiseSettings {
            channels,
            stride,
            padding,
            norm,
            relu,
        };
        let mode = if trains { TRAIN } else { Mode::Predict };
        let shape: [usize; 4] = [count, height, width, channels];
        let maps = Var::from_tensor(&random(&shape, "maps")).unwrap();
        let made = |engine| {
            let parameters = Parameters::new(0, &Device::Cpu);
            let block = DepthwiseBlock::new(settings, engine, parameters.builder()).unwrap();
            let bare = DepthwiseSettings {
                relu: false,
                ..settings
            };
            let bare = DepthwiseBlock::new(bare, Engine::Portable, parameters.builder()).unwrap();
            randomise(&parameters);
            let before = bare.forward(&maps, mode).unwrap();
            randomise(&parameters);
            let output = block.forward(&maps, mode).unwrap();
            let weights = influence(&before, relu, false);
            let loss = (&output * weights).unwrap().sum_all().unwrap();
            outcome(&parameters, &maps, None, output, &loss)
        };
        let expected = made(Engine::Portable);
        for engine in kernels() {
            compare(engine, &made(engine), &expected);
        }
        Ok(())
    };
    runner(60).run(&shapes, test).unwrap();
}

#[test]
fn running_statistics_move_a_tenth_of_the_way_with_the_unbiased_variance() {
    for engine in Engine::available() {
        let parameters = Parameters::new(0, &Device::Cpu);
        let settings = ConvolutionSettings {
            kernel: 1,
            padding: 0,
            ..ConvolutionSettings::normalised(1, 1)
        };
        let block = ConvolutionBlock::new(settings, engine, parameters.builder()).unwrap();
        let vars: std::collections::BTreeMap<_, _> = parameters.vars().into_iter().collect();
        let one = Tensor::ones((1, 1, 1, 1), candle_core::DType::F32, &Device::Cpu).unwrap();
        vars["weight"].set(&one).unwrap();
        let maps = Tensor::new(&[[[[1f32], [2.0]], [[3.0], [6.0]]]], &Device::Cpu).unwrap();
        block.forward(&maps, Mode::Predict).unwrap();
        assert_eq!(flat(&vars["norm.running_mean"]), [0.0], "{engine}");
        block.forward(&maps, TRAIN).unwrap();
        assert_close("mean", &flat(&vars["norm.running_mean"]), &[0.3], 1e-6);
        // Deviations -2, -1, 0, 3: squares sum to 14, over 3.
        let variance = 0.9 + 0.1 * 14.0 / 3.0;
        assert_close(
            "variance",
            &flat(&vars["norm.running_var"]),
            &[variance],
            1e-6,
        );
    }
}
