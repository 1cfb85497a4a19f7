//! Several who train together, as threads: the same code as with processes, without MPI.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use candle_core::{Device, Tensor};
use fer_model::ops::Engine;
use fer_model::{Architecture, CnnSettings, MobileSettings, Parameters, VggSettings};
use fer_train::fit::{
    Ended, EpochRecord, EpochTiming, FitSettings, OptimiserKind, Progress, Response, RunState,
    Trainer,
};
use fer_train::parallel::{Alone, Group, GroupError, Parallel, cut, threads};

use crate::training::{Last, few_faces};

/// How the forty-eight pictures of the few faces are divided: four batches, and one of eight.
const BATCH: usize = 10;
const STEPS: usize = 50;

fn settings(optimiser: OptimiserKind) -> FitSettings {
    FitSettings {
        epochs: STEPS / 5,
        batch_size: BATCH,
        // Small enough that a rounding does not grow: each winner of a pool that changes moves the rest.
        learning_rate: 3e-4,
        optimiser,
        ..FitSettings::default()
    }
}

fn cnn(dropout: f32) -> Architecture {
    Architecture::Cnn(CnnSettings { dropout })
}

/// With normalisations.
fn vgg() -> Architecture {
    Architecture::Vgg(VggSettings {
        width: 4,
        dropout: 0.0,
    })
}

/// What one member saw and keeps.
#[derive(Clone)]
struct Seen {
    losses: Vec<f64>,
    state: Option<RunState>,
    finished: Result<bool, String>,
}

/// Keeps every state, and stops after so many batches.
struct Watch<'a> {
    seen: Seen,
    counted: (f64, f64),
    stop_after: Option<usize>,
    stop: &'a AtomicBool,
}

