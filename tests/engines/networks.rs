use candle_core::{Device, Tensor};
use fer_model::ops::{Engine, Mode, cross_entropy};
use fer_model::{Architecture, Network, Parameters, Plan, Tape};
use proptest::prelude::*;

use super::pieces::{Piece, network, pieces};
use super::{assert_close, flat, kernels, random, randomise, runner};

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
            assert_close(&format!("{engine} plan"), &planned, &graph, 1e-4);
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
