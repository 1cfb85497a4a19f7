//! The losses against their formula.

use candle_core::{Device, Var};

use super::*;

const LOGITS: [[f32; 3]; 2] = [[2.0, -1.0, 0.5], [0.3, 0.2, -4.0]];
const TARGETS: [[f32; 3]; 2] = [[0.7, 0.1, 0.2], [0.0, 1.0, 0.0]];
const COUNTS: [usize; 3] = [60, 30, 10];

fn computed(settings: &LossSettings, logits: &[[f32; 3]; 2], engine: Engine) -> f32 {
    let logits = Tensor::new(logits, &Device::Cpu).unwrap();
    let targets = Tensor::new(&TARGETS, &Device::Cpu).unwrap();
    let loss = Loss::new(settings, &COUNTS).unwrap();
    let loss = loss.compute(&logits, &targets, engine).unwrap();
    loss.to_scalar().unwrap()
}

/// The formula of [`LossSettings`] in f64.
fn expected(settings: &LossSettings) -> f64 {
    let shares = COUNTS.map(|count| count as f64 / 100.0);
    let mut sum = 0.0;
    for (logits, targets) in LOGITS.iter().zip(&TARGETS) {
        let shifted = |class: usize| {
            f64::from(logits[class]) + settings.logit_adjustment * shares[class].ln()
        };
        let norm: f64 = (0..3).map(|class| shifted(class).exp()).sum();
        for class in 0..3 {
            let probability = shifted(class).exp() / norm;
            let smoothing = settings.label_smoothing;
            let target = (1.0 - smoothing) * f64::from(targets[class]) + smoothing / 3.0;
            let weight = match settings.class_weights {
                ClassWeights::None => 1.0,
                ClassWeights::Balanced => 1.0 / (3.0 * shares[class]),
            };
            sum -= weight * target * probability.ln();
        }
    }
    sum / 2.0
}

fn each_alone_and_all_together() -> [LossSettings; 4] {
    let none = LossSettings::default();
    let all = LossSettings {
        label_smoothing: 0.1,
        class_weights: ClassWeights::Balanced,
        logit_adjustment: 1.5,
    };
    let LossSettings {
        label_smoothing,
        class_weights,
        logit_adjustment,
    } = all;
    [
        LossSettings {
            label_smoothing,
            ..none
        },
        LossSettings {
            class_weights,
            ..none
        },
        LossSettings {
            logit_adjustment,
            ..none
        },
        all,
    ]
}

#[test]
fn every_form_is_the_formula_on_every_engine_and_none_is_the_plain_one() {
    let plain = expected(&LossSettings::default());
    for engine in Engine::available() {
        for settings in each_alone_and_all_together() {
            let found = f64::from(computed(&settings, &LOGITS, engine));
            let expected = expected(&settings);
            assert!(
                (found - expected).abs() < 1e-6,
                "{engine} {settings:?}: {found} {expected}"
            );
            assert!((found - plain).abs() > 1e-3, "{settings:?} changes nothing");
        }
    }
}

#[test]
fn with_everything_off_it_is_cross_entropy_to_the_bit_of_value_and_gradient() {
    let targets = Tensor::new(&TARGETS, &Device::Cpu).unwrap();
    for engine in Engine::available() {
        let bits = |loss: &dyn Fn(&Tensor) -> Tensor| {
            let logits = Var::new(&LOGITS, &Device::Cpu).unwrap();
            let loss = loss(&logits);
            let gradients = loss.backward().unwrap();
            let gradient = gradients.get(&logits).unwrap().to_vec2::<f32>().unwrap();
            let value: f32 = loss.to_scalar().unwrap();
            let gradient = gradient.into_iter().flatten().map(f32::to_bits);
            (value.to_bits(), gradient.collect::<Vec<_>>())
        };
        let ours = Loss::new(&LossSettings::default(), &COUNTS).unwrap();
        assert_eq!(
            bits(&|logits| ours.compute(logits, &targets, engine).unwrap()),
            bits(&|logits| cross_entropy(logits, &targets, engine).unwrap())
        );
    }
}

#[test]
fn balanced_weights_have_the_mean_one_over_the_training_pictures() {
    let settings = LossSettings {
        class_weights: ClassWeights::Balanced,
        ..LossSettings::default()
    };
    let weights = Loss::new(&settings, &COUNTS).unwrap().weights.unwrap();
    let sum: f32 = weights
        .iter()
        .zip(COUNTS)
        .map(|(weight, count)| weight * count as f32)
        .sum();
    assert!((sum - 100.0).abs() < 1e-4, "{weights:?}");
    assert!((weights[2] / weights[0] - 6.0).abs() < 1e-5, "{weights:?}");
}

#[test]
fn a_sure_answer_leaves_every_value_and_gradient_finite() {
    let targets = Tensor::new(&TARGETS, &Device::Cpu).unwrap();
    let sure = [[300.0f32, -300.0, 0.0], [-300.0, 300.0, 0.0]];
    for settings in each_alone_and_all_together() {
        for engine in Engine::available() {
            let logits = Var::new(&sure, &Device::Cpu).unwrap();
            let loss = Loss::new(&settings, &COUNTS).unwrap();
            let loss = loss.compute(&logits, &targets, engine).unwrap();
            assert!(loss.to_scalar::<f32>().unwrap().is_finite());
            let gradients = loss.backward().unwrap();
            let gradient = gradients.get(&logits).unwrap().to_vec2::<f32>().unwrap();
            assert!(
                gradient.iter().flatten().all(|slope| slope.is_finite()),
                "{engine} {settings:?}: {gradient:?}"
            );
        }
    }
}

#[test]
fn a_logit_that_is_no_number_makes_the_loss_none() {
    let broken = [[f32::NAN, 0.0, 0.0], LOGITS[1]];
    for settings in each_alone_and_all_together() {
        for engine in Engine::available() {
            assert!(
                computed(&settings, &broken, engine).is_nan(),
                "{settings:?}"
            );
        }
    }
}

#[test]
fn settings_out_of_range_and_empty_classes_are_refused_by_name() {
    let none = LossSettings::default();
    let said = |settings: LossSettings, counts: &[usize]| {
        let refusal = Loss::new(&settings, counts).map(|_| ());
        refusal.map_err(|error| error.to_string())
    };
    assert_eq!(said(none, &[3, 0]), Ok(()));
    let mut settings = [none; 4];
    settings[0].label_smoothing = 1.0;
    settings[1].logit_adjustment = f64::NAN;
    settings[2].class_weights = ClassWeights::Balanced;
    settings[3].logit_adjustment = 1.0;
    let refusals = [
        (settings[0], [1, 1], "training.loss.label_smoothing = 1 "),
        (settings[1], [1, 1], "training.loss.logit_adjustment = NaN "),
        (
            settings[2],
            [1, 0],
            "training.loss.class_weights = balanced ",
        ),
        (settings[3], [1, 0], "training.loss.logit_adjustment = 1 "),
    ];
    for (settings, counts, start) in refusals {
        let refusal = said(settings, &counts).unwrap_err();
        assert!(refusal.starts_with(start), "{refusal}");
    }
}

#[test]
fn shapes_that_do_not_fit_are_errors() {
    let wide = Tensor::new(&[[0f32; 4]; 2], &Device::Cpu).unwrap();
    let narrow = Tensor::new(&TARGETS, &Device::Cpu).unwrap();
    for settings in each_alone_and_all_together() {
        let loss = Loss::new(&settings, &COUNTS).unwrap();
        assert!(loss.compute(&wide, &narrow, Engine::detect()).is_err());
    }
}
