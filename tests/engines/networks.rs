use candle_core::{DType, Device, Result, Tensor};
use fer_model::ops::{
    AdamSettings, ConvolutionSettings, DepthwiseSettings, Engine, Mode, cross_entropy,
};
use fer_model::{Architecture, Network, Parameters, Plan, Sequential, Shape, Stack, Tape};
use fer_train::fit::Optimiser;
use proptest::prelude::*;

use super::{assert_close, flat, kernels, random, randomise, runner};

/// One block of a random network.
#[derive(Clone, Copy, Debug)]
enum Piece {
    Convolution {
        outputs: usize,
        kernel: usize,
        stride: usize,
        norm: bool,
        pool: bool,
    },
    Depthwise {
        stride: usize,
        norm: bool,
    },
    Residual {
        outputs: usize,
        stride: usize,
        depthwise: bool,
        pool: bool,
    },
}

fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let outputs = prop_oneof![1..12usize, Just(16usize), Just(32), Just(33)];
    let convolution = (
        outputs.clone(),
        prop_oneof![Just(1usize), Just(3)],
        1..3usize,
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(outputs, kernel, stride, norm, pool)| Piece::Convolution {
            outputs,
            kernel,
            stride,
            norm,
            pool,
        });
    let depthwise =
        (1..3usize, any::<bool>()).prop_map(|(stride, norm)| Piece::Depthwise { stride, norm });
    let residual = (outputs, 1..3usize, any::<bool>(), any::<bool>()).prop_map(
        |(outputs, stride, depthwise, pool)| Piece::Residual {
            outputs,
            stride,
            depthwise,
            pool,
        },
    );
    proptest::collection::vec(prop_oneof![convolution, depthwise, residual], 1..5)
}

fn add<'a>(stack: Stack<'a>, name: &str, piece: Piece) -> Result<Stack<'a>> {
    let Shape::Maps {
        channels,
        height,
        width,
    } = stack.shape()
    else {
        panic!("pieces go over maps");
    };
    let room = height.min(width) >= 4;
    match piece {
        Piece::Convolution {
            outputs,
            kernel,
            stride,
            norm,
            pool,
        } => {
            let settings = ConvolutionSettings {
                kernel,
                stride,
                padding: kernel / 2,
                norm,
                pool: pool && room,
                ..ConvolutionSettings::normalised(channels, outputs)
            };
            stack.convolution(name, settings)
        }
        Piece::Depthwise { stride, norm } => {
            let settings = DepthwiseSettings {
                norm,
                ..DepthwiseSettings::normalised(channels, stride)
            };
            stack.depthwise(name, settings)
        }
        Piece::Residual {
            outputs,
            stride,
            depthwise,
            pool,
        } => stack.residual(name, |body| {
            let first = ConvolutionSettings {
                stride,
                ..ConvolutionSettings::normalised(channels, outputs)
            };
            let body = body.convolution("conv1", first)?;
            let body = if depthwise {
                body.depthwise("depthwise", DepthwiseSettings::normalised(outputs, 1))?
            } else {
                body
            };
            let last = ConvolutionSettings {
                pool: pool && room,
                ..ConvolutionSettings::normalised(outputs, outputs)
            };
            body.convolution("conv2", last)
        }),
    }
}

fn network(
    input: [usize; 3],
    pieces: &[Piece],
    flat: bool,
    engine: Engine,
    parameters: &Parameters,
) -> Result<Sequential> {
    let mut stack = Stack::new(input, engine, parameters.builder());
    for (place, piece) in pieces.iter().enumerate() {
        stack = add(stack, &format!("block{place}"), *piece)?;
    }
    let stack = if flat {
        stack.flatten()?
    } else {
        stack.global_mean()?
    };
    stack
        .dense("hidden", 9, true)?
        .dropout("dropout", 0.3)?
        .dense("head", 5, false)?
        .finish()
}

