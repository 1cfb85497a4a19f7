//! Central differences in f64 would need f64 kernels; the operations are f32, so losses are kept
//! of order one, steps at 1e-2, and tolerances at what f32 leaves.

use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::VarBuilder;
use fer_data::random::stream;
use fer_model::ops::{
    ClassWeights, ConvolutionBlock, ConvolutionSettings, Dense, DepthwiseBlock, DepthwiseSettings,
    Engine, Loss, LossSettings, Mode, SqueezeBlock, cross_entropy, dropout, flatten, global_mean,
    max_pool, relu,
};
use fer_model::{Architecture, Network, Parameters, ResidualSettings, Stack};
use rand::RngExt;

const STEP: f32 = 1e-2;
const TRAIN: Mode = Mode::Train { seed: 0, step: 0 };

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
    let (mut places, mut kinks) = (0, 0);
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
    }
    assert!(
        kinks * 5 <= places,
        "{kinks} of {places} places have no derivative"
    );
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

/// A block of `settings` with random weights, its variables and random maps among them.
fn block(
    settings: ConvolutionSettings,
    maps: &[usize],
    engine: Engine,
) -> (ConvolutionBlock, Vec<(String, Var)>) {
    let parameters = Parameters::new(0, &Device::Cpu);
    let layer = ConvolutionBlock::new(settings, engine, parameters.builder()).unwrap();
    let mut vars = layer_variables(&parameters);
    vars.push(("maps".into(), variable(random(maps, "maps"), maps)));
    (layer, vars)
}

#[test]
fn convolution_blocks_for_maps_weights_and_what_follows() {
    let valid = ConvolutionSettings::valid;
    let normalised = ConvolutionSettings::normalised;
    let blocks = [
        ([2, 7, 6, 3], valid(3, 4)),
        ([1, 4, 5, 1], valid(1, 5)),
        (
            [3, 5, 9, 2],
            ConvolutionSettings {
                relu: false,
                ..valid(2, 1)
            },
        ),
        ([2, 9, 8, 17], valid(17, 33)),
        ([1, 11, 13, 32], valid(32, 64)),
        ([2, 7, 7, 3], normalised(3, 4)),
        ([2, 12, 12, 32], normalised(32, 32)),
        (
            [2, 9, 8, 5],
            ConvolutionSettings {
                stride: 2,
                ..normalised(5, 18)
            },
        ),
        ([2, 6, 6, 5], ConvolutionSettings::projection(5, 7, 2)),
    ];
    for engine in [Engine::detect(), Engine::Portable] {
        for (maps, settings) in blocks {
            for pool in [false, true] {
                let (layer, vars) = block(ConvolutionSettings { pool, ..settings }, &maps, engine);
                let input = vars[vars.len() - 1].1.clone();
                let trained: Vec<_> = vars
                    .into_iter()
                    .filter(|(name, _)| !name.contains("running"))
                    .collect();
                check(&trained, 2e-3, 4e-2, || {
                    weighted_sum(&layer.forward(&input, TRAIN).unwrap()).unwrap()
                });
            }
        }
    }
}

#[test]
fn residuals_get_their_gradient_before_the_relu() {
    for engine in [Engine::detect(), Engine::Portable] {
        for settings in [
            ConvolutionSettings::normalised(3, 4),
            ConvolutionSettings {
                padding: 1,
                ..ConvolutionSettings::valid(3, 4)
            },
        ] {
            for mode in [TRAIN, Mode::Predict] {
                let (layer, vars) = block(settings, &[2, 6, 5, 3], engine);
                for (_, var) in vars
                    .iter()
                    .filter(|(name, _)| name.ends_with("running_var"))
                {
                    var.set(&(var.sqr().unwrap() + 0.5).unwrap()).unwrap();
                }
                let input = vars[vars.len() - 1].1.clone();
                let residual = variable(random(&[2, 6, 5, 4], "around"), &[2, 6, 5, 4]);
                let mut trained: Vec<_> = vars
                    .into_iter()
                    .filter(|(name, _)| !name.contains("running"))
                    .collect();
                trained.push(("residual".into(), residual.clone()));
                check(&trained, 2e-3, 4e-2, || {
                    let sum = layer.forward_adding(&input, Some(&residual), mode);
                    weighted_sum(&sum.unwrap()).unwrap()
                });
            }
        }
    }
}

#[test]
fn depthwise_blocks_for_maps_weights_and_what_follows() {
    for engine in [Engine::detect(), Engine::Portable] {
        for (channels, stride, padding, norm) in [
            (5, 1, 1, true),
            (17, 2, 1, false),
            (3, 2, 0, true),
            (1, 1, 2, false),
        ] {
            let settings = DepthwiseSettings {
                stride,
                padding,
                norm,
                ..DepthwiseSettings::normalised(channels, 1)
            };
            let parameters = Parameters::new(0, &Device::Cpu);
            let layer = DepthwiseBlock::new(settings, engine, parameters.builder()).unwrap();
            let mut vars = layer_variables(&parameters);
            vars.retain(|(name, _)| !name.contains("running"));
            let shape = [2, 7, 8, channels];
            let maps = variable(random(&shape, "maps"), &shape);
            vars.push(("maps".into(), maps.clone()));
            check(&vars, 2e-3, 4e-2, || {
                weighted_sum(&layer.forward(&maps, TRAIN).unwrap()).unwrap()
            });
        }
    }
}

