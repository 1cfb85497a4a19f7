//! Adam against the published rules.

use super::*;
use crate::ops::kernel::reference::{assert_close, engines, numbers, with_threads};

/// The published rules in `f64`.
fn expected(adam: &Adam, steps: u32, start: &[f32]) -> Vec<f64> {
    let mut parameters: Vec<f64> = start.iter().copied().map(f64::from).collect();
    let (mut first, mut second) = (vec![0.0; start.len()], vec![0.0; start.len()]);
    let (rate, epsilon, decay) = (
        f64::from(adam.rate),
        f64::from(adam.epsilon),
        f64::from(adam.decay),
    );
    for step in 1..=steps {
        let gradient = numbers(u64::from(step), start.len());
        let power = step as i32;
        for (place, parameter) in parameters.iter_mut().enumerate() {
            let gradient = f64::from(gradient[place]);
            first[place] = adam.beta1 * first[place] + (1.0 - adam.beta1) * gradient;
            second[place] = adam.beta2 * second[place] + (1.0 - adam.beta2) * gradient * gradient;
            let (mean, square) = (first[place], second[place]);
            let (c1, c2) = (1.0 - adam.beta1.powi(power), 1.0 - adam.beta2.powi(power));
            *parameter -= rate * decay * *parameter;
            *parameter -= match adam.form {
                Epsilon::Keras => rate * c2.sqrt() / c1 * mean / (square.sqrt() + epsilon),
                Epsilon::PyTorch => rate * (mean / c1) / ((square / c2).sqrt() + epsilon),
            };
        }
    }
    parameters
}

fn run(adam: &Adam, engine: Engine, steps: u32, start: &[f32]) -> Vec<f32> {
    let mut parameters = start.to_vec();
    let (mut first, mut second) = (vec![0.0; start.len()], vec![0.0; start.len()]);
    for step in 1..=steps {
        let gradient = numbers(u64::from(step), start.len());
        adam.update(
            engine,
            step,
            &gradient,
            &mut parameters,
            &mut first,
            &mut second,
        );
    }
    parameters
}

#[test]
fn both_forms_follow_their_papers() {
    let start = numbers(99, 37);
    for epsilon in [1e-7, 1e-2] {
        for base in [Adam::keras(0.01), Adam::pytorch(0.01, 0.1)] {
            let adam = Adam { epsilon, ..base };
            let expected = expected(&adam, 20, &start);
            for engine in engines() {
                assert_close(
                    engine.name(),
                    &run(&adam, engine, 20, &start),
                    &expected,
                    2e-6,
                );
            }
        }
    }
}

#[test]
fn a_large_epsilon_tells_the_forms_apart() {
    let start = numbers(99, 37);
    let keras = Adam {
        epsilon: 1e-2,
        ..Adam::keras(0.01)
    };
    let pytorch = Adam {
        form: Epsilon::PyTorch,
        ..keras
    };
    let [a, b] = [keras, pytorch].map(|adam| run(&adam, Engine::Plain, 3, &start));
    assert!(a.iter().zip(&b).any(|(a, b)| (a - b).abs() > 1e-3));
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let start = numbers(99, 3 * CHUNK + 5);
    for engine in engines() {
        let work = |threads| with_threads(threads, || run(&Adam::keras(0.1), engine, 2, &start));
        assert_eq!(work(1), work(4));
    }
}
