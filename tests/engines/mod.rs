mod architectures;
mod blocks;
mod networks;
mod pieces;
mod precision;
mod residuals;
mod stacks;

use candle_core::{Device, Tensor, Var};
use fer_data::random::stream;
use fer_model::Parameters;
use fer_model::ops::Engine;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rand::RngExt;

/// Random cases, the same at every run.
fn runner(cases: u32) -> TestRunner {
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// Every engine that has kernels on this machine.
fn kernels() -> Vec<Engine> {
    let mut engines = Engine::available();
    engines.retain(|engine| *engine != Engine::Portable);
    engines
}

fn random(shape: &[usize], name: &str) -> Tensor {
    let mut random = stream(17, name, 0);
    let count = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|_| random.random_range(-1.0..1.0)).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// The values of every variable, random where it was constant; variances stay positive.
fn randomise(parameters: &Parameters) {
    for (name, var) in parameters.vars() {
        let mut values = random(var.dims(), &name);
        if name.ends_with("running_var") {
            values = (values.sqr().unwrap() + 0.5).unwrap();
        } else if name.ends_with("norm.weight") {
            values = (values + 1.5).unwrap();
        } else if name.contains("squeeze") {
            // A gate of large maps and weights is a step, on which a rounding error tips.
            values = (values * 0.05).unwrap();
        }
        var.set(&values).unwrap();
    }
}

/// Differences as shares of the largest value.
fn assert_close(what: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected
        .iter()
        .fold(1e-3f32, |most, value| most.max(value.abs()));
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        let close = (found - expected).abs() <= tolerance * largest;
        assert!(
            close,
            "{what}[{place}]: {found} against {expected} of {largest}"
        );
    }
}

/// The gradient of every variable, by name.
fn gradients(loss: &Tensor, vars: &[(String, Var)]) -> Vec<Vec<f32>> {
    let gradients = loss.backward().unwrap();
    vars.iter()
        .map(|(name, var)| {
            let gradient = gradients.get(var);
            flat(gradient.unwrap_or_else(|| panic!("{name} has no gradient")))
        })
        .collect()
}