#[test]
fn plans_give_what_the_network_gives_for_random_networks_on_every_engine() {
    let cases = (
        pieces(),
        prop_oneof![Just(1usize), Just(3)],
        (5..17usize, 5..17usize),
        any::<bool>(),
        prop_oneof![1..4usize, 31..36usize],
    );
    let test = |(pieces, channels, (height, width), flat_row, count): (
        Vec<Piece>,
        usize,
        (usize, usize),
        bool,
        usize,
    )| {
        let input = [channels, height, width];
        let pictures = random(&[count, channels, height, width], "pictures");
        let parameters = Parameters::new(3, &Device::Cpu);
        let portable = network(input, &pieces, flat_row, Engine::Portable, &parameters).unwrap();
        randomise(&parameters);
        assert!(
            Plan::new(&portable).unwrap().is_none(),
            "the portable engine has no plan"
        );
        let expected = flat(&portable.forward(&pictures, Mode::Predict).unwrap());
        let parameter_count: usize = parameters
            .vars()
            .iter()
            .map(|(_, var)| var.elem_count())
            .sum();
        let listed: usize = portable.layers().iter().map(|layer| layer.parameters).sum();
        assert_eq!(parameter_count, listed);
        for engine in kernels() {
            let network = network(input, &pieces, flat_row, engine, &parameters).unwrap();
            let graph = flat(&network.forward(&pictures, Mode::Predict).unwrap());
            let plan = Plan::new(&network).unwrap().unwrap();
            let planned = flat(&plan.forward(&pictures).unwrap());
            assert_close(&format!("{engine} graph"), &graph, &expected, 2e-4);
            assert_close(&format!("{engine} plan"), &planned, &graph, 2e-5);
            // The buffers of the first run do not show in the second.
            assert_eq!(planned, flat(&plan.forward(&pictures).unwrap()));
        }
        Ok(())
    };
    runner(60).run(&cases, test).unwrap();
}

#[test]
fn a_tape_gives_the_gradients_of_the_graph_for_random_networks_on_every_engine() {
    let cases = (
        pieces(),
        prop_oneof![Just(1usize), Just(3)],
        5..13usize,
        any::<bool>(),
    );
    let test = |(pieces, channels, side, flat_row): (Vec<Piece>, usize, usize, bool)| {
        let input = [channels, side, side + 1];
        let pictures = random(&[3, channels, side, side + 1], "pictures");
        let pictures = candle_core::Var::from_tensor(&pictures).unwrap();
        let targets = Tensor::full(0.2f32, (3, 5), &Device::Cpu).unwrap();
        for engine in Engine::available() {
            let parameters = Parameters::new(3, &Device::Cpu);
            let network = network(input, &pieces, flat_row, engine, &parameters).unwrap();
            let mut vars = parameters.trainable();
            vars.push(("pictures".into(), pictures.clone()));
            let tape = Tape::new(&network).unwrap();
            let made = |taped: bool, step| {
                randomise(&parameters);
                let mode = Mode::Train { seed: 2, step };
                let logits = if taped {
                    tape.forward(&pictures, mode).unwrap()
                } else {
                    network.forward(&pictures, mode).unwrap()
                };
                let loss = cross_entropy(&logits, &targets, engine).unwrap();
                let gradients = if taped {
                    tape.backward(&loss).unwrap()
                } else {
                    loss.backward().unwrap()
                };
                let mut found = vec![flat(&logits)];
                found.extend(
                    vars.iter()
                        .map(|(_, var)| flat(gradients.get(var).unwrap())),
                );
                let statistics = parameters.vars().into_iter().map(|(_, var)| flat(&var));
                found.extend(statistics);
                found
            };
            // Two steps, so that buffers of the first would show in the second.
            for step in 0..2 {
                for (found, expected) in made(true, step).iter().zip(&made(false, step)) {
                    assert_close(&format!("{engine}"), found, expected, 1e-5);
                }
            }
        }
        Ok(())
    };
    runner(50).run(&cases, test).unwrap();
}

