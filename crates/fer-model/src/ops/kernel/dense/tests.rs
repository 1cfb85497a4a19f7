//! Dense layers against their definition.

use proptest::prelude::*;

use super::*;
use crate::ops::kernel::reference::{assert_close_at, engines, grid, numbers, with_threads};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn forward_and_gradients_are_the_definition(
        batch in 1..10usize,
        inputs in prop_oneof![1..70usize, 1270..1300usize],
        outputs in 1..30usize,
        relu: bool,
        seed: u64,
    ) {
        let shape = Dense { batch, inputs, outputs };
        let x = numbers(seed, batch * inputs);
        let w = numbers(seed ^ 1, outputs * inputs);
        let bias = numbers(seed ^ 2, outputs);
        let gradient = numbers(seed ^ 3, batch * outputs);
        let mut y: Vec<f64> = bias.iter().cycle().take(batch * outputs).map(|b| f64::from(*b)).collect();
        let (mut dw, mut dx, mut db) = (vec![0.0; w.len()], vec![0.0; x.len()], vec![0.0; outputs]);
        for (row, output) in grid(batch, outputs) {
            let g = f64::from(gradient[row * outputs + output]);
            db[output] += g;
            for input in 0..inputs {
                let (x, w) = (f64::from(x[row * inputs + input]), f64::from(w[output * inputs + input]));
                y[row * outputs + output] += x * w;
                dw[output * inputs + input] += g * x;
                dx[row * inputs + input] += g * w;
            }
        }
        if relu {
            y.iter_mut().for_each(|y| *y = y.max(0.0));
        }
        for engine in engines() {
            let mut got = vec![f32::NAN; y.len()];
            forward(engine, shape, &x, &w, Some(&bias), relu, &mut got);
            assert_close_at(1.0, engine.name(), &got, &y, 1e-5);
            let (mut got_w, mut got_b, mut got_x) = (vec![f32::NAN; w.len()], vec![f32::NAN; outputs], vec![f32::NAN; x.len()]);
            backward(engine, shape, &x, &w, &gradient, &mut got_w, &mut got_b, Some(&mut got_x));
            assert_close_at(1.0, engine.name(), &got_w, &dw, 1e-5);
            assert_close_at(1.0, engine.name(), &got_b, &db, 1e-5);
            assert_close_at(1.0, engine.name(), &got_x, &dx, 1e-5);
        }
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let shape = Dense {
        batch: 13,
        inputs: 333,
        outputs: 21,
    };
    let (x, w, g) = (
        numbers(1, 13 * 333),
        numbers(2, 21 * 333),
        numbers(3, 13 * 21),
    );
    for engine in engines() {
        let run = |threads| {
            with_threads(threads, || {
                let mut y = vec![0.0; 13 * 21];
                forward(engine, shape, &x, &w, None, false, &mut y);
                let (mut dw, mut db, mut dx) =
                    (vec![0.0; w.len()], vec![0.0; 21], vec![0.0; x.len()]);
                backward(engine, shape, &x, &w, &g, &mut dw, &mut db, Some(&mut dx));
                [y, dw, db, dx].concat()
            })
        };
        let one = run(1);
        assert_eq!(one, run(2));
        assert_eq!(one, run(4));
    }
}

#[test]
fn a_nan_passes_the_relu() {
    let shape = Dense {
        batch: 1,
        inputs: 2,
        outputs: 1,
    };
    for engine in engines() {
        let mut y = [0.0];
        forward(
            engine,
            shape,
            &[f32::NAN, 1.0],
            &[1.0, 1.0],
            None,
            true,
            &mut y,
        );
        assert!(y[0].is_nan());
    }
}
