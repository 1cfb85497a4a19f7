//! The forward pass of the source document's network, by device and batch size.

#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first error")]

#[path = "setting/devices.rs"]
mod devices;
mod setting;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fer_model::ops::Mode;
use fer_model::{Architecture, Parameters, pictures_to_tensor};

fn forward(criterion: &mut Criterion) {
    for device in devices::available() {
        let parameters = Parameters::new(0, &device.device);
        let network = Architecture::default()
            .build(8, parameters.builder())
            .unwrap();
        let mut group = criterion.benchmark_group(format!("forward/cnn/{}", device.name));
        for size in [1, 32, 256] {
            let pictures = pictures_to_tensor(&setting::faces(size), &device.device).unwrap();
            group.throughput(Throughput::Elements(size as u64));
            group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
                bencher.iter_custom(|iterations| {
                    let start = std::time::Instant::now();
                    for _ in 0..iterations {
                        black_box(network.forward(&pictures, Mode::Predict).unwrap());
                    }
                    device.device.synchronize().unwrap();
                    start.elapsed()
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, forward);
criterion_main!(benches);
