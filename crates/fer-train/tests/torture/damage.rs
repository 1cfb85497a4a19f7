use std::fs;

use anyhow::{Context, Result, ensure};
use fer_data::random::stream;
use fer_train::checkpoint::{decode, find};
use rand::RngExt;

use crate::place::{Place, fresh_with_checkpoints, undisturbed};
use fer_trials::{Effort, Trial};

pub(crate) const BITS: Trial = Trial {
    name: "damage::bits",
    promise: "a checkpoint that was cut short or has a wrong bit is never taken for a good one",
    run: bits,
};

pub(crate) const FALL_BACK: Trial = Trial {
    name: "damage::fall_back",
    promise: "where the newest checkpoint is damaged, the run goes on from the one before with a warning; the last two are kept",
    run: fall_back,
};

fn bits(effort: &Effort) -> Result<String> {
    let place = Place::new()?;
    place.succeed(&fresh_with_checkpoints("run"))?;
    let path = place.newest("run")?.context("a checkpoint")?.path;
    let good = fs::read(&path)?;
    decode(&good)?;
    let header = u64::from_le_bytes(good[..8].try_into()?) as usize + 8;
    let mut random = stream(effort.seed, "damage", 0);
    let count = 100 * effort.rounds;
    for number in 0..count {
        let mut bytes = good.clone();
        // Half of them where every byte has a meaning of its own.
        let end = if number % 2 == 0 { header } else { bytes.len() };
        let (place, bit) = (random.random_range(0..end), random.random_range(0..8));
        bytes[place] ^= 1 << bit;
        ensure!(
            decode(&bytes).is_err(),
            "bit {bit} of byte {place} was not missed"
        );
        bytes[place] ^= 1 << bit;
        let length = random.random_range(0..end);
        ensure!(decode(&bytes[..length]).is_err(), "cut to {length} bytes");
        bytes.extend_from_slice(&good[..random.random_range(1..100)]);
        ensure!(decode(&bytes).is_err(), "a longer file");
    }
    ensure!(decode(&good).is_ok());
    Ok(format!(
        "{count} wrong bits, {count} cuts, {count} tails: all were refused"
    ))
}

fn fall_back(_effort: &Effort) -> Result<String> {
    let (expected, _) = undisturbed()?;
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 3] = [
        ("empty", |bytes| bytes.clear()),
        ("cut", |bytes| bytes.truncate(bytes.len() / 2)),
        ("a wrong bit", |bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        }),
    ];
    let place = Place::new()?;
    for (number, (name, damage)) in damages.into_iter().enumerate() {
        let run = format!("run{number}");
        let mut child = place.spawn(&fresh_with_checkpoints(&run))?;
        place.wait_for_steps(&run, 9)?;
        child.kill()?;
        child.wait()?;
        let checkpoints = place.file(&run).join("checkpoints");
        let newest = find(&checkpoints)?.context("a checkpoint")?;
        let mut bytes = fs::read(&newest.path)?;
        damage(&mut bytes);
        fs::write(&newest.path, bytes)?;
        let before = find(&checkpoints)?.with_context(|| format!("{name}: none before"))?;
        let steps =
            |found: &fer_train::checkpoint::Found| found.checkpoint.state.record.position.step;
        ensure!(
            steps(&before) < steps(&newest),
            "{name}: it was not refused"
        );
        let said = place.succeed(&["--resume", &run])?;
        let file = newest
            .path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        ensure!(
            said.contains("warning") && said.contains(&*file) && said.contains("is damaged"),
            "{name}: {said}"
        );
        expected.same(&place.left(&run)?)?;
        let kept = fs::read_dir(&checkpoints)?.flatten();
        let kept = kept.filter(|entry| entry.file_name().to_string_lossy().starts_with("step-"));
        ensure!(kept.count() == 2, "{name}: the last two are kept");
    }
    for entry in fs::read_dir(place.file("run0/checkpoints"))?.flatten() {
        fs::write(entry.path(), "damaged")?;
    }
    place.fail(
        &["--resume", "run0"],
        &["no checkpoint can be read", "step-00000024"],
    )?;
    Ok("empty, cut, a wrong bit: 3 of 3 fell back and ended with the same bytes; with both damaged the run is refused".into())
}