impl Progress for Watch<'_> {
    fn epoch_starts(&mut self, _epoch: usize, _batches: usize) {
        self.counted = (0.0, 0.0);
    }

    fn batch_done(&mut self, pictures: usize, loss: f64, _accuracy: f64) {
        let (sum, count) = self.counted;
        let pictures = pictures as f64;
        let all = loss * (count + pictures);
        self.seen.losses.push((all - sum) / pictures);
        self.counted = (all, count + pictures);
        if Some(self.seen.losses.len()) == self.stop_after {
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    fn epoch_done(&mut self, _record: &EpochRecord, _best: bool, _timing: &EpochTiming) {}
}

/// One member's run.
fn train(
    parallel: &Parallel,
    (architecture, settings): (&Architecture, &FitSettings),
    start: Option<RunState>,
    stop_after: Option<usize>,
) -> Seen {
    let dataset = few_faces(10);
    // Weights of its own, which the leader's replace.
    let parameters = Parameters::new(parallel.group().rank() as u64, &Device::Cpu);
    let network = architecture
        .build(8, Engine::available()[0], parameters.builder())
        .unwrap();
    let trainer = Trainer {
        network: &network,
        teachers: None,
        parameters: &parameters,
        dataset: &dataset,
        settings: &settings.clone().check().unwrap(),
        device: &Device::Cpu,
    };
    let (mut keeper, stop) = (Last::default(), AtomicBool::new(false));
    let mut watch = Watch {
        seen: Seen {
            losses: Vec::new(),
            state: None,
            finished: Ok(false),
        },
        counted: (0.0, 0.0),
        stop_after,
        stop: &stop,
    };
    let ended = trainer.run_with(parallel, start, &mut keeper, &mut watch, &stop);
    let state = match parallel.group().leads() {
        true => keeper.0,
        false => {
            assert!(keeper.0.is_none(), "only the leader keeps");
            None
        }
    };
    let finished = ended.map(|ended| matches!(ended, Ended::Finished(_)));
    Seen {
        finished: finished.map_err(|error| format!("{error:#}")),
        state,
        ..watch.seen
    }
}

fn alone(architecture: &Architecture, settings: &FitSettings) -> Seen {
    train(&Parallel::alone(), (architecture, settings), None, None)
}

/// All the members' runs; their last states are the leader's.
fn together(
    count: usize,
    synchronised: bool,
    what: (&Architecture, &FitSettings),
    start: Option<&RunState>,
    stop_after: Option<usize>,
) -> Vec<Seen> {
    let all = threads(count, |group| {
        let start = start.filter(|_| group.leads()).cloned();
        // Only one of them is told to stop.
        let stop_after = stop_after.filter(|_| group.rank() + 1 == count);
        train(&Parallel::new(group, synchronised), what, start, stop_after)
    });
    all.unwrap()
}

fn values(tensors: &BTreeMap<String, Tensor>) -> Vec<u32> {
    let flat = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let values = tensors.values().flat_map(flat);
    values.map(f32::to_bits).collect()
}

/// Everything that a state is, to the bit.
fn bits(state: &RunState) -> (String, Vec<u32>) {
    let record = serde_json::to_string(&state.record).unwrap();
    let average = state.average.as_ref().map(values).unwrap_or_default();
    let best = state.best.as_ref().map(values).unwrap_or_default();
    let all = [
        values(&state.weights),
        values(&state.optimiser),
        average,
        best,
    ];
    (record, all.concat())
}

fn farthest(some: &[f64], others: &[f64]) -> f64 {
    assert_eq!(some.len(), others.len());
    let differences = some.iter().zip(others).map(|(a, b)| ((a - b) / b).abs());
    differences.fold(0.0, f64::max)
}

fn follows(count: usize, what: (&Architecture, &FitSettings), tolerance: f64) {
    let one = alone(what.0, what.1);
    assert_eq!((one.losses.len(), &one.finished), (STEPS, &Ok(true)));
    let learned = (one.losses[STEPS - 1] / one.losses[0] - 1.0).abs();
    assert!(
        learned > 10.0 * tolerance,
        "there is something to follow: {learned}"
    );
    let all = together(count, true, what, None, None);
    let name = what.0.name();
    for seen in &all {
        assert_eq!(seen.finished, Ok(true));
        assert_eq!(seen.losses, all[0].losses, "the same figures everywhere");
        let farthest = farthest(&seen.losses, &one.losses);
        assert!(farthest < tolerance, "{count} members, {name}: {farthest}");
    }
}

#[test]
fn members_with_parts_of_a_batch_follow_one_with_all_of_it_over_fifty_steps_of_descent() {
    let settings = settings(OptimiserKind::Sgd);
    for architecture in [cnn(0.0), vgg()] {
        follows(2, (&architecture, &settings), 1e-5);
    }
    follows(3, (&vgg(), &settings), 1e-5);
}

#[test]
fn members_with_parts_of_a_batch_follow_one_with_all_of_it_over_fifty_steps_of_adam() {
    let settings = settings(OptimiserKind::Adam);
    for architecture in [cnn(0.0), vgg()] {
        follows(2, (&architecture, &settings), 1e-3);
    }
}

/// What makes a step depend on chance, or on all of its batch.
fn everything(optimiser: OptimiserKind) -> FitSettings {
    let mut settings = settings(optimiser);
    settings.learning_rate = 1e-4;
    settings.augmentation.rotation = 10.0;
    settings.sampling.balanced = 0.5;
    settings.loss.label_smoothing = 0.1;
    settings.clip_norm = Some(0.5);
    settings.averaging = Some(Default::default());
    settings
}

#[test]
fn dropout_augmentation_and_what_comes_after_the_sum_are_those_of_the_whole_batch() {
    let settings = everything(OptimiserKind::Sgd);
    follows(2, (&cnn(0.3), &settings), 1e-5);
    let deep = Architecture::Mobile(MobileSettings {
        width: 4,
        squeeze: 4,
        ..MobileSettings::default()
    });
    // At a higher rate roundings grow on the way through so many layers.
    let settings = FitSettings {
        learning_rate: 3e-5,
        ..settings
    };
    follows(2, (&deep, &settings), 1e-5);
}

#[test]
fn members_without_a_picture_take_part() {
    let mut settings = settings(OptimiserKind::Sgd);
    // Batches of five and a last one of three for four members.
    (settings.batch_size, settings.epochs) = (5, 2);
    let one = alone(&vgg(), &settings);
    let all = together(4, true, (&vgg(), &settings), None, None);
    for seen in &all {
        assert_eq!(seen.finished, Ok(true));
        assert!(farthest(&seen.losses, &one.losses) < 1e-4);
    }
    let apart = together(4, false, (&vgg(), &settings), None, None);
    assert!(apart.iter().all(|seen| seen.losses == apart[0].losses));
    assert_ne!(apart[0].losses, one.losses);
}

#[test]
fn a_run_that_was_stopped_goes_on_to_the_bit_with_as_many_members() {
    for synchronised in [false, true] {
        let mut settings = everything(OptimiserKind::Adam);
        (settings.epochs, settings.accumulate) = (3, 2);
        let what = (&vgg(), &settings);
        let whole = together(2, synchronised, what, None, None);
        let again = together(2, synchronised, what, None, None);
        let end = bits(whole[0].state.as_ref().unwrap());
        assert_eq!(end, bits(again[0].state.as_ref().unwrap()));
        for stop_after in [1, 5, 8] {
            let stopped = together(2, synchronised, what, None, Some(stop_after));
            assert!(stopped.iter().all(|seen| seen.finished == Ok(false)));
            let state = stopped[0].state.as_ref().unwrap();
            let resumed = together(2, synchronised, what, Some(state), None);
            assert_eq!(resumed[1].finished, Ok(true));
            assert_eq!(
                end,
                bits(resumed[0].state.as_ref().unwrap()),
                "{stop_after}"
            );
        }
    }
}

#[test]
fn a_member_that_is_lost_ends_the_run_with_a_state_to_go_on_from() {
    let settings = settings(OptimiserKind::Sgd);
    let architecture = vgg();
    let what = (&architecture, &settings);
    let whole = together(2, false, what, None, None);
    // It goes away in the middle of an exchange that the other waits in.
    let lost = threads(2, |group| {
        let group: std::sync::Arc<dyn Group> = match group.rank() {
            0 => group,
            _ => std::sync::Arc::new(Mortal {
                group,
                left: Mutex::new(70),
            }),
        };
        train(&Parallel::new(group, false), what, None, None)
    });
    let lost = lost.unwrap();
    let said = lost[0].finished.clone().unwrap_err();
    assert_eq!(said, "process 2 of 2, that is rank 1, is gone");
    let state = lost[0].state.as_ref().unwrap();
    assert!(state.record.position.step > 5);
    let resumed = together(2, false, what, Some(state), None);
    let end = bits(whole[0].state.as_ref().unwrap());
    assert_eq!(end, bits(resumed[0].state.as_ref().unwrap()));
}

/// A member that is gone after so many exchanges.
struct Mortal {
    group: std::sync::Arc<dyn Group>,
    left: Mutex<usize>,
}

impl Mortal {
    fn live(&self) -> Result<(), GroupError> {
        let mut left = self.left.lock().unwrap();
        *left = left
            .checked_sub(1)
            .ok_or(GroupError::Lost { rank: 1, size: 2 })?;
        Ok(())
    }
}

impl Group for Mortal {
    fn rank(&self) -> usize {
        self.group.rank()
    }

    fn size(&self) -> usize {
        self.group.size()
    }

    fn all_gather(&self, own: &[u8], lengths: &[usize], into: &mut [u8]) -> Result<(), GroupError> {
        self.live()?;
        self.group.all_gather(own, lengths, into)
    }

    fn all_to_all(&self, own: &[u8], lengths: &[usize], into: &mut [u8]) -> Result<(), GroupError> {
        self.live()?;
        self.group.all_to_all(own, lengths, into)
    }
}

#[test]
fn all_go_back_together_when_training_has_diverged() {
    let mut settings = settings(OptimiserKind::Sgd);
    (settings.learning_rate, settings.epochs) = (3000.0, 2);
    settings.divergence.response = Response::HalveRate;
    settings.divergence.most_halvings = 3;
    let all = together(2, false, (&cnn(0.0), &settings), None, None);
    for seen in all {
        let said = seen.finished.unwrap_err();
        assert!(said.contains("training has diverged"), "{said}");
        assert!(said.contains("learning rate 375"), "{said}");
    }
}

#[test]
fn sums_are_the_same_bits_for_all_however_they_travel() {
    for (count, size) in [(1, 3), (2, 100_000), (3, 40_001), (5, 17), (4, 65_537)] {
        let value = |rank: usize, place: usize| ((rank * 7919 + place * 104_729) as f32).sin();
        let sums = threads(count, |group| {
            let rank = group.rank();
            let mut values: Vec<f32> = (0..size).map(|place| value(rank, place)).collect();
            group.sum(&mut values).unwrap();
            values
        });
        let in_order =
            |place| (1..count).fold(value(0, place), |sum, rank| sum + value(rank, place));
        let expected: Vec<f32> = (0..size).map(in_order).collect();
        for sum in sums.unwrap() {
            assert_eq!(sum, expected);
        }
    }
}

#[test]
fn what_is_cut_is_cut_evenly_and_what_the_leader_says_arrives() {
    assert_eq!(cut(10, 4), [2, 3, 2, 3]);
    assert_eq!(cut(2, 3).iter().sum::<usize>(), 2);
    let said = threads(3, |group| {
        let own = format!("rank {}", group.rank()).into_bytes();
        let flags = group.any(1 << group.rank()).unwrap();
        (
            group.broadcast(own.clone()).unwrap(),
            group.gather_each(&own).unwrap(),
            flags,
        )
    });
    for (said, each, flags) in said.unwrap() {
        assert_eq!((said.as_slice(), flags), ("rank 0".as_bytes(), 7));
        assert_eq!(each[2], "rank 2".as_bytes());
    }
    let alone: &dyn Group = &Alone;
    let mut values = [1.5f64];
    alone.sum(&mut values).unwrap();
    assert_eq!((values, alone.any(4)), ([1.5], Ok(4)));
}
