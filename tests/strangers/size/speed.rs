use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Instant;

use anyhow::{Result, ensure};
use fer_data::{Augmentation, Batches};
use fer_trials::Effort;

use super::faces::Faces;
use super::{BATCH, CONSTANT, ENTRY, epoch, open_within};
use crate::memory;

/// How large the data are that are measured.
struct Sizes {
    /// Bytes that decoded pictures may take: less than those of the smallest size.
    bound: usize,
    parquet: &'static [usize],
    classes: &'static [usize],
    /// How often each size is measured, in turn with the others.
    rounds: usize,
    /// Whether time counts: it says nothing beside other tests.
    time_counts: bool,
}

const LONG: Sizes = Sizes {
    bound: 64 << 20,
    parquet: &[30_000, 100_000, 300_000, 1_000_000],
    classes: &[30_000, 100_000, 300_000],
    rounds: 3,
    time_counts: true,
};

const SHORT: Sizes = Sizes {
    bound: 2 << 20,
    parquet: &[1_000, 3_000],
    classes: &[1_000, 2_000],
    rounds: 1,
    time_counts: false,
};

/// Batches of the epoch with augmentation.
const AUGMENTED: usize = 80;

/// How many times as long as at the smallest size a picture may take.
const MOST_TIMES: f64 = 1.2;

const HEAD: &str = "pictures: memory held at most with a bound of 67 MB (2 in the short form, which takes no time); one thread's time for a picture to open, in an epoch of plain batches and in augmented ones (as a share of the smallest size's); the share of opening and augmented batches together";

/// Data of one size.
struct Data {
    size: usize,
    path: PathBuf,
    /// Microseconds a picture: opening, an epoch as it is, and one with augmentation.
    times: [Vec<f64>; 3],
    /// Bytes held at once.
    held: usize,
}

pub(super) fn run(effort: &Effort) -> Result<String> {
    let measured = if effort.long { &LONG } else { &SHORT };
    let faces = Faces::draw();
    let mut said = String::new();
    for (name, sizes) in [
        ("faces.parquet", measured.parquet),
        ("classes", measured.classes),
    ] {
        let place = tempfile::tempdir()?;
        let write = match name {
            "classes" => Faces::write_classes,
            _ => Faces::write_parquet,
        };
        let mut all = Vec::new();
        for &size in sizes {
            let folder = place.path().join(size.to_string());
            std::fs::create_dir(&folder)?;
            write(&faces, &folder.join(name), size)?;
            all.push(Data {
                size,
                path: folder.join(name),
                times: Default::default(),
                held: 0,
            });
        }
        let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
        one_thread.install(|| measure(&mut all, measured, place.path()))?;
        write!(said, ". {}", report(name, &all, measured)?)?;
    }
    Ok(format!("{HEAD}{said}"))
}

fn measure(all: &mut [Data], measured: &Sizes, spill: &Path) -> Result<()> {
    for _ in 0..measured.rounds {
        for data in &mut *all {
            let (times, held) = memory::peak(|| times(data, measured.bound, spill));
            for (kind, time) in data.times.iter_mut().zip(times?) {
                kind.push(time);
            }
            data.held = data.held.max(held);
        }
    }
    Ok(())
}

fn times(data: &Data, bound: usize, spill: &Path) -> Result<[f64; 3]> {
    let (dataset, opening) = timed(|| open_within(&data.path, spill, bound))?;
    ensure!(
        dataset.spill_folder().is_some(),
        "{} pictures in memory",
        data.size
    );
    let ((), plain) = timed(|| consume(&epoch(&dataset), usize::MAX))?;
    let augmentation = Augmentation {
        flip: 0.5,
        rotation: 10.0,
        scale: 0.1,
        shift: 0.1,
        ..Augmentation::default()
    };
    let augmented = epoch(&dataset).augmented(&augmentation, 7, 1);
    let ((), augmented) = timed(|| consume(&augmented, AUGMENTED))?;
    let all = data.size as f64;
    let changed = data.size.min(AUGMENTED * BATCH) as f64;
    Ok([opening / all, plain / all, augmented / changed])
}

fn consume(batches: &Batches<'_>, most: usize) -> Result<()> {
    batches.iter().take(most).try_for_each(|batch| {
        batch?;
        Ok(())
    })
}

/// What `work` gives, and the microseconds that it took.
fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, f64)> {
    let start = clock();
    let done = work()?;
    Ok((done, 1e6 * (clock() - start)))
}

/// Seconds that this thread has had of the processor, where the system tells, so that it does not matter
/// what else runs; else those that have passed.
fn clock() -> f64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|told| told.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.map_or_else(|| START.elapsed().as_secs_f64(), |told| told * 1e-9)
}

fn report(name: &str, all: &[Data], measured: &Sizes) -> Result<String> {
    let mut parts = Vec::new();
    let mut broken = Vec::new();
    for data in all {
        let most = measured.bound + ENTRY * data.size + CONSTANT;
        let (times, whole) = compared(data, &all[0]);
        let memory = format!("{}: {:.0} MB", data.size, data.held as f64 / 1e6);
        parts.push(match measured.time_counts {
            true => format!("{memory}; {times}; {whole:.2}"),
            false => memory,
        });
        if (measured.time_counts && whole > MOST_TIMES) || data.held > most {
            broken.push(data.size);
        }
    }
    let said = format!("{name}: {}", parts.join("; "));
    ensure!(broken.is_empty(), "{said}; broken for {broken:?}");
    Ok(said)
}

/// Times beside those of the smallest size, and of opening and augmented batches together the share.
fn compared(data: &Data, smallest: &Data) -> (String, f64) {
    let time = |data: &Data, kind: usize| median(&data.times[kind]);
    let said = [0, 1, 2].map(|kind| {
        let time = [data, smallest].map(|data| time(data, kind));
        format!("{:.2} µs ({:.2})", time[0], time[0] / time[1])
    });
    let together = |data: &Data| time(data, 0) + time(data, 2);
    (said.join(", "), together(data) / together(smallest))
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
