//! One training step of each network: forward, backward and Adam, with the best engine by the tape and,
//! for the source document's network, by candle's graph and in the portable form beside it.

#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first error")]

#[path = "setting/devices.rs"]
mod devices;
mod setting;

use std::time::Instant;

use candle_core::{Device, Tensor};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fer_model::ops::{AdamSettings, Engine, Mode, cross_entropy};
use fer_model::{Architecture, Network, Parameters, Sequential, Tape, pictures_to_tensor};
use fer_train::fit::Optimiser;

struct Training<'a> {
    network: &'a Sequential,
    tape: Option<Tape<'a>>,
    adam: Optimiser,
    pictures: Tensor,
    targets: Tensor,
    step: u64,
}

impl<'a> Training<'a> {
    fn new(
        network: &'a Sequential,
        parameters: &Parameters,
        by_tape: bool,
        size: usize,
        device: &Device,
    ) -> Self {
        let shares: Vec<f32> = (0..size * 8)
            .map(|place| f32::from(place % 8 == place / 8 % 8))
            .collect();
        Training {
            adam: Optimiser::new(parameters, AdamSettings::default(), network.engine()).unwrap(),
            network,
            tape: by_tape.then(|| Tape::new(network).unwrap()),
            pictures: pictures_to_tensor(&setting::faces(size), device).unwrap(),
            targets: Tensor::from_vec(shares, (size, 8), device).unwrap(),
            step: 0,
        }
    }

    fn step(&mut self) {
        let mode = Mode::Train {
            seed: 0,
            step: self.step,
        };
        self.step += 1;
        let logits = match &self.tape {
            Some(tape) => tape.forward(&self.pictures, mode).unwrap(),
            None => self.network.forward(&self.pictures, mode).unwrap(),
        };
        let loss = cross_entropy(&logits, &self.targets, self.network.engine()).unwrap();
        let gradients = match &self.tape {
            Some(tape) => tape.backward(&loss).unwrap(),
            None => loss.backward().unwrap(),
        };
        self.adam.step(&gradients, 1e-3).unwrap();
    }
}

fn train_step(criterion: &mut Criterion) {
    let best = Engine::detect();
    for device in devices::available() {
        for (name, engine, by_tape) in [
            ("cnn", best, true),
            ("vgg", best, true),
            ("resnet", best, true),
            ("resvgg", best, true),
            ("mobile", best, true),
            ("cnn", best, false),
            ("cnn", Engine::Portable, false),
        ] {
            let engine_name = if device.device.is_cpu() {
                engine
            } else {
                Engine::Portable
            };
            let way = if by_tape { "tape" } else { "graph" };
            let group = format!("train_step/{name}/{}/{engine_name}/{way}", device.name);
            let mut group = criterion.benchmark_group(group);
            let parameters = Parameters::new(0, &device.device);
            let network = Architecture::named(name).unwrap();
            let network = network.build(8, engine, parameters.builder()).unwrap();
            group.sample_size(10);
            for size in [32usize, 128] {
                let mut training =
                    Training::new(&network, &parameters, by_tape, size, &device.device);
                group.throughput(Throughput::Elements(size as u64));
                group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
                    bencher.iter_custom(|iterations| {
                        let start = Instant::now();
                        (0..iterations).for_each(|_| training.step());
                        device.device.synchronize().unwrap();
                        start.elapsed()
                    });
                });
            }
            group.finish();
        }
    }
}

criterion_group!(benches, train_step);
criterion_main!(benches);
