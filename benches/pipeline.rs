//! What happens before the network: drawing, decoding, reading a fer2013.csv, making batches.

#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first error")]

mod setting;

use std::hint::black_box;
use std::path::PathBuf;
use std::{env, fs};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fer_data::drawn::DrawnFaces;
use fer_data::{Augmentation, Batches, OpenSettings, Picture, open};

const ROWS: usize = 1000;

fn drawing(criterion: &mut Criterion) {
    let faces = DrawnFaces::new(1);
    let mut index = 0;
    criterion.bench_function("pipeline/draw", |bencher| {
        bencher.iter(|| {
            index = (index + 1) % faces.len();
            black_box(faces.draw(index))
        });
    });
}

fn decoding(criterion: &mut Criterion) {
    let mut png = std::io::Cursor::new(Vec::new());
    let pixels = setting::faces(1)[0].pixels().to_vec();
    image::GrayImage::from_raw(48, 48, pixels)
        .unwrap()
        .write_to(&mut png, image::ImageFormat::Png)
        .unwrap();
    criterion.bench_function("pipeline/decode png 48x48", |bencher| {
        bencher.iter(|| black_box(Picture::decode(png.get_ref(), "face").unwrap()));
    });
}

/// A table of drawn faces in the layout of fer2013.csv.
fn table() -> PathBuf {
    let mut text = String::from("emotion,pixels,Usage\n");
    for (row, face) in setting::faces(ROWS).iter().enumerate() {
        let values: Vec<String> = face.pixels().iter().map(u8::to_string).collect();
        text.push_str(&format!("{},{},Training\n", row % 7, values.join(" ")));
    }
    let path = env::temp_dir().join(format!("fer-benchmark-{}.csv", std::process::id()));
    fs::write(&path, text).unwrap();
    path
}

fn reading(criterion: &mut Criterion) {
    let path = table();
    let settings = OpenSettings::default();
    let mut group = criterion.benchmark_group("pipeline");
    group
        .throughput(Throughput::Elements(ROWS as u64))
        .sample_size(10);
    group.bench_function("read fer2013.csv", |bencher| {
        bencher.iter(|| black_box(open(&path, &settings).unwrap()));
    });
    let dataset = open(&path, &settings).unwrap();
    let all: Vec<usize> = (0..dataset.len()).collect();
    let augmentation = Augmentation {
        flip: 0.5,
        rotation: 12.0,
        scale: 0.1,
        shift: 0.1,
        brightness: 0.1,
        contrast: 0.2,
        erasing: 0.5,
    };
    for (name, augmentation) in [
        ("batches", Augmentation::default()),
        ("augmented batches", augmentation),
    ] {
        let batches = || {
            Batches::new(&dataset, all.clone(), 32)
                .shuffled(0, 0)
                .augmented(&augmentation, 0, 0)
        };
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let batches = batches();
                batches
                    .iter()
                    .for_each(|batch| drop(black_box(batch.unwrap())));
            });
        });
        group.bench_function(format!("{name} by one thread ahead"), |bencher| {
            bencher.iter(|| {
                batches().ahead(1, |ahead| {
                    ahead.for_each(|batch| drop(black_box(batch.unwrap())))
                });
            });
        });
    }
    group.finish();
    fs::remove_file(path).unwrap();
}

criterion_group!(benches, drawing, decoding, reading);
criterion_main!(benches);