#[test]
fn residuals_with_and_without_squeeze_and_excitation() {
    let shape = [4, 3, 6, 5];
    for engine in [Engine::detect(), Engine::Portable] {
        for (squeeze, pool, outputs) in [(2, false, 3), (1, true, 3), (4, false, 5), (0, true, 3)] {
            let parameters = Parameters::new(0, &Device::Cpu);
            let first = ConvolutionSettings::normalised(3, 4);
            let last = ConvolutionSettings {
                pool,
                ..ConvolutionSettings::normalised(4, outputs)
            };
            let network = Stack::new([3, 6, 5], engine, parameters.builder())
                .residual_with("block", ResidualSettings { squeeze }, |body| {
                    body.convolution("conv1", first)?.convolution("conv2", last)
                })
                .and_then(|stack| stack.flatten()?.dense("dense", 3, false)?.finish())
                .unwrap();
            let mut vars = layer_variables(&parameters);
            vars.retain(|(name, _)| !name.contains("running"));
            // Means of normalised maps are small: the hidden values live by their bias.
            for (_, bias) in vars
                .iter()
                .filter(|(name, _)| name.ends_with("dense1.bias"))
            {
                bias.set(&bias.ones_like().unwrap()).unwrap();
            }
            let pictures = variable(random(&shape, "pictures"), &shape);
            vars.push(("pictures".into(), pictures.clone()));
            check(&vars, 2e-3, 4e-2, || {
                weighted_sum(&network.forward(&pictures, TRAIN).unwrap()).unwrap()
            });
        }
    }
}

#[test]
fn gates_for_maps_and_both_layers() {
    for engine in [Engine::detect(), Engine::Portable] {
        let parameters = Parameters::new(0, &Device::Cpu);
        let layer = SqueezeBlock::new(7, 3, engine, parameters.builder()).unwrap();
        let mut vars = layer_variables(&parameters);
        let shape = [3, 2, 4, 7];
        let maps = variable(random(&shape, "maps"), &shape);
        vars.push(("maps".into(), maps.clone()));
        check(&vars, STEP, 3e-2, || {
            weighted_sum(&layer.gates(&maps).unwrap()).unwrap()
        });
    }
}

#[test]
fn means_and_rows_of_maps() {
    let shape = [2, 3, 5, 4];
    let maps = variable(random(&shape, "maps"), &shape);
    let vars = [("maps".to_string(), maps.clone())];
    for engine in [Engine::detect(), Engine::Portable] {
        check(&vars, STEP, 1e-2, || {
            weighted_sum(&global_mean(&maps, engine).unwrap()).unwrap()
        });
        check(&vars, STEP, 1e-2, || {
            weighted_sum(&flatten(&maps, engine).unwrap()).unwrap()
        });
    }
}

#[test]
fn dense_layers_for_rows_weights_and_bias() {
    for engine in [Engine::detect(), Engine::Portable] {
        for (inputs, outputs, relu) in [(7, 5, false), (7, 5, true), (130, 33, true), (1, 1, false)]
        {
            let parameters = Parameters::new(0, &Device::Cpu);
            let layer = Dense::new([inputs, outputs], relu, engine, parameters.builder()).unwrap();
            let mut vars = layer_variables(&parameters);
            let rows = variable(random(&[4, inputs], "rows"), &[4, inputs]);
            vars.push(("rows".into(), rows.clone()));
            check(&vars, 2e-3, 3e-2, || {
                weighted_sum(&layer.forward(&rows).unwrap()).unwrap()
            });
        }
    }
}

#[test]
fn cross_entropy_with_soft_and_one_hot_targets() {
    let logits = variable(random(&[4, 3], "logits"), &[4, 3]);
    let targets = [1f32, 0., 0., 0.2, 0.5, 0.3, 0., 0., 1., 0.6, 0.4, 0.];
    let targets = Tensor::from_slice(&targets, (4, 3), &Device::Cpu).unwrap();
    let vars = [("logits".to_string(), logits.clone())];
    for engine in [Engine::detect(), Engine::Portable] {
        check(&vars, 1e-3, 1e-2, || {
            // The factor shows that the gradient from above is taken in.
            (cross_entropy(&logits, &targets, engine).unwrap() * 3.0).unwrap()
        });
    }
}

