use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use anyhow::{Result, ensure};
use fer_data::random::stream;
use rand::RngExt;

use crate::place::{EPOCHS, Place, fresh_with_checkpoints, undisturbed};
use fer_trials::{Effort, Trial};

pub(crate) const KILLS: Trial = Trial {
    name: "kills::kill_9",
    promise: "`kill -9` at any moment loses at most the work since the last checkpoint, leaves a run that can be read, and ends with the undisturbed run's bytes",
    run: kill_9,
};

pub(crate) const HISTORY: Trial = Trial {
    name: "kills::history",
    promise: "`history.csv` has no torn and no repeated row, at any moment and after any kill",
    run: history,
};

/// Where kills fell.
#[derive(Default)]
struct Counts {
    kills: usize,
    before_the_run: usize,
    before_a_checkpoint: usize,
    in_training: usize,
    after_training: usize,
    runs: usize,
}

fn kill_9(effort: &Effort) -> Result<String> {
    let (expected, duration) = undisturbed()?;
    let mut random = stream(effort.seed, "kills", 0);
    let mut counts = Counts::default();
    while counts.kills < effort.kills {
        let place = Place::new()?;
        let mut safe = 0;
        loop {
            let share: f64 = random.random();
            let wait = (counts.kills < effort.kills).then(|| duration.mul_f64(1.1 * share));
            let finished = session(&place, wait, &mut counts)?;
            let now = place.safe_steps("run")?;
            ensure!(now >= safe, "a kill lost steps {now} to {safe}");
            ensure!(
                announced(&place.said()) * 8 <= now,
                "an epoch was announced that is not safe"
            );
            safe = now;
            if finished {
                break;
            }
            count(&place, safe, &mut counts);
        }
        expected.same(&place.left("run")?)?;
        counts.runs += 1;
    }
    Ok(format!(
        "{} kills in {} runs ({} before the run was there, {} before its first checkpoint, {} in training, {} after it): {} of {} ended with the same bytes",
        counts.kills,
        counts.runs,
        counts.before_the_run,
        counts.before_a_checkpoint,
        counts.in_training,
        counts.after_training,
        counts.runs,
        counts.runs
    ))
}

/// One process, killed after `wait` unless it is done by then; whether it was done.
fn session(place: &Place, wait: Option<Duration>, counts: &mut Counts) -> Result<bool> {
    let safe = place.safe_steps("run")?;
    let begun = place.file("run/config.toml").exists();
    let arguments = match begun {
        true => vec!["--resume", "run"],
        false => fresh_with_checkpoints("run"),
    };
    let _ = std::fs::remove_file(place.file("said"));
    let mut child = place.spawn(&arguments)?;
    if let Some(wait) = wait {
        std::thread::sleep(wait);
        child.kill()?;
    }
    let status = child.wait()?;
    let said = place.said();
    let finished = status.success();
    if !finished {
        ensure!(
            status.signal() == Some(9),
            "it ended by itself: {status}, {said}"
        );
        counts.kills += 1;
    }
    if safe > 0 && said.contains("resumed") {
        let resumed = said
            .lines()
            .find(|line| line.starts_with("resumed"))
            .unwrap_or_default();
        let step = format!("step {safe}");
        ensure!(
            resumed.ends_with(&step) || resumed.contains(&format!("{step}:")),
            "not resumed at step {safe}: {said}"
        );
    }
    Ok(finished)
}

fn count(place: &Place, safe: u64, counts: &mut Counts) {
    let place = match safe {
        _ if !place.file("run/config.toml").exists() => &mut counts.before_the_run,
        0 => &mut counts.before_a_checkpoint,
        24.. => &mut counts.after_training,
        _ => &mut counts.in_training,
    };
    *place += 1;
}

/// Epochs that a process said were done.
fn announced(said: &str) -> u64 {
    let epochs = said
        .lines()
        .filter_map(|line| line.strip_prefix("epoch")?.split('/').next());
    epochs
        .filter_map(|number| number.trim().parse().ok())
        .max()
        .unwrap_or(0)
}

/// Reads the table all the time while a run is killed and resumed.
fn history(effort: &Effort) -> Result<String> {
    let place = Place::new()?;
    let mut random = stream(effort.seed, "history", 0);
    let (mut looks, mut kills) = (0, 0);
    for round in 0..=3 * effort.rounds {
        let arguments = match place.file("run/config.toml").exists() {
            true => vec![
                "--resume",
                "run",
                "--epochs",
                "40",
                "--checkpoint-every",
                "1",
            ],
            false => vec![
                "--data",
                "faces",
                "--arch",
                "cnn",
                "--batch-size",
                "64",
                "--epochs",
                "40",
                "--checkpoint-every",
                "1",
                "--out",
                "run",
            ],
        };
        let mut child = place.spawn(&arguments)?;
        let mut left = random.random_range(100..1500);
        while child.try_wait()?.is_none() {
            looks += 1;
            look(&place)?;
            std::thread::sleep(Duration::from_millis(1));
            left -= 1;
            if left == 0 && round < 3 * effort.rounds {
                child.kill()?;
                kills += 1;
            }
        }
    }
    ensure!(look(&place)? == 40, "{}", place.said());
    Ok(format!(
        "{looks} looks while a run of 40 epochs was killed {kills} times"
    ))
}

/// The rows, which must be whole and count the epochs from 1.
fn look(place: &Place) -> Result<usize> {
    let Ok(table) = std::fs::read_to_string(place.file("run/history.csv")) else {
        return Ok(0);
    };
    ensure!(table.ends_with('\n'), "torn: {table}");
    for (number, row) in table.lines().enumerate().skip(1) {
        let fields: Vec<&str> = row.split(',').collect();
        ensure!(
            fields.len() == 6 && fields[0] == number.to_string(),
            "row {number}: {row}"
        );
    }
    Ok(table.lines().count() - 1)
}

const _: () = assert!(
    EPOCHS == 3,
    "the counts above are of three epochs of eight steps"
);
