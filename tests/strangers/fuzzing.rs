//! What cargo fuzz tries for hours, tried for seconds: the files that it begins with and those that once
//! did harm, as they are and changed at random.

use std::fs;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use fer_data::random::stream;
use fer_fuzz::{MOST_BYTES, MOST_TIME, TARGETS, Target};
use fer_model::thousands;
use fer_trials::{Effort, Trial};
use rand::{Rng, RngExt};

use crate::memory::{limited, peak};

pub(crate) const CHANGED: Trial = Trial {
    name: "fuzzing::changed",
    promise: "pictures, tables, Parquet, models, checkpoints and configurations changed in any way are accepted or refused: without a panic, within 10 s, and within the memory that `fuzz/src` names for each",
    run: changed,
};

/// What one door saw.
#[derive(Default)]
struct Seen {
    inputs: usize,
    refused: usize,
    most_memory: usize,
}

fn changed(effort: &Effort) -> Result<String> {
    let rounds = if effort.long { 20_000 } else { 300 };
    let mut counts = Vec::new();
    for target in TARGETS {
        let seen = throw(&target, rounds, effort.seed).with_context(|| target.name)?;
        counts.push(format!(
            "{} {} ({} refused, {} MiB)",
            target.name,
            seen.inputs,
            seen.refused,
            seen.most_memory.div_ceil(1 << 20)
        ));
    }
    Ok(format!("inputs: {}; {}", counts.join(", "), before()?))
}

/// What cargo fuzz has tried, as it keeps it itself.
fn before() -> Result<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/runs.csv");
    let (mut seconds, mut inputs, mut failures, mut targets) = (0, 0, 0, 0);
    let text = fs::read_to_string(path)?;
    for row in text.lines().skip(1) {
        let cells: Vec<u64> = row
            .split(',')
            .skip(1)
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        let [took, tried, _, failed] = cells[..] else {
            bail!("{path}: {row}")
        };
        (seconds, inputs, failures) = (seconds + took, inputs + tried, failures + failed);
        targets += 1;
    }
    Ok(format!(
        "cargo fuzz before: {targets} doors, {} inputs in {} minutes of the processor, {failures} failures",
        thousands(inputs as usize),
        seconds / 60
    ))
}

fn throw(target: &Target, rounds: usize, seed: u64) -> Result<Seen> {
    let files = target.files();
    ensure!(!files.is_empty(), "there are no files to begin with");
    let mut seen = Seen::default();
    let contents: Vec<Vec<u8>> = files.iter().map(fs::read).collect::<Result<_, _>>()?;
    for (path, bytes) in files.iter().zip(&contents) {
        try_one(target, bytes, &mut seen).with_context(|| path.display().to_string())?;
    }
    // What is as large as a real model is for the tests of models.
    let small: Vec<&Vec<u8>> = contents
        .iter()
        .filter(|file| file.len() <= MOST_BYTES)
        .collect();
    for round in 0..rounds {
        let mut random = stream(seed, target.name, round as u64);
        let other = small[random.random_range(0..small.len())];
        let mut bytes = small[round % small.len()].clone();
        for _ in 0..random.random_range(1..=4) {
            change(&mut bytes, other, &mut random);
        }
        bytes.truncate(MOST_BYTES);
        try_one(target, &bytes, &mut seen)
            .with_context(|| format!("round {round} of seed {seed}"))?;
    }
    Ok(seen)
}

fn try_one(target: &Target, bytes: &[u8], seen: &mut Seen) -> Result<()> {
    let start = Instant::now();
    let (accepted, held) = limited(target.most_memory, || peak(|| (target.accepts)(bytes)));
    let took = start.elapsed();
    ensure!(took <= MOST_TIME, "{} bytes took {took:?}", bytes.len());
    ensure!(
        held <= target.most_memory,
        "for {} bytes {held} were held at once, at most {} are promised",
        bytes.len(),
        target.most_memory
    );
    seen.inputs += 1;
    seen.refused += usize::from(!accepted);
    seen.most_memory = seen.most_memory.max(held);
    Ok(())
}

/// One change: bits, a number of one to eight bytes, a piece left out, doubled or taken from elsewhere, a cut.
fn change(bytes: &mut Vec<u8>, other: &[u8], random: &mut impl Rng) {
    const NUMBERS: [u64; 8] = [
        0,
        1,
        0x7f,
        0xff,
        0x7fff_ffff,
        0xffff_ffff,
        i64::MAX as u64,
        u64::MAX,
    ];
    if bytes.is_empty() {
        return bytes.extend_from_slice(other);
    }
    let place = random.random_range(0..bytes.len());
    let end = bytes.len().min(place + random.random_range(1..=64));
    match random.random_range(0..7) {
        0 => bytes[place] ^= 1 << random.random_range(0..8),
        1 => {
            let number = NUMBERS[random.random_range(0..NUMBERS.len())].to_le_bytes();
            let end = bytes.len().min(place + (1 << random.random_range(0..4)));
            bytes[place..end].copy_from_slice(&number[..end - place]);
        }
        2 => drop(bytes.drain(place..end)),
        3 => {
            let piece = bytes[place..end].to_vec();
            bytes.splice(place..place, piece);
        }
        4 => {
            let from = random.random_range(0..=other.len());
            let piece = &other[from..other.len().min(from + 256)];
            bytes.splice(place..end, piece.iter().copied());
        }
        5 => bytes.truncate(place),
        _ => bytes[place] = random.random(),
    }
}
