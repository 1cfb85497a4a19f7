//! Parquet files by the library `datasets` and by pyarrow, whole and with wrong bits.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use fer_data::random::stream;
use fer_data::{Dataset, Layout, OpenSettings, open};
use fer_trials::{Effort, Trial};
use rand::RngExt;

use crate::memory::within;
use crate::watch::in_time;

pub(crate) const TRIALS: [Trial; 1] = [Trial {
    name: "parquet::files",
    promise: "Parquet files by datasets and pyarrow are read with all their pictures; with wrong \
              bits they are read or refused by name, within seconds and at most 192 MiB",
    run: files,
}];

/// What reading one may hold at once, in bytes.
const MOST: usize = 192 << 20;

fn files(effort: &Effort) -> Result<String> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/fer-data/tests/parquet");
    let mut pictures = 0;
    let mut bytes = Vec::new();
    for name in ["datasets", "plain.parquet", "numbers.parquet"] {
        let path = place.join(name);
        let read = opened(&path).with_context(|| path.display().to_string())?;
        pictures += read.map_err(anyhow::Error::msg)?.len();
        if path.is_file() {
            bytes.push(fs::read(&path)?);
        }
    }
    ensure!(pictures > 0, "no picture");
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("wrong.parquet");
    let rounds = if effort.long { 3000 } else { 200 };
    let mut refused = 0;
    for round in 0..rounds {
        let mut random = stream(effort.seed, "wrong bits", round as u64);
        let mut wrong = bytes[round % bytes.len()].clone();
        let bit = random.random_range(0..8 * wrong.len());
        wrong[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, wrong)?;
        if let Err(said) = opened(&path).with_context(|| format!("bit {bit} of round {round}"))? {
            ensure!(said.contains("wrong.parquet"), "it names no file: {said}");
            refused += 1;
        }
    }
    Ok(format!(
        "{pictures} pictures of 3 data sets; {rounds} wrong bits, {refused} refused"
    ))
}

fn opened(path: &Path) -> Result<Result<Dataset, String>> {
    let name = path.display().to_string();
    let own = path.to_path_buf();
    let settings = OpenSettings {
        layout: Some(Layout::Parquet),
        ..OpenSettings::default()
    };
    within(&name, MOST, || {
        in_time(&name, move || open(&own, &settings))
    })?
    .map(|opened| opened.map_err(|error| error.to_string()))
}