#[test]
fn every_part_of_the_loss_alone_and_all_together() {
    let logits = variable(random(&[4, 3], "logits"), &[4, 3]);
    let targets = [1f32, 0., 0., 0.2, 0.5, 0.3, 0., 0., 1., 0.6, 0.4, 0.];
    let targets = Tensor::from_slice(&targets, (4, 3), &Device::Cpu).unwrap();
    let vars = [("logits".to_string(), logits.clone())];
    let mut settings = [LossSettings::default(); 4];
    settings[0].label_smoothing = 0.2;
    settings[1].class_weights = ClassWeights::Balanced;
    settings[2].logit_adjustment = 1.0;
    settings[3] = LossSettings {
        label_smoothing: 0.1,
        class_weights: ClassWeights::Balanced,
        logit_adjustment: 0.5,
    };
    for engine in [Engine::detect(), Engine::Portable] {
        for settings in &settings {
            let loss = Loss::new(settings, &[50, 30, 20]).unwrap();
            check(&vars, 1e-3, 2e-2, || {
                let loss = loss.compute(&logits, &targets, engine).unwrap();
                (loss * 3.0).unwrap()
            });
        }
    }
}

#[test]
fn cross_entropy_is_the_mean_of_minus_log_probability() {
    let logits = Tensor::new(&[[0.0f32, 0.0], [3f32.ln(), 0.0]], &Device::Cpu).unwrap();
    let targets = Tensor::new(&[[1.0f32, 0.0], [0.5, 0.5]], &Device::Cpu).unwrap();
    let second = -(0.5 * 0.75f32.ln() + 0.5 * 0.25f32.ln());
    for engine in [Engine::detect(), Engine::Portable] {
        let loss = cross_entropy(&logits, &targets, engine).unwrap();
        let loss = loss.to_scalar::<f32>().unwrap();
        assert!((loss - (2f32.ln() + second) / 2.0).abs() < 1e-6, "{loss}");
    }
}

#[test]
fn relu_and_dropout_with_a_fixed_mask() {
    let values = variable(apart(&[6, 10], "dropout"), &[6, 10]);
    let vars = [("values".to_string(), values.clone())];
    let mode = Mode::Train { seed: 3, step: 9 };
    check(&vars, STEP, 2e-2, || {
        weighted_sum(&dropout(&relu(&values).unwrap(), 0.4, "d", mode).unwrap()).unwrap()
    });
}

#[test]
fn the_whole_network() {
    let parameters = Parameters::new(5, &Device::Cpu);
    let network = Architecture::default()
        .build(8, Engine::detect(), parameters.builder())
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
    let loss = || {
        cross_entropy(
            &network.forward(&pictures, mode).unwrap(),
            &targets,
            network.engine(),
        )
        .unwrap()
    };
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
    let engine = Engine::detect();
    let dense = Dense::new([7, 5], true, engine, builder.pp("dense")).unwrap();
    let pooled = ConvolutionSettings {
        pool: true,
        ..ConvolutionSettings::valid(3, 4)
    };
    let convolution = ConvolutionBlock::new(pooled, engine, builder.pp("conv")).unwrap();
    let depthwise = DepthwiseSettings {
        padding: 0,
        ..DepthwiseSettings::normalised(3, 1)
    };
    let depthwise = DepthwiseBlock::new(depthwise, engine, builder.pp("depthwise")).unwrap();
    let tensor = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
    let convolved = |shape: &[usize]| convolution.forward(&tensor(shape), Mode::Predict);
    assert!(dense.forward(&tensor(&[2, 6])).is_err());
    let error = convolved(&[1, 5, 5, 2]).unwrap_err().to_string();
    assert!(
        error.contains("3 channels") && error.contains("with 2"),
        "{error}"
    );
    let error = convolved(&[1, 3, 3, 3]).unwrap_err().to_string();
    assert!(error.contains("4×4") && error.contains("3×3"), "{error}");
    assert!(convolved(&[1, 4, 4, 3]).is_ok());
    let residual = tensor(&[1, 2, 2, 3]);
    let sum = convolution.forward_adding(&tensor(&[1, 4, 4, 3]), Some(&residual), Mode::Predict);
    let error = sum.unwrap_err().to_string();
    assert!(
        error.contains("[1, 2, 2, 3]") && error.contains("[1, 2, 2, 4]"),
        "{error}"
    );
    assert!(
        depthwise
            .forward(&tensor(&[1, 2, 4, 3]), Mode::Predict)
            .is_err()
    );
    assert!(global_mean(&tensor(&[1, 0, 4, 3]), engine).is_err());
    assert!(max_pool(&tensor(&[1, 2, 1, 5])).is_err());
    assert!(max_pool(&tensor(&[2, 5])).is_err());
    assert!(cross_entropy(&tensor(&[2, 5]), &tensor(&[2, 4]), engine).is_err());
    assert!(cross_entropy(&tensor(&[2, 5]), &tensor(&[2, 4]), Engine::Portable).is_err());
}
