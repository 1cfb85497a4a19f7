//! What a recipe is made of against PyTorch; oracle/pytorch_recipe.py made the numbers.

use candle_core::{Device, Tensor, Var};
use fer_model::ops::{ClassWeights, Engine, Loss, LossSettings, SgdSettings, SgdState};
use fer_train::fit::{Monitor, PlateauSettings, ReduceOnPlateau, clip_norm};
use serde::Deserialize;

const CPU: Device = Device::Cpu;

/// The script's file; each case is named as there.
#[derive(Deserialize)]
struct Fixture {
    sgd: Vec<Descent>,
    clipping: Vec<Clipping>,
    plateau: Vec<Plateau>,
    losses: Losses,
}

#[derive(Deserialize)]
struct Descent {
    momentum: f64,
    nesterov: bool,
    weight_decay: f64,
    rate: f64,
    start: Vec<Vec<f32>>,
    gradients: Vec<Vec<Vec<f32>>>,
    after: Vec<Vec<Vec<f64>>>,
}

#[derive(Deserialize)]
struct Clipping {
    most: f64,
    first: Vec<Vec<f32>>,
    second: Vec<f32>,
    norm: f64,
    first_after: Vec<Vec<f64>>,
    second_after: Vec<f64>,
}

#[derive(Deserialize)]
struct Plateau {
    mode: String,
    factor: f64,
    patience: usize,
    threshold: f64,
    cooldown: usize,
    values: Vec<f64>,
    rates: Vec<f64>,
}

#[derive(Deserialize)]
struct Losses {
    counts: Vec<usize>,
    cases: Vec<LossCase>,
}

#[derive(Deserialize)]
struct LossCase {
    #[serde(flatten)]
    settings: LossFields,
    logits: Vec<Vec<f32>>,
    targets: Vec<Vec<f32>>,
    loss: f64,
    gradient: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct LossFields {
    label_smoothing: f64,
    class_weights: ClassWeights,
    logit_adjustment: f64,
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("oracle/pytorch_recipe.json")).unwrap()
}

fn tensor(rows: &[Vec<f32>]) -> Tensor {
    Tensor::from_vec(rows.concat(), (rows.len(), rows[0].len()), &CPU).unwrap()
}

#[track_caller]
fn near(ours: &Tensor, theirs: &[f64], bound: f64) {
    let ours = ours.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert_eq!(ours.len(), theirs.len());
    for (place, (ours, theirs)) in ours.into_iter().zip(theirs).enumerate() {
        let difference = (f64::from(ours) - theirs).abs();
        assert!(difference < bound, "{place}: {ours}, PyTorch {theirs}");
    }
}

#[test]
fn every_step_of_gradient_descent_is_pytorchs() {
    for case in fixture().sgd {
        let settings = SgdSettings {
            momentum: case.momentum,
            nesterov: case.nesterov,
            weight_decay: case.weight_decay,
        };
        for engine in Engine::available() {
            let var = Var::from_tensor(&tensor(&case.start)).unwrap();
            let mut state = SgdState::new(&var, engine).unwrap();
            for (gradient, after) in case.gradients.iter().zip(&case.after) {
                let gradient = tensor(gradient);
                state.step(&var, &gradient, case.rate, &settings).unwrap();
                near(&var, &after.concat(), 3e-6);
            }
        }
    }
}

#[test]
fn gradients_are_clipped_as_in_pytorch() {
    let mut clipped = Vec::new();
    for case in fixture().clipping {
        let wanted = [
            tensor(&case.first),
            Tensor::from_slice(&case.second, case.second.len(), &CPU).unwrap(),
        ];
        let vars = [("first", &wanted[0]), ("second", &wanted[1])]
            .map(|(name, like)| (name.to_string(), Var::from_tensor(like).unwrap()));
        let parts = vars.iter().zip(&wanted).map(|((_, var), wanted)| {
            let product = (var.as_tensor() * wanted).unwrap();
            product.sum_all().unwrap()
        });
        let sum = parts.reduce(|sum, part| (sum + part).unwrap()).unwrap();
        let mut gradients = sum.backward().unwrap();
        let norm = clip_norm(&vars, &mut gradients, case.most).unwrap();
        assert!((norm - case.norm).abs() < 1e-6, "{norm} {}", case.norm);
        near(
            gradients.get(&vars[0].1).unwrap(),
            &case.first_after.concat(),
            1e-6,
        );
        near(gradients.get(&vars[1].1).unwrap(), &case.second_after, 1e-6);
        clipped.push(case.norm > case.most);
    }
    assert_eq!(clipped, [true, true, false]);
}

#[test]
fn the_rate_falls_when_pytorchs_does() {
    for case in fixture().plateau {
        let settings = PlateauSettings {
            factor: case.factor,
            patience: case.patience,
            threshold: case.threshold,
            cooldown: case.cooldown,
        };
        let monitor = match case.mode.as_str() {
            "min" => Monitor::ValidationLoss,
            _ => Monitor::ValidationAccuracy,
        };
        let mut plateau = ReduceOnPlateau::new(settings, monitor);
        let after = |&value: &f64| {
            plateau.update(value);
            plateau.scale()
        };
        let scales: Vec<f64> = case.values.iter().map(after).collect();
        assert_eq!(scales, case.rates, "{} {settings:?}", case.mode);
        assert!(scales.last().is_some_and(|&scale| scale < 1.0));
    }
}

#[test]
fn losses_and_their_gradients_are_pytorchs() {
    let Losses { counts, cases } = fixture().losses;
    for case in cases {
        let LossFields {
            label_smoothing,
            class_weights,
            logit_adjustment,
        } = case.settings;
        let settings = LossSettings {
            label_smoothing,
            class_weights,
            logit_adjustment,
        };
        let loss = Loss::new(&settings, &counts).unwrap();
        let targets = tensor(&case.targets);
        for engine in Engine::available() {
            let logits = Var::from_tensor(&tensor(&case.logits)).unwrap();
            let found = loss.compute(&logits, &targets, engine).unwrap();
            near(&found, &[case.loss], 1e-6 * case.loss);
            let gradients = found.backward().unwrap();
            let largest = case.gradient.concat().into_iter().map(f64::abs);
            let bound = 1e-5 * largest.fold(0.0, f64::max);
            near(
                gradients.get(&logits).unwrap(),
                &case.gradient.concat(),
                bound,
            );
        }
    }
}
