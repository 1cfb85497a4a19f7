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

/// Logits, gradients by name and running statistics of one step through the tape or the graph.
fn step(
    network: &dyn Network,
    parameters: &Parameters,
    pictures: &Tensor,
    taped: bool,
) -> Vec<(String, Vec<f32>)> {
    randomise(parameters);
    let tape = Tape::new(network).unwrap();
    let mode = Mode::Train { seed: 2, step: 1 };
    let targets = Tensor::full(0.2f32, (3, 5), &Device::Cpu).unwrap();
    let logits = match taped {
        true => tape.forward(pictures, mode).unwrap(),
        false => network.forward(pictures, mode).unwrap(),
    };
    let loss = cross_entropy(&logits, &targets, network.engine()).unwrap();
    let gradients = match taped {
        true => tape.backward(&loss).unwrap(),
        false => loss.backward().unwrap(),
    };
    let mut found = vec![("logits".to_string(), flat(&logits))];
    for (name, var) in parameters.vars() {
        let is_trained = parameters.trainable().iter().any(|(free, _)| *free == name);
        let gradient = gradients.get(&var);
        assert_eq!(gradient.is_some(), is_trained, "{name}");
        found.extend(gradient.map(|gradient| (name.clone(), flat(gradient))));
        found.push((format!("{name} afterwards"), flat(&var)));
    }
    found
}

#[test]
fn a_tape_of_a_network_with_frozen_tensors_gives_the_gradients_of_the_graph_on_every_engine() {
    let cases = (pieces(), 5..13usize, any::<u64>(), 0..3u32);
    let test = |(pieces, side, chosen, form): (Vec<Piece>, usize, u64, u32)| {
        let input = [1, side, side + 1];
        let pictures = random(&[3, 1, side, side + 1], "pictures");
        let all = Parameters::new(3, &Device::Cpu);
        network(input, &pieces, false, Engine::Portable, &all).unwrap();
        let names = all.vars().into_iter().map(|(name, _)| name);
        let is_frozen = |(place, name): &(usize, String)| match form {
            // The first layers, whole normalisations at random, tensors at random.
            0 => *place <= all.vars().len() * (chosen % 8) as usize / 8,
            1 => name.contains(".norm.") && chosen >> (name.len() % 7) & 1 == 1,
            _ => chosen >> (place % 64) & 1 == 1,
        };
        let frozen: Vec<String> = names
            .enumerate()
            .filter(is_frozen)
            .map(|(_, name)| name)
            .filter(|name| !name.starts_with("head"))
            .collect();
        let mut expected = None;
        for engine in Engine::available() {
            let parameters = Parameters::new(3, &Device::Cpu).frozen(frozen.clone());
            let network = network(input, &pieces, false, engine, &parameters).unwrap();
            let graph = step(&network, &parameters, &pictures, false);
            for ((name, found), (_, expected)) in step(&network, &parameters, &pictures, true)
                .iter()
                .zip(&graph)
            {
                assert_close(&format!("{engine} {name}"), found, expected, 1e-5);
            }
            randomise(&parameters);
            for (name, var) in parameters.vars() {
                let after = graph
                    .iter()
                    .find(|(is, _)| *is == format!("{name} afterwards"));
                if parameters.is_frozen(&name) {
                    assert_eq!(after.unwrap().1, flat(&var), "{engine} {name} has moved");
                }
            }
            let logits = expected.get_or_insert_with(|| graph[0].1.clone());
            assert_close(&format!("{engine} logits"), &graph[0].1, logits, 2e-4);
        }
        Ok(())
    };
    runner(60).run(&cases, test).unwrap();
}

#[test]
fn a_tape_refuses_to_go_back_through_an_earlier_pass() {
    let parameters = Parameters::new(3, &Device::Cpu);
    let network = Architecture::default();
    let network = network
        .build(8, kernels()[0], parameters.builder())
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