#[test]
fn a_tape_refuses_to_go_back_through_an_earlier_pass() {
    let parameters = Parameters::new(3, &Device::Cpu);
    let network = Architecture::default();
    let network = network
        .build(8, Engine::detect(), parameters.builder())
        .unwrap();
    let tape = Tape::new(&network).unwrap();
    let pictures = random(&[1, 1, 48, 48], "pictures");
    let mode = Mode::Train { seed: 0, step: 0 };
    let first = tape.forward(&pictures, mode).unwrap().sum_all().unwrap();
    let second = tape.forward(&pictures, mode).unwrap().sum_all().unwrap();
    assert!(
        tape.backward(&first)
            .unwrap_err()
            .to_string()
            .contains("another forward pass")
    );
    assert!(tape.backward(&second).is_ok());
    assert!(
        tape.backward(&pictures.sum_all().unwrap()).is_err(),
        "no logits in the loss"
    );
    let small = random(&[1, 1, 40, 48], "small");
    assert!(
        tape.forward(&small, mode)
            .unwrap_err()
            .to_string()
            .contains("[1, 40, 48]")
    );
}

/// Losses and final weights, as bits, of a few steps.
fn trained(architecture: &Architecture, engine: Engine, threads: usize) -> (Vec<u32>, Vec<u32>) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.unwrap().install(|| {
        let parameters = Parameters::new(5, &Device::Cpu);
        let network = architecture.build(8, engine, parameters.builder()).unwrap();
        let mut adam = Optimiser::new(&parameters, AdamSettings::default(), engine).unwrap();
        let tape = Tape::new(&network).unwrap();
        let pictures = random(&[6, 1, 48, 48], "pictures");
        let targets = Tensor::eye(8, DType::F32, &Device::Cpu).unwrap();
        let targets = targets.narrow(0, 0, 6).unwrap();
        let mut losses = Vec::new();
        for step in 0..3 {
            let logits = tape
                .forward(&pictures, Mode::Train { seed: 1, step })
                .unwrap();
            let loss = cross_entropy(&logits, &targets, engine).unwrap();
            losses.push(loss.to_scalar::<f32>().unwrap().to_bits());
            adam.step(&tape.backward(&loss).unwrap(), 1e-3).unwrap();
        }
        let plan = Plan::new(&network).unwrap().unwrap();
        let mut bits: Vec<u32> = flat(&plan.forward(&pictures).unwrap())
            .into_iter()
            .map(f32::to_bits)
            .collect();
        for (_, var) in parameters.vars() {
            bits.extend(flat(&var).into_iter().map(f32::to_bits));
        }
        (losses, bits)
    })
}

#[test]
fn every_network_trains_and_predicts_to_the_same_bits_with_one_two_and_four_threads() {
    for name in Architecture::NAMES {
        let architecture = Architecture::named(name).unwrap();
        for engine in kernels() {
            let one = trained(&architecture, engine, 1);
            assert_ne!(one.0[0], one.0[2], "{name}: the loss does not move");
            assert!(
                one == trained(&architecture, engine, 2),
                "{name} {engine}: 2 threads"
            );
            assert!(
                one == trained(&architecture, engine, 4),
                "{name} {engine}: 4 threads"
            );
        }
    }
}

#[test]
fn parameters_and_work_are_those_of_the_design() {
    for (name, parameters, products) in [
        ("cnn", 839_176, 9_558_144),
        ("vgg", 1_165_416, 96_217_088),
        ("resnet", 700_920, 78_189_568),
        ("resvgg", 1_903_464, 138_684_416),
    ] {
        let layers = Architecture::named(name).unwrap().layers(8).unwrap();
        let trained: usize = layers
            .iter()
            .map(|layer| layer.parameters - layer.statistics)
            .sum();
        let work: usize = layers.iter().map(|layer| layer.multiply_adds).sum();
        assert_eq!((trained, work), (parameters, products), "{name}");
    }
}

