//! Central differences in f64 would need f64 kernels; the operations are f32, so losses are kept
//! of order one, steps at 1e-2, and tolerances at what f32 leaves.

use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::VarBuilder;
use fer_data::random::stream;
use fer_model::ops::{ConvolutionBlock, Dense, Mode, cross_entropy, dropout, max_pool};
use fer_model::{Architecture, Parameters};
use rand::RngExt;

const STEP: f32 = 1e-2;

fn random(shape: &[usize], name: &str) -> Vec<f32> {
    let mut random = stream(11, name, 0);
    (0..shape.iter().product())
        .map(|_| random.random_range(-1.0..1.0))
        .collect()
}

/// Random values no two of which lie closer than the differences step over, so that no maximum
/// and no ReLU changes sides.
fn apart(shape: &[usize], name: &str) -> Vec<f32> {
    use rand::seq::SliceRandom;
    let count: usize = shape.iter().product();
    let mut values: Vec<f32> = (0..count)
        .map(|place| (place as f32 + 0.5 - count as f32 / 2.0) * 0.05)
        .collect();
    values.shuffle(&mut stream(13, name, 0));
    values
}

/// Weights the output with fixed random numbers, so that every output has its own influence.
fn weighted_sum(output: &Tensor) -> Result<Tensor> {
    let weights = random(output.dims(), "influence");
    (output * Tensor::from_vec(weights, output.shape(), &Device::Cpu)?)?.sum_all()
}

/// Compares the gradient of `loss` for the elements of every variable with central differences.
///
/// Where the slopes to the two sides differ, a ReLU or a maximum changes sides within the step and
/// there is no derivative to compare with; few places may be such.
fn check(vars: &[(String, Var)], step: f32, tolerance: f32, loss: impl Fn() -> Tensor) {
    let gradients = loss().backward().unwrap();
    let base = loss().to_scalar::<f32>().unwrap();
    for (name, var) in vars {
        let gradient = gradients
            .get(var)
            .unwrap_or_else(|| panic!("{name} has no gradient"));
        let gradient = gradient.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let values = var.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let largest = gradient
            .iter()
            .fold(0.0f32, |most, value| most.max(value.abs()));
        assert!(largest > 1e-3, "{name}: every gradient is zero");
        let (mut places, mut kinks) = (0, 0);
        for place in (0..values.len()).step_by(values.len().div_ceil(120)) {
            let at = |offset: f32| {
                let mut moved = values.clone();
                moved[place] += offset;
                var.set(&Tensor::from_vec(moved, var.shape(), &Device::Cpu).unwrap())
                    .unwrap();
                loss().to_scalar::<f32>().unwrap()
            };
            let (ahead, behind) = ((at(step) - base) / step, (base - at(-step)) / step);
            var.set(&Tensor::from_slice(&values, var.shape(), &Device::Cpu).unwrap())
                .unwrap();
            places += 1;
            if (ahead - behind).abs() > tolerance * largest {
                kinks += 1;
                continue;
            }
            let difference = (ahead + behind) / 2.0;
            let error = (difference - gradient[place]).abs();
            assert!(
                error < tolerance * largest,
                "{name}[{place}]: {} against {difference}",
                gradient[place]
            );
        }
        assert!(
            kinks * 5 <= places,
            "{name}: {kinks} of {places} places have no derivative"
        );
    }
}

