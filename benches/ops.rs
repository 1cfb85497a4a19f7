//! Each operation, forward and backward, at the shapes that the networks have.

#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first error")]

#[path = "setting/allocator.rs"]
mod allocator;

use std::hint::black_box;

use candle_core::{Device, Tensor, Var};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fer_model::Parameters;
use fer_model::ops::{
    AdamSettings, ConvolutionBlock, ConvolutionSettings, Dense, DepthwiseBlock, DepthwiseSettings,
    Engine, Mode, cross_entropy, dropout, flatten, global_mean,
};
use fer_train::fit::Optimiser;

const BATCH: usize = 32;
const TRAIN: Mode = Mode::Train { seed: 0, step: 0 };

fn maps(side: usize, channels: usize) -> Var {
    let shape = (BATCH, side, side, channels);
    Var::rand(0f32, 1.0, shape, &Device::Cpu).unwrap()
}

/// Times `work` forward alone, and forward with the gradients of everything.
fn both_ways(criterion: &mut Criterion, name: &str, products: usize, work: impl Fn() -> Tensor) {
    let mut group = criterion.benchmark_group(format!("ops/{name}"));
    group.sample_size(20);
    if products > 0 {
        group.throughput(Throughput::Elements((BATCH * products) as u64));
    }
    group.bench_function("forward", |bencher| bencher.iter(|| black_box(work())));
    group.bench_function("forward and backward", |bencher| {
        bencher.iter(|| black_box(work().sum_all().unwrap().backward().unwrap()));
    });
    group.finish();
}

fn convolutions(criterion: &mut Criterion) {
    let engine = Engine::detect();
    let cnn = |inputs, outputs| ConvolutionSettings {
        pool: true,
        ..ConvolutionSettings::valid(inputs, outputs)
    };
    let normalised = ConvolutionSettings::normalised;
    let strided = ConvolutionSettings {
        stride: 2,
        ..normalised(32, 64)
    };
    for (side, settings) in [
        (48, cnn(1, 32)),
        (23, cnn(32, 64)),
        (48, normalised(16, 16)),
        (24, normalised(64, 64)),
        (12, normalised(128, 128)),
        (6, normalised(256, 256)),
        (24, strided),
        (24, ConvolutionSettings::projection(32, 64, 2)),
    ] {
        let parameters = Parameters::new(0, &Device::Cpu);
        let block = ConvolutionBlock::new(settings, engine, parameters.builder()).unwrap();
        let maps = maps(side, settings.inputs);
        let out = settings.before_pool(side);
        let window = settings.kernel * settings.kernel;
        let products = out * out * window * settings.inputs * settings.outputs;
        let name = format!(
            "convolution {0}x{0} stride {1}, {2} to {3}, {side}x{side}",
            settings.kernel, settings.stride, settings.inputs, settings.outputs
        );
        both_ways(criterion, &name, products, || {
            block.forward(&maps, TRAIN).unwrap()
        });
    }
    let parameters = Parameters::new(0, &Device::Cpu);
    let settings = DepthwiseSettings::normalised(64, 1);
    let block = DepthwiseBlock::new(settings, engine, parameters.builder()).unwrap();
    let maps = maps(24, 64);
    both_ways(criterion, "depthwise 64, 24x24", 24 * 24 * 64 * 9, || {
        block.forward(&maps, TRAIN).unwrap()
    });
}

fn heads(criterion: &mut Criterion) {
    let engine = Engine::detect();
    let parameters = Parameters::new(0, &Device::Cpu);
    let dense = Dense::new([6400, 128], true, engine, parameters.builder()).unwrap();
    let rows = Var::rand(0f32, 1.0, (BATCH, 6400), &Device::Cpu).unwrap();
    both_ways(criterion, "dense 6400 to 128", 6400 * 128, || {
        dense.forward(&rows).unwrap()
    });
    let maps = maps(10, 64);
    both_ways(criterion, "flatten 10x10x64", 0, || {
        flatten(&maps, engine).unwrap()
    });
    both_ways(criterion, "global mean 10x10x64", 0, || {
        global_mean(&maps, engine).unwrap()
    });
    let hidden = Var::rand(0f32, 1.0, (BATCH, 128), &Device::Cpu).unwrap();
    both_ways(criterion, "dropout 128", 0, || {
        dropout(&hidden, 0.5, "dropout", TRAIN).unwrap()
    });
    let logits = Var::rand(0f32, 1.0, (BATCH, 8), &Device::Cpu).unwrap();
    let targets = Tensor::full(0.125f32, (BATCH, 8), &Device::Cpu).unwrap();
    both_ways(criterion, "cross-entropy 8", 0, || {
        cross_entropy(&logits, &targets, engine).unwrap()
    });
}

fn optimiser(criterion: &mut Criterion) {
    let parameters = Parameters::new(0, &Device::Cpu);
    let weight = parameters.builder().get((839_176, 1), "weight").unwrap();
    let gradients = (weight * 0.5)
        .unwrap()
        .sum_all()
        .unwrap()
        .backward()
        .unwrap();
    let settings = AdamSettings::default();
    let mut adam = Optimiser::new(&parameters, settings, Engine::detect()).unwrap();
    criterion.bench_function("ops/adam 839176", |bencher| {
        bencher.iter(|| adam.step(&gradients, 1e-3).unwrap());
    });
}

criterion_group!(benches, convolutions, heads, optimiser);
criterion_main!(benches);