#[test]
fn a_nan_or_an_infinity_in_a_picture_or_a_weight_travels_as_in_the_portable_form() {
    for name in Architecture::NAMES {
        let architecture = Architecture::named(name).unwrap();
        for value in [f32::NAN, f32::INFINITY] {
            let mut pixels = flat(&random(&[2, 1, 48, 48], "pictures"));
            pixels[48 * 20 + 17] = value;
            let pictures = Tensor::from_vec(pixels, (2, 1, 48, 48), &Device::Cpu).unwrap();
            let parameters = Parameters::new(5, &Device::Cpu);
            let finite = |engine| {
                let network = architecture.build(8, engine, parameters.builder()).unwrap();
                let logits = network.forward(&pictures, Mode::Predict).unwrap();
                let finite = |logits: &Tensor| -> Vec<bool> {
                    flat(logits).iter().map(|logit| logit.is_finite()).collect()
                };
                let planned = Plan::new(&network)
                    .unwrap()
                    .map(|plan| plan.forward(&pictures).unwrap());
                (finite(&logits), planned.map(|logits| finite(&logits)))
            };
            let (expected, _) = finite(Engine::Portable);
            assert!(
                expected[..8].iter().all(|finite| !finite),
                "{name}: {value} vanished"
            );
            assert!(expected[8..].iter().all(|finite| *finite), "{name}");
            for engine in kernels() {
                assert_eq!(
                    finite(engine),
                    (expected.clone(), Some(expected.clone())),
                    "{name} {engine} {value}"
                );
            }
        }
    }
}

#[test]
fn a_nan_in_a_weight_reaches_every_logit() {
    for name in Architecture::NAMES {
        let architecture = Architecture::named(name).unwrap();
        for engine in Engine::available() {
            let parameters = Parameters::new(5, &Device::Cpu);
            let network = architecture.build(8, engine, parameters.builder()).unwrap();
            let (_, first) = parameters
                .vars()
                .into_iter()
                .find(|(name, _)| ["conv1.weight", "stem.weight"].contains(&name.as_str()))
                .unwrap();
            let mut values = flat(&first);
            // The middle of a window sees every position.
            values[4] = f32::NAN;
            first
                .set(&Tensor::from_vec(values, first.shape(), &Device::Cpu).unwrap())
                .unwrap();
            let pictures = random(&[1, 1, 48, 48], "pictures");
            let logits = network.forward(&pictures, Mode::Predict).unwrap();
            assert!(
                flat(&logits).iter().all(|logit| logit.is_nan()),
                "{name} {engine}"
            );
        }
    }
}

#[test]
fn stacks_refuse_what_does_not_fit_and_name_it() {
    let stack = || {
        let parameters = Parameters::new(0, &Device::Cpu);
        Stack::new([1, 6, 6], Engine::detect(), parameters.builder())
    };
    let message = |result: Result<Stack<'_>>| result.map(|_| ()).unwrap_err().to_string();
    let error = message(stack().convolution("first", ConvolutionSettings::valid(3, 4)));
    assert!(
        error.contains("first") && error.contains("3 channels"),
        "{error}"
    );
    let shrinking = ConvolutionSettings {
        kernel: 5,
        ..ConvolutionSettings::valid(1, 4)
    };
    let error = message(
        stack()
            .convolution("first", shrinking)
            .and_then(|stack| stack.convolution("second", ConvolutionSettings::valid(4, 4))),
    );
    assert!(error.contains("second"), "{error}");
    assert!(message(stack().dense("head", 3, false)).contains("head"));
    assert!(message(stack().dropout("drop", 1.0)).contains("drop"));
    assert!(message(stack().residual("block", Ok)).contains("block"));
    assert!(stack().finish().is_err());
    let network = stack()
        .flatten()
        .and_then(|stack| stack.dense("head", 3, false)?.finish());
    let network = network.unwrap();
    let other = Tensor::zeros((1, 1, 5, 6), DType::F32, &Device::Cpu).unwrap();
    let error = network
        .forward(&other, Mode::Predict)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("[1, 6, 6]") && error.contains("[1, 5, 6]"),
        "{error}"
    );
    assert!(
        Plan::new(&network)
            .unwrap()
            .unwrap()
            .forward(&other)
            .is_err()
    );
    assert!(
        Plan::new(&network)
            .unwrap()
            .unwrap()
            .run(&[0.0; 35])
            .is_err()
    );
}
