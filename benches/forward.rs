//! Prediction by each network, by device and batch size: on the CPU by the plan, and for the source
//! document's network by the graph too.

#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first error")]

#[path = "setting/devices.rs"]
mod devices;
mod setting;

use std::hint::black_box;
use std::time::Instant;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fer_model::ops::Engine;
use fer_model::{Architecture, Parameters, Plan, pictures_to_tensor};

fn forward(criterion: &mut Criterion) {
    for device in devices::available() {
        for (name, by_plan) in [
            ("cnn", true),
            ("vgg", true),
            ("resnet", true),
            ("resvgg", true),
            ("mobile", true),
            ("cnn", false),
        ] {
            let parameters = Parameters::new(0, &device.device);
            let network = Architecture::named(name).unwrap();
            let network = network
                .build(8, Engine::detect(), parameters.builder())
                .unwrap();
            let plan = Plan::new(&network).unwrap().filter(|_| by_plan);
            let way = if plan.is_some() { "plan" } else { "graph" };
            let group = format!("forward/{name}/{}/{way}", device.name);
            let mut group = criterion.benchmark_group(group);
            for size in [1, 32, 256] {
                let pictures = pictures_to_tensor(&setting::faces(size), &device.device).unwrap();
                group.throughput(Throughput::Elements(size as u64));
                group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
                    bencher.iter_custom(|iterations| {
                        let start = Instant::now();
                        for _ in 0..iterations {
                            let logits = Plan::logits(plan.as_ref(), &network, &pictures);
                            black_box(logits.unwrap());
                        }
                        device.device.synchronize().unwrap();
                        start.elapsed()
                    });
                });
            }
            group.finish();
        }
    }
}

criterion_group!(benches, forward);
criterion_main!(benches);
