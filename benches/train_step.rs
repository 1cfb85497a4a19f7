//! One training step of the source document's network: forward, backward and Adam.

#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first error")]

#[path = "setting/devices.rs"]
mod devices;
mod setting;

use std::time::Instant;

use candle_core::Tensor;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fer_model::ops::{AdamSettings, Mode, cross_entropy};
use fer_model::{Architecture, Parameters, pictures_to_tensor};
use fer_train::fit::Adam;

fn train_step(criterion: &mut Criterion) {
    for device in devices::available() {
        let mut group = criterion.benchmark_group(format!("train_step/cnn/{}", device.name));
        group.sample_size(10);
        for size in [32usize, 128] {
            let parameters = Parameters::new(0, &device.device);
            let network = Architecture::default()
                .build(8, parameters.builder())
                .unwrap();
            let mut adam = Adam::new(&parameters, AdamSettings::default()).unwrap();
            let pictures = pictures_to_tensor(&setting::faces(size), &device.device).unwrap();
            let shares: Vec<f32> = (0..size * 8)
                .map(|place| f32::from(place % 8 == place / 8 % 8))
                .collect();
            let targets = Tensor::from_vec(shares, (size, 8), &device.device).unwrap();
            group.throughput(Throughput::Elements(size as u64));
            group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
                bencher.iter_custom(|iterations| {
                    let start = Instant::now();
                    for step in 0..iterations {
                        let logits = network
                            .forward(&pictures, Mode::Train { seed: 0, step })
                            .unwrap();
                        let gradients = cross_entropy(&logits, &targets)
                            .unwrap()
                            .backward()
                            .unwrap();
                        adam.step(&gradients, 1e-3).unwrap();
                    }
                    device.device.synchronize().unwrap();
                    start.elapsed()
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, train_step);
criterion_main!(benches);
