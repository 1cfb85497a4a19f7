use std::fs;

use anyhow::{Context, Result, ensure};

use crate::place::{Place, change, fresh_with_checkpoints, undisturbed};
use fer_trials::{Effort, Trial};

pub(crate) const STOP: Trial = Trial {
    name: "divergence::stop",
    promise: "NaN or an exploding loss stops at once with the epoch, the step, the batch's files and the last good checkpoint",
    run: stop,
};

pub(crate) const HALVE: Trial = Trial {
    name: "divergence::halve",
    promise: "`training.divergence.response = \"halve_rate\"` goes back to the start of the epoch and halves the rate, a bounded number of times, to the same bits whatever stops it",
    run: halve,
};

fn with<'a>(out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = fresh_with_checkpoints(out);
    arguments.extend(more);
    arguments
}

fn stop(_effort: &Effort) -> Result<String> {
    let place = Place::new()?;
    let said = place.fail(
        &with("run", &["--lr", "1e30"]),
        &[
            "training has diverged",
            "epoch 1, batch ",
            "step ",
            "faces/",
            "diverged.csv",
            "no checkpoint was written before",
            "halve_rate",
        ],
    )?;
    ensure!(!said.contains("epoch   1/3"), "it went on: {said}");
    let list = fs::read_to_string(place.file("run/diverged.csv"))?;
    ensure!(list.lines().count() == 9, "{list}");
    let files = list.lines().skip(1).filter_map(|row| row.split(',').nth(3));
    for file in files {
        ensure!(place.file(file).is_file(), "{file}");
    }
    later(&place)?;
    Ok("a rate of 1e30, and a bound of half a nat: 2 of 2 stopped at the batch; without the bound the run went on".into())
}

/// A run of one epoch that diverges when it is to go on, because its bound was lowered.
fn later(place: &Place) -> Result<()> {
    let mut first = fresh_with_checkpoints("later");
    change(&mut first, "--epochs", "1");
    place.succeed(&first)?;
    let config = place.file("later/config.toml");
    let text = fs::read_to_string(&config)?;
    let (usual, lower) = ("largest_loss = 1000.0", "largest_loss = 0.5");
    ensure!(text.contains(usual), "{text}");
    fs::write(&config, text.replace(usual, lower))?;
    let resume = ["--resume", "later", "--epochs", "3"];
    let last = place.newest("later")?.context("a checkpoint")?.path;
    let name = last.file_name().unwrap_or_default().to_string_lossy();
    let hint = format!(
        "the last good checkpoint: later/checkpoints/{name} (the start of epoch 2, step 8)"
    );
    place.fail(
        &resume,
        &["the loss is ", "epoch 2, batch 1, step 9", &hint],
    )?;
    fs::write(&config, text)?;
    place.succeed(&resume)?;
    undisturbed()?.0.same(&place.left("later")?)
}

/// A bound that is passed at this rate and kept at a lower one.
const HALVING: &str = "[training.divergence]\nlargest_loss = 2.6\nresponse = \"halve_rate\"\n";

fn halve(effort: &Effort) -> Result<String> {
    let place = Place::new()?;
    fs::write(place.file("halving.toml"), HALVING)?;
    let start = ["--config", "halving.toml", "--lr", "0.01"];
    let said = place.succeed(&with("run", &start))?;
    let halvings = said.matches("back to the start of epoch").count();
    ensure!(halvings > 0, "nothing diverged: {said}");
    let history = fs::read_to_string(place.file("run/history.csv"))?;
    let rate = history
        .lines()
        .last()
        .and_then(|row| row.split(',').nth(5))
        .context("a rate")?;
    let expected = 0.01 * 0.5f64.powi(halvings as i32);
    ensure!(rate.parse::<f64>()? == expected, "{history}");

    // Killed again and again, and with checkpoints elsewhere, the same.
    let whole = place.left("run")?;
    let mut kills = 0;
    for round in 0..effort.rounds {
        let run = format!("killed{round}");
        let mut arguments = with(&run, &start);
        change(&mut arguments, "--checkpoint-every", "2");
        let mut child = place.spawn(&arguments)?;
        let mut steps = 2;
        while place.wait_for_steps(&run, steps).is_ok() {
            if let Some(status) = child.try_wait()? {
                ensure!(status.success(), "{}", place.said());
                break;
            }
            child.kill()?;
            child.wait()?;
            kills += 1;
            steps = (place.safe_steps(&run)? + 2).min(24);
            child = place.spawn(&["--resume", &run])?;
            if steps == 24 {
                ensure!(child.wait()?.success(), "{}", place.said());
                break;
            }
        }
        whole.same(&place.left(&run)?)?;
    }
    let bounded = HALVING.replace("2.6", "0.001");
    fs::write(place.file("halving.toml"), bounded)?;
    let said = place.fail(&with("never", &start), &["training has diverged"])?;
    let most = said.matches("back to the start of epoch").count();
    ensure!(most == 5, "halved {most} times: {said}");
    Ok(format!(
        "halved {halvings} times and finished, the same bytes after {kills} kills; a hopeless run stopped after 5 halvings"
    ))
}