fn variable(values: Vec<f32>, shape: &[usize]) -> Var {
    Var::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// The variables of a layer, their values replaced by random ones so that biases count too.
fn layer_variables(parameters: &Parameters) -> Vec<(String, Var)> {
    let vars = parameters.vars();
    for (name, var) in &vars {
        let values = random(var.dims(), name);
        var.set(&Tensor::from_vec(values, var.shape(), &Device::Cpu).unwrap())
            .unwrap();
    }
    vars
}

#[test]
fn max_pooling_on_even_and_odd_sizes() {
    for shape in [
        [2, 3, 4, 6],
        [1, 2, 5, 7],
        [2, 1, 21, 21],
        [1, 1, 2, 2],
        [1, 1, 3, 3],
    ] {
        let var = variable(apart(&shape, "pool"), &shape);
        let vars = [("pictures".to_string(), var.clone())];
        check(&vars, STEP, 2e-2, || {
            weighted_sum(&max_pool(&var).unwrap()).unwrap()
        });
    }
}

/// The gradients of every variable, by name.
fn gradients(vars: &[(String, Var)], loss: &Tensor) -> Vec<(String, Vec<f32>)> {
    let gradients = loss.backward().unwrap();
    let flat = |var| {
        gradients
            .get(var)
            .unwrap()
            .flatten_all()
            .unwrap()
            .to_vec1()
            .unwrap()
    };
    vars.iter()
        .map(|(name, var)| (name.clone(), flat(var)))
        .collect()
}

/// Holds the form for the CPU against the portable one: results and all gradients.
fn check_forms(vars: &[(String, Var)], fast: impl Fn() -> Tensor, portable: impl Fn() -> Tensor) {
    let flat = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let close = |name: &str, one: &[f32], other: &[f32]| {
        assert_eq!(one.len(), other.len());
        let largest = other
            .iter()
            .fold(1e-6f32, |most, value| most.max(value.abs()));
        for (one, other) in one.iter().zip(other) {
            assert!(
                (one - other).abs() <= 1e-5 * largest,
                "{name}: {one} against {other}"
            );
        }
    };
    let (fast, portable) = (fast(), portable());
    assert_eq!(fast.dims(), portable.dims());
    close("result", &flat(&fast), &flat(&portable));
    let (fast, portable) = (
        weighted_sum(&fast).unwrap(),
        weighted_sum(&portable).unwrap(),
    );
    for ((name, one), (_, other)) in gradients(vars, &fast)
        .iter()
        .zip(gradients(vars, &portable))
    {
        close(name, one, &other);
    }
}

#[test]
fn convolution_blocks_for_maps_weights_and_bias() {
    let shapes = [
        (2, 3, 4, 7, 6),
        (1, 1, 5, 4, 5),
        (3, 2, 1, 5, 9),
        (2, 1, 32, 12, 12),
        (2, 17, 33, 9, 8),
        (1, 32, 64, 11, 13),
    ];
    for (count, inputs, outputs, height, width) in shapes {
        for pool in [false, true] {
            let parameters = Parameters::new(0, &Device::Cpu);
            let builder = parameters.builder().pp("conv");
            let layer = ConvolutionBlock::new(inputs, outputs, pool, builder).unwrap();
            let mut vars = layer_variables(&parameters);
            let shape = [count, height, width, inputs];
            let maps = variable(random(&shape, "maps"), &shape);
            vars.push(("maps".into(), maps.clone()));
            check_forms(
                &vars,
                || layer.forward(&maps).unwrap(),
                || layer.forward_portable(&maps).unwrap(),
            );
            check(&vars, 2e-3, 3e-2, || {
                weighted_sum(&layer.forward(&maps).unwrap()).unwrap()
            });
        }
    }
}

#[test]
fn dense_layers_for_rows_weights_and_bias() {
    for (inputs, outputs, relu) in [(7, 5, false), (7, 5, true), (130, 33, true), (1, 1, false)] {
        let parameters = Parameters::new(0, &Device::Cpu);
        let layer = Dense::new(inputs, outputs, relu, parameters.builder().pp("dense")).unwrap();
        let mut vars = layer_variables(&parameters);
        let rows = variable(random(&[4, inputs], "rows"), &[4, inputs]);
        vars.push(("rows".into(), rows.clone()));
        check_forms(
            &vars,
            || layer.forward(&rows).unwrap(),
            || layer.forward_portable(&rows).unwrap(),
        );
        check(&vars, 2e-3, 3e-2, || {
            weighted_sum(&layer.forward(&rows).unwrap()).unwrap()
        });
    }
}

#[test]
fn cross_entropy_with_soft_and_one_hot_targets() {
    let logits = variable(random(&[4, 3], "logits"), &[4, 3]);
    let targets = [1f32, 0., 0., 0.2, 0.5, 0.3, 0., 0., 1., 0.6, 0.4, 0.];
    let targets = Tensor::from_slice(&targets, (4, 3), &Device::Cpu).unwrap();
    let vars = [("logits".to_string(), logits.clone())];
    check(&vars, 1e-3, 1e-2, || {
        cross_entropy(&logits, &targets).unwrap()
    });
}

#[test]
fn cross_entropy_is_the_mean_of_minus_log_probability() {
    let logits = Tensor::new(&[[0.0f32, 0.0], [3f32.ln(), 0.0]], &Device::Cpu).unwrap();
    let targets = Tensor::new(&[[1.0f32, 0.0], [0.5, 0.5]], &Device::Cpu).unwrap();
    let loss = cross_entropy(&logits, &targets)
        .unwrap()
        .to_scalar::<f32>()
        .unwrap();
    let second = -(0.5 * 0.75f32.ln() + 0.5 * 0.25f32.ln());
    assert!((loss - (2f32.ln() + second) / 2.0).abs() < 1e-6, "{loss}");
}

#[test]
fn relu_and_dropout_with_a_fixed_mask() {
    let values = variable(apart(&[6, 10], "dropout"), &[6, 10]);
    let vars = [("values".to_string(), values.clone())];
    let mode = Mode::Train { seed: 3, step: 9 };
    check(&vars, STEP, 2e-2, || {
        weighted_sum(&dropout(&values.relu().unwrap(), 0.4, "d", mode).unwrap()).unwrap()
    });
}

#[test]
fn the_whole_network() {
    let parameters = Parameters::new(5, &Device::Cpu);
    let network = Architecture::default()
        .build(8, parameters.builder())
        .unwrap();
    let pictures: Vec<f32> = random(&[2, 1, 48, 48], "faces")
        .iter()
        .map(|value| (value + 1.0) / 2.0)
        .collect();
    let pictures = Tensor::from_vec(pictures, (2, 1, 48, 48), &Device::Cpu).unwrap();
    let targets = Tensor::new(
        &[
            [0f32, 0., 1., 0., 0., 0., 0., 0.],
            [0.5, 0., 0., 0., 0.5, 0., 0., 0.],
        ],
        &Device::Cpu,
    )
    .unwrap();
    let mode = Mode::Train { seed: 1, step: 0 };
    let loss = || cross_entropy(&network.forward(&pictures, mode).unwrap(), &targets).unwrap();
    check(&parameters.vars(), 2e-3, 0.1, loss);
}

#[test]
fn candles_own_max_pooling_is_still_wrong_which_is_why_ours_exists() {
    let var = Var::from_vec(
        (0..25).map(|place| place as f32).collect(),
        (1, 1, 5, 5),
        &Device::Cpu,
    )
    .unwrap();
    let gradient = |pooled: Tensor| {
        let gradients = pooled.sum_all().unwrap().backward().unwrap();
        gradients
            .get(&var)
            .unwrap()
            .flatten_all()
            .unwrap()
            .to_vec1::<f32>()
            .unwrap()
    };
    let ours = gradient(max_pool(&var).unwrap());
    assert_eq!(ours.iter().sum::<f32>(), 4.0);
    assert_ne!(
        ours,
        gradient(var.max_pool2d(2).unwrap()),
        "candle is mended: our own form may go"
    );
}

#[test]
fn shapes_that_do_not_fit_are_errors() {
    let builder = VarBuilder::zeros(DType::F32, &Device::Cpu);
    let dense = Dense::new(7, 5, true, builder.pp("dense")).unwrap();
    let convolution = ConvolutionBlock::new(3, 4, true, builder.pp("conv")).unwrap();
    let tensor = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
    assert!(dense.forward(&tensor(&[2, 6])).is_err());
    assert!(convolution.forward(&tensor(&[1, 5, 5, 2])).is_err());
    assert!(convolution.forward(&tensor(&[1, 3, 3, 3])).is_err());
    assert!(convolution.forward(&tensor(&[1, 4, 4, 3])).is_ok());
    assert!(max_pool(&tensor(&[1, 2, 1, 5])).is_err());
    assert!(max_pool(&tensor(&[2, 5])).is_err());
    assert!(cross_entropy(&tensor(&[2, 5]), &tensor(&[2, 4])).is_err());
}
