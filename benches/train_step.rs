//! One training step of each network: forward, backward and Adam, with the best engine and, for the
//! source document's network, with the portable form beside it.

#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first error")]

#[path = "setting/devices.rs"]
mod devices;
mod setting;

use std::time::Instant;

use candle_core::{Device, Tensor};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fer_model::ops::{AdamSettings, Engine, Mode, cross_entropy};
use fer_model::{Architecture, Network, Parameters, Sequential, pictures_to_tensor};
use fer_train::fit::Adam;

struct Training {
    network: Sequential,
    adam: Adam,
    pictures: Tensor,
    targets: Tensor,
    step: u64,
}

impl Training {
    fn new(name: &str, engine: Engine, size: usize, device: &Device) -> Self {
        let parameters = Parameters::new(0, device);
        let network = Architecture::named(name).unwrap();
        let network = network.build(8, engine, parameters.builder()).unwrap();
        let shares: Vec<f32> = (0..size * 8)
            .map(|place| f32::from(place % 8 == place / 8 % 8))
            .collect();
        Training {
            adam: Adam::new(&parameters, AdamSettings::default(), engine).unwrap(),
            network,
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
        let logits = self.network.forward(&self.pictures, mode).unwrap();
        let loss = cross_entropy(&logits, &self.targets, self.network.engine()).unwrap();
        self.adam.step(&loss.backward().unwrap(), 1e-3).unwrap();
    }
}

fn train_step(criterion: &mut Criterion) {
    let best = Engine::detect();
    for device in devices::available() {
        for (name, engine) in [
            ("cnn", best),
            ("vgg", best),
            ("resnet", best),
            ("cnn", Engine::Portable),
        ] {
            let engine_name = if device.device.is_cpu() {
                engine
            } else {
                Engine::Portable
            };
            let group = format!("train_step/{name}/{}/{engine_name}", device.name);
            let mut group = criterion.benchmark_group(group);
            group.sample_size(10);
            for size in [32usize, 128] {
                let mut training = Training::new(name, engine, size, &device.device);
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
