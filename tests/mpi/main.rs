//! What `just mpi-test` starts by itself and by `mpirun`: fifty steps of training with their losses, or
//! how long sums take. Rank 0 prints one line of JSON.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::env;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use candle_core::Device;
use fer_data::{OpenSettings, open};
use fer_model::ops::Engine;
use fer_model::{Architecture, CnnSettings, Parameters, VggSettings};
use fer_train::fit::{
    EpochRecord, EpochTiming, FitSettings, Memory, OptimiserKind, Progress, Trainer,
};
use fer_train::parallel::{Alone, Group, Mpi, Parallel};
use serde_json::{Value, json};

/// The program's allocator, for what is timed.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Pictures in a batch.
const BATCH: usize = 32;
const STEPS: usize = 50;
/// How often a sum is timed.
const TIMES: usize = 200;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let alone = env::var("OMPI_COMM_WORLD_SIZE").is_err();
    // The session is over when it is dropped, and MPI with it.
    let (group, _session): (Arc<dyn Group>, _) = if alone {
        (Arc::new(Alone), None)
    } else {
        let (mpi, session) = Mpi::start()?;
        (Arc::new(mpi), Some(session))
    };
    let found = match words.as_slice() {
        ["steps", architecture, optimiser, rate] => {
            steps(&group, architecture, optimiser, rate.parse()?)?
        }
        ["sums", values] => sums(&*group, values.parse()?)?,
        _ => bail!("steps cnn|vgg sgd|adam RATE, or sums VALUES"),
    };
    if group.leads() {
        println!("{found}");
    }
    Ok(())
}

/// The losses of the first steps, without dropout, with synchronised statistics.
fn steps(
    group: &Arc<dyn Group>,
    architecture: &str,
    optimiser: &str,
    learning_rate: f64,
) -> Result<Value> {
    let dataset = open("drawn".as_ref(), &OpenSettings::default())?;
    let architecture = match architecture {
        "cnn" => Architecture::Cnn(CnnSettings { dropout: 0.0 }),
        _ => Architecture::Vgg(VggSettings {
            dropout: 0.0,
            ..VggSettings::default()
        }),
    };
    let optimiser = match optimiser {
        "sgd" => OptimiserKind::Sgd,
        _ => OptimiserKind::Adam,
    };
    let settings = FitSettings {
        epochs: STEPS,
        batch_size: BATCH,
        optimiser,
        learning_rate,
        ..FitSettings::default()
    };
    let parameters = Parameters::new(settings.seed, &Device::Cpu);
    let classes = dataset.class_names().len();
    let network = architecture.build(classes, Engine::detect(), parameters.builder())?;
    let trainer = Trainer {
        network: &network,
        teachers: None,
        parameters: &parameters,
        dataset: &dataset,
        settings: &settings.check()?,
        device: &Device::Cpu,
    };
    let stop = AtomicBool::new(false);
    let mut losses = Losses {
        losses: Vec::new(),
        counted: (0.0, 0.0),
        stop: &stop,
    };
    let parallel = Parallel::new(group.clone(), true);
    trainer.run_with(&parallel, None, &mut Memory::default(), &mut losses, &stop)?;
    let losses = losses.losses.get(..STEPS).context("too few steps")?;
    Ok(json!({"processes": group.size(), "losses": losses}))
}

/// The loss of each batch, out of the means over the epoch so far.
struct Losses<'a> {
    losses: Vec<f64>,
    counted: (f64, f64),
    stop: &'a AtomicBool,
}

impl Progress for Losses<'_> {
    fn epoch_starts(&mut self, _epoch: usize, _batches: usize) {
        self.counted = (0.0, 0.0);
    }

    fn batch_done(&mut self, pictures: usize, loss: f64, _accuracy: f64) {
        let (sum, count) = self.counted;
        let pictures = pictures as f64;
        let all = loss * (count + pictures);
        self.losses.push((all - sum) / pictures);
        self.counted = (all, count + pictures);
        if self.losses.len() == STEPS {
            self.stop.store(true, std::sync::atomic::Ordering::Relaxed);
        }
    }

    fn epoch_done(&mut self, _record: &EpochRecord, _best: bool, _timing: &EpochTiming) {}
}

/// Seconds of a sum of so many f32 over all the processes: the median and the quickest.
fn sums(group: &dyn Group, values: usize) -> Result<Value> {
    let mut numbers = vec![1.0f32; values];
    let mut seconds = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        numbers.fill(1.0);
        group.any(0)?;
        let start = Instant::now();
        group.sum(&mut numbers)?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    Ok(json!({
        "processes": group.size(),
        "values": values,
        "median": seconds[TIMES / 2],
        "quickest": seconds[0],
    }))
}
