use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Result, ensure};
use fer_data::{Augmentation, Dataset};
use fer_trials::Effort;

use super::faces::Faces;
use super::{epoch, held, open_within};

/// Bytes that decoded pictures may take: less than those of the smallest size.
const BOUND: usize = 64 << 20;

/// How often each size is measured, in turn with the others.
const ROUNDS: usize = 3;

/// Data of one size.
struct Data {
    size: usize,
    path: PathBuf,
    /// Microseconds a picture: opening, an epoch as it is, and one with augmentation.
    seconds: [Vec<f64>; 3],
}

pub(super) fn run(effort: &Effort) -> Result<String> {
    if !effort.long {
        return Ok("in the long form".into());
    }
    let faces = Faces::draw();
    let mut said = String::new();
    for (name, sizes) in [
        ("faces.parquet", &[30_000, 100_000, 300_000, 1_000_000][..]),
        ("classes", &[30_000, 100_000, 300_000]),
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
                seconds: Default::default(),
            });
        }
        let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
        one_thread.install(|| measure(&mut all, place.path()))?;
        write!(said, "{}. ", report(name, &all, place.path())?)?;
    }
    Ok(said.trim_end().to_string())
}

fn measure(all: &mut [Data], spill: &Path) -> Result<()> {
    for _ in 0..ROUNDS {
        for data in &mut *all {
            let start = Instant::now();
            let dataset = open_within(&data.path, spill, BOUND)?;
            let opened = start.elapsed().as_secs_f64();
            let seconds = [opened, plain(&dataset)?, augmented(&dataset)?];
            for (kind, seconds) in data.seconds.iter_mut().zip(seconds) {
                kind.push(1e6 * seconds / data.size as f64);
            }
        }
    }
    Ok(())
}

fn plain(dataset: &Dataset) -> Result<f64> {
    let start = Instant::now();
    for batch in epoch(dataset).iter() {
        batch?;
    }
    Ok(start.elapsed().as_secs_f64())
}

/// An epoch as the recipes have it.
fn augmented(dataset: &Dataset) -> Result<f64> {
    let augmentation = Augmentation {
        flip: 0.5,
        rotation: 10.0,
        scale: 0.1,
        shift: 0.1,
        ..Augmentation::default()
    };
    let start = Instant::now();
    for batch in epoch(dataset).augmented(&augmentation, 7, 1).iter() {
        batch?;
    }
    Ok(start.elapsed().as_secs_f64())
}

fn report(name: &str, all: &[Data], spill: &Path) -> Result<String> {
    let mut said = format!(
        "{name}, pictures (MB at most at once; µs a picture to open, in a plain epoch, in an augmented one; of all three the share of the smallest size's): "
    );
    let whole = |data: &Data| data.seconds.iter().map(|kind| median(kind)).sum::<f64>();
    let mut parts = Vec::new();
    let mut slow = Vec::new();
    for data in all {
        let held = held(&data.path, spill, (BOUND, data.size))?;
        let share = whole(data) / whole(&all[0]);
        let times: Vec<String> = data
            .seconds
            .iter()
            .map(|kind| format!("{:.2}", median(kind)))
            .collect();
        parts.push(format!(
            "{} ({:.0} MB; {}; {share:.2})",
            data.size,
            held as f64 / 1e6,
            times.join(", ")
        ));
        if share > 1.2 {
            slow.push(data.size);
        }
    }
    said += &parts.join(", ");
    ensure!(
        slow.is_empty(),
        "{said}: {slow:?} pictures take more than 20 % longer each"
    );
    Ok(said)
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
