//! Batches that step together, through the whole of training.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use candle_core::{Device, Tensor};
use fer_model::ops::{ClassWeights, Engine};
use fer_model::{Architecture, CnnSettings, Parameters};
use fer_train::fit::{
    Ended, EpochRecord, EpochTiming, FitSettings, OptimiserKind, Progress, RunState, Trainer,
};

use crate::training::{Last, few_faces};

/// Every picture of the few faces that are trained on, and an odd number of batches of seven.
const PICTURES: usize = 48;
const BATCH: usize = 7;

/// Asks to stop once so many batches are done.
struct StopAfter<'a> {
    batches: Option<usize>,
    stop: &'a AtomicBool,
}

impl Progress for StopAfter<'_> {
    fn epoch_starts(&mut self, _epoch: usize, _batches: usize) {}

    fn batch_done(&mut self, _pictures: usize, _loss: f64, _accuracy: f64) {
        if let Some(left) = &mut self.batches {
            *left -= 1;
            if *left == 0 {
                self.stop.store(true, Ordering::Relaxed);
                self.batches = None;
            }
        }
    }

    fn epoch_done(&mut self, _record: &EpochRecord, _best: bool, _timing: &EpochTiming) {}
}

/// Trains from the beginning or a state, to the end or to a stop; the last state that was kept.
fn trained(
    settings: &FitSettings,
    dropout: f32,
    start: Option<RunState>,
    stop_after: Option<usize>,
) -> (RunState, bool) {
    let dataset = few_faces(10);
    let parameters = Parameters::new(settings.seed, &Device::Cpu);
    let network = Architecture::Cnn(CnnSettings { dropout })
        .build(8, Engine::detect(), parameters.builder())
        .unwrap();
    let checked = settings.clone().check().unwrap();
    let trainer = Trainer {
        network: &network,
        teachers: None,
        parameters: &parameters,
        dataset: &dataset,
        settings: &checked,
        device: &Device::Cpu,
    };
    let (mut keeper, stop) = (Last::default(), AtomicBool::new(false));
    let mut progress = StopAfter {
        batches: stop_after,
        stop: &stop,
    };
    let ended = trainer
        .run_from(start, &mut keeper, &mut progress, &stop)
        .unwrap();
    (keeper.0.unwrap(), matches!(ended, Ended::Finished(_)))
}

fn values(tensors: &BTreeMap<String, Tensor>) -> Vec<f32> {
    let flat = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    tensors.values().flat_map(flat).collect()
}

fn furthest(some: &RunState, others: &RunState) -> f32 {
    let (some, others) = (values(&some.weights), values(&others.weights));
    let differences = some.iter().zip(&others).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, f32::max)
}

/// Descent whose steps are large enough to tell.
fn descent(batch_size: usize, accumulate: usize) -> FitSettings {
    FitSettings {
        epochs: 2,
        batch_size,
        accumulate,
        learning_rate: 0.05,
        optimiser: OptimiserKind::Sgd,
        ..FitSettings::default()
    }
}

#[test]
fn small_batches_together_step_as_a_large_one_also_when_the_last_is_shorter() {
    let (large, _) = trained(&descent(3 * BATCH, 1), 0.0, None, None);
    let (together, _) = trained(&descent(BATCH, 3), 0.0, None, None);
    let (alone, _) = trained(&descent(BATCH, 1), 0.0, None, None);
    assert_ne!(PICTURES % (3 * BATCH), 0);
    let (near, far) = (furthest(&large, &together), furthest(&large, &alone));
    assert!(near < 1e-5, "{near}");
    assert!(far > 1e-3, "{far}");
}

#[test]
fn a_run_stopped_anywhere_stops_after_a_step_and_goes_on_to_the_same_bits() {
    for optimiser in [OptimiserKind::Adam, OptimiserKind::Sgd] {
        let mut settings = descent(BATCH, 3);
        settings.optimiser = optimiser;
        settings.learning_rate = 1e-3;
        settings.clip_norm = Some(0.1);
        settings.loss.label_smoothing = 0.1;
        settings.loss.class_weights = ClassWeights::Balanced;
        let (undisturbed, _) = trained(&settings, 0.5, None, None);
        for batches in 1..14 {
            let (state, finished) = trained(&settings, 0.5, None, Some(batches));
            let place = state.record.position.batch;
            assert!(finished || place % 3 == 0, "stopped at batch {place}");
            let (ended, _) = trained(&settings, 0.5, Some(state), None);
            assert_eq!(ended.record, undisturbed.record);
            assert_eq!(values(&ended.weights), values(&undisturbed.weights));
            assert_eq!(values(&ended.optimiser), values(&undisturbed.optimiser));
        }
    }
}

#[test]
fn every_setting_of_the_step_and_of_the_loss_changes_what_is_trained() {
    type Change = fn(&mut FitSettings);
    let changes: [(&str, Change); 8] = [
        ("optimiser", |settings| {
            settings.optimiser = OptimiserKind::Adam
        }),
        ("momentum", |settings| settings.sgd.momentum = 0.5),
        ("nesterov", |settings| settings.sgd.nesterov = false),
        ("weight decay", |settings| settings.sgd.weight_decay = 0.1),
        ("clip_norm", |settings| settings.clip_norm = Some(0.1)),
        ("label smoothing", |settings| {
            settings.loss.label_smoothing = 0.2
        }),
        // The few faces have as many pictures of each class: all shares are equal, and neither
        // weights nor shifts of the logits make a difference that is more than rounding.
        ("accumulate", |settings| settings.accumulate = 2),
        ("seed", |settings| settings.seed = 1),
    ];
    let mut plain = descent(24, 1);
    plain.epochs = 1;
    plain.learning_rate = 0.01;
    let (before, _) = trained(&plain, 0.0, None, None);
    let (again, _) = trained(&plain, 0.0, None, None);
    assert_eq!(values(&before.weights), values(&again.weights));
    for (name, change) in changes {
        let mut settings = plain.clone();
        change(&mut settings);
        let (after, _) = trained(&settings, 0.0, None, None);
        assert!(furthest(&before, &after) > 1e-5, "{name} changes nothing");
    }
    let mut balanced = plain.clone();
    balanced.loss.class_weights = ClassWeights::Balanced;
    let (after, _) = trained(&balanced, 0.0, None, None);
    assert!(furthest(&before, &after) < 1e-5);
}
