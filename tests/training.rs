use std::collections::BTreeMap;

use anyhow::Result;
use candle_core::{Device, Tensor};
use fer_data::drawn::DrawnFaces;
use fer_data::{
    Dataset, DatasetParts, Entry, Expression, MemorySettings, Split, SplitSettings, by_subject,
};
use fer_model::ops::Engine;
use fer_model::{Architecture, Parameters};
use fer_train::evaluation::evaluate;
use fer_train::fit::{
    EpochRecord, EpochTiming, Fit, FitSettings, Keeper, Moment, Position, Progress, RunState,
    Silent, Trainer,
};

/// Drawn faces of a few people, one picture an expression: two people validate, two test.
pub(crate) fn few_faces(people: u32) -> Dataset {
    let faces = DrawnFaces::new(3).subjects(people).takes(1);
    let subjects: Vec<u32> = (0..faces.len()).map(|index| faces.subject(index)).collect();
    let share = 2.0 / f64::from(people);
    let sides = by_subject(&subjects, 0, share, share);
    let entries = sides
        .into_iter()
        .enumerate()
        .map(|(position, split)| Entry {
            position,
            label: faces.expression(position).index(),
            distribution: None,
            subject: Some(subjects[position]),
            split,
        });
    Dataset::new(DatasetParts {
        name: "a few drawn faces".into(),
        class_names: Expression::class_names(),
        entries: entries.collect(),
        store: Box::new(faces),
        skipped: Vec::new(),
        split_rule: "by subject".into(),
        split_settings: SplitSettings::default(),
        memory: MemorySettings::default(),
    })
    .unwrap()
}

/// Keeps the last state, whenever it may.
#[derive(Default)]
pub(crate) struct Last(pub(crate) Option<RunState>);

impl Keeper for Last {
    fn is_due(&self, _moment: Moment, _position: Position) -> bool {
        true
    }

    fn keep(&mut self, state: &RunState) -> Result<()> {
        self.0 = Some(state.clone());
        Ok(())
    }

    fn recall(&mut self, _epoch: usize) -> Result<Option<RunState>> {
        Ok(self.0.clone())
    }

    fn forget(&mut self) -> Result<()> {
        self.0 = None;
        Ok(())
    }

    fn last(&self) -> Option<String> {
        None
    }
}

fn settings() -> FitSettings {
    FitSettings {
        epochs: 2,
        batch_size: 16,
        ..FitSettings::default()
    }
}

fn train(settings: &FitSettings, progress: &mut dyn Progress) -> Fit {
    let dataset = few_faces(10);
    let parameters = Parameters::new(settings.seed, &Device::Cpu);
    let network = Architecture::default()
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
    trainer.run(progress).unwrap()
}

fn values(weights: &BTreeMap<String, Tensor>) -> Vec<f32> {
    weights
        .values()
        .flat_map(|tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap())
        .collect()
}

fn fitted(settings: &FitSettings) -> (Vec<f32>, Vec<EpochRecord>) {
    let fit = train(settings, &mut Silent);
    (values(&fit.weights), fit.history)
}

#[test]
fn the_same_seed_gives_the_same_bits_and_another_does_not() {
    let mut changed = settings();
    changed.augmentation.rotation = 10.0;
    changed.augmentation.erasing = 0.5;
    let first = fitted(&changed);
    assert_eq!(first, fitted(&changed));
    changed.seed = 1;
    assert_ne!(first, fitted(&changed));
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| fitted(&settings()))
    };
    let one = with(1);
    assert_eq!(one, with(2));
    assert_eq!(one, with(4));
}

#[test]
fn the_loss_falls_when_the_same_faces_come_again() {
    let mut longer = settings();
    longer.epochs = 25;
    let (_, history) = fitted(&longer);
    let (first, last) = (&history[0], &history[24]);
    assert!(
        last.train_loss < 0.8 * first.train_loss,
        "{} to {}",
        first.train_loss,
        last.train_loss
    );
}

#[test]
fn the_kept_weights_are_those_of_the_best_epoch() {
    let mut longer = settings();
    longer.epochs = 6;
    let dataset = few_faces(10);
    let parameters = Parameters::new(0, &Device::Cpu);
    let network = Architecture::default()
        .build(8, Engine::detect(), parameters.builder())
        .unwrap();
    let checked = longer.check().unwrap();
    let trainer = Trainer {
        network: &network,
        teachers: None,
        parameters: &parameters,
        dataset: &dataset,
        settings: &checked,
        device: &Device::Cpu,
    };
    let fit = trainer.run(&mut Silent).unwrap();
    let accuracies: Vec<f64> = fit
        .history
        .iter()
        .filter_map(|record| record.validation_accuracy)
        .collect();
    let best = accuracies.iter().copied().fold(0.0, f64::max);
    assert_eq!(accuracies[fit.epoch - 1], best);
    assert!(
        accuracies[..fit.epoch - 1]
            .iter()
            .all(|&accuracy| accuracy < best),
        "the first of equals"
    );
    let judged = evaluate(
        &network,
        &dataset,
        dataset.indices(Split::Validation),
        &Device::Cpu,
    )
    .unwrap();
    assert_eq!(judged.metrics.accuracy(), best);
    assert_eq!(
        values(&fit.weights),
        values(&parameters.snapshot().unwrap())
    );
}

#[test]
fn no_picture_of_the_tail_is_dropped() {
    struct Count(Vec<usize>);
    impl Progress for Count {
        fn epoch_starts(&mut self, _epoch: usize, _batches: usize) {
            self.0.push(0);
        }
        fn batch_done(&mut self, pictures: usize, _loss: f64, _accuracy: f64) {
            *self.0.last_mut().unwrap() += pictures;
        }
        fn epoch_done(&mut self, _record: &EpochRecord, _best: bool, _timing: &EpochTiming) {}
    }
    let mut odd = settings();
    odd.batch_size = 7;
    let mut count = Count(Vec::new());
    train(&odd, &mut count);
    assert_eq!(count.0, [48, 48]);
}

#[test]
fn patience_ends_a_run_that_does_not_improve() {
    let mut impatient = settings();
    impatient.epochs = 30;
    impatient.learning_rate = 1e-12;
    impatient.patience = Some(3);
    let (_, history) = fitted(&impatient);
    assert_eq!(history.len(), 4);
}
