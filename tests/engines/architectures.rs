use candle_core::{DType, Device, Tensor};
use fer_model::ops::{AdamSettings, Engine, Mode, cross_entropy};
use fer_model::{Architecture, Network, Parameters, Plan, Tape, layer_table, thousands};
use fer_train::fit::Optimiser;
use serde_json::json;

use super::{flat, kernels, random};

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

/// Every network as it is by default, and those with squeeze-and-excitation.
fn architectures() -> Vec<(String, Architecture)> {
    let default = Architecture::NAMES
        .iter()
        .map(|name| (name.to_string(), Architecture::named(name).unwrap()));
    let gated = ["resnet", "resvgg", "mobile"].map(|name| {
        let settings = json!({"arch": name, "squeeze": 8});
        (
            format!("{name}, gated"),
            serde_json::from_value(settings).unwrap(),
        )
    });
    default.chain(gated).collect()
}

#[test]
fn every_network_trains_and_predicts_to_the_same_bits_with_one_two_and_four_threads() {
    for (name, architecture) in architectures() {
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

/// The file whose table of networks is checked.
const DOCUMENTED: &str = include_str!("../../crates/fer-model/src/arch/mod.rs");

/// Trainable parameters and multiply-adds for eight classes.
fn sizes(architecture: &Architecture) -> [usize; 2] {
    let layers = architecture.layers(8).unwrap();
    let trained = layers
        .iter()
        .map(|layer| layer.parameters - layer.statistics);
    let work = layers.iter().map(|layer| layer.multiply_adds);
    [trained.sum(), work.sum()]
}

/// A row of the table, `| name | settings | parameters | multiply-adds |`, with settings such as
/// "width 24, squeeze 16".
fn row(line: &str) -> Option<(String, Architecture, [usize; 2])> {
    let cells: Vec<&str> = line
        .strip_prefix("/// | `")?
        .split('|')
        .map(str::trim)
        .collect();
    let name = cells[0].trim_matches('`');
    let mut settings = json!({ "arch": name });
    for setting in cells[1].split(',').filter(|setting| !setting.is_empty()) {
        let (key, value) = setting.trim().split_once(' ').unwrap();
        settings[key] = value.parse::<usize>().unwrap().into();
    }
    let number = |cell: &str| cell.replace(',', "").parse().unwrap();
    let architecture = serde_json::from_value(settings).unwrap();
    Some((
        line.to_string(),
        architecture,
        [number(cells[2]), number(cells[3])],
    ))
}

#[test]
fn the_documented_sizes_of_the_networks_are_those_of_their_layers() {
    let rows: Vec<_> = DOCUMENTED.lines().filter_map(row).collect();
    for name in Architecture::NAMES {
        let default = Architecture::named(name).unwrap();
        let listed = |(_, architecture, _): &(_, Architecture, _)| *architecture == default;
        assert!(rows.iter().any(listed), "{name} is not in the table");
    }
    for (line, architecture, documented) in rows {
        assert_eq!(sizes(&architecture), documented, "{line}");
    }
}

#[test]
fn parameters_and_work_are_those_of_the_design() {
    for (name, parameters, products) in [
        ("cnn", 839_176, 9_558_144),
        ("vgg", 1_165_416, 96_217_088),
        ("resnet", 700_920, 78_189_568),
    ] {
        let architecture = Architecture::named(name).unwrap();
        assert_eq!(sizes(&architecture), [parameters, products], "{name}");
    }
    let [small, _] = sizes(&Architecture::named("mobile").unwrap());
    assert!(small < 100_000, "{small}");
    let [large, _] = sizes(&Architecture::named("resvgg").unwrap());
    assert!(large < 1_950_000, "{large}");
}

#[test]
fn layer_tables_list_what_a_network_is_made_of() {
    for (name, architecture) in architectures() {
        let [parameters, _] = sizes(&architecture);
        let table = layer_table(&architecture, 8).unwrap();
        let total = format!("Trainable params: {}", thousands(parameters));
        assert!(table.contains(&total), "{name}: {table}");
        let lists = |kind: &str| table.contains(&format!("({kind})"));
        assert_eq!(lists("Multiply"), name.ends_with("gated"), "{name}");
        assert_eq!(
            lists("Add"),
            name.starts_with("res") || name.starts_with("mobile")
        );
    }
}

#[test]
fn settings_of_older_files_are_those_of_the_same_network() {
    for (older, name) in [
        (r#"{"arch": "cnn", "dropout": 0.5}"#, "cnn"),
        (r#"{"arch": "vgg", "dropout": 0.4}"#, "vgg"),
        (
            r#"{"arch": "resnet", "width": 16, "dropout": 0.0}"#,
            "resnet",
        ),
    ] {
        let read: Architecture = serde_json::from_str(older).unwrap();
        assert_eq!(read, Architecture::named(name).unwrap());
    }
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    for (name, setting, value) in [
        ("vgg", "width", json!(0)),
        ("resvgg", "width", json!(257)),
        ("mobile", "dropout", json!(1.0)),
        ("resnet", "squeeze", json!(257)),
        ("resvgg", "dropout", json!(-0.1)),
    ] {
        let mut settings = json!({ "arch": name });
        settings[setting] = value;
        let architecture: Architecture = serde_json::from_value(settings).unwrap();
        let error = architecture.check().unwrap_err().to_string();
        assert!(error.contains(setting), "{error}");
    }
}

#[test]
fn a_nan_or_an_infinity_in_a_picture_or_a_weight_travels_as_in_the_portable_form() {
    for (name, architecture) in architectures() {
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
    for (name, architecture) in architectures() {
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
