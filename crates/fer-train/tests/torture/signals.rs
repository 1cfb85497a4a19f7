use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use fer_data::random::stream;
use rand::RngExt;

use crate::place::{LISTENING, Place, change, fresh_with_checkpoints, signal, undisturbed};
use fer_trials::{Effort, Trial};

pub(crate) const SIGNALS: Trial = Trial {
    name: "signals::asked_to_end",
    promise: "Ctrl-C, SIGTERM and SIGHUP end a run at its current step with a checkpoint, say how to go on, and exit with 130, 143 and 129",
    run: asked_to_end,
};

pub(crate) const TERMINAL: Trial = Trial {
    name: "signals::closed_terminal",
    promise: "a terminal that is closed ends the run with a checkpoint",
    run: closed_terminal,
};

pub(crate) const NOHUP: Trial = Trial {
    name: "signals::nohup",
    promise: "under `nohup` a run outlives its terminal",
    run: nohup,
};

/// A run that is longer than the others, so that it does not end before it is asked to.
fn asked_to_end(effort: &Effort) -> Result<String> {
    let (expected, _) = undisturbed()?;
    let mut random = stream(effort.seed, "signals", 0);
    let mut count = 0;
    for (name, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        for _ in 0..effort.rounds {
            let place = Place::new()?;
            let mut run = fresh_with_checkpoints("run");
            // Only the signal asks for a checkpoint.
            change(&mut run, "--checkpoint-every", "1000");
            let mut child = place.spawn_listening(&run)?;
            wait_for(&place, "network")?;
            std::thread::sleep(Duration::from_millis(random.random_range(5..60)));
            signal(&child, name)?;
            let status = child.wait()?;
            let said = place.said();
            ensure!(status.code() == Some(code), "SIG{name}: {status}, {said}");
            let steps = place.safe_steps("run")?;
            ensure!(
                said.contains("interrupted by")
                    && said.contains(&format!("step {steps};"))
                    && said.contains("fer-train --resume run"),
                "{said}"
            );
            ensure!(
                !place.file("run/model.safetensors").exists(),
                "half a result"
            );
            place.succeed(&["--resume", "run"])?;
            expected.same(&place.left("run")?)?;
            count += 1;
        }
    }
    Ok(format!(
        "{count} signals: {count} of {count} ended with the same bytes after a resume"
    ))
}

fn wait_for(place: &Place, word: &str) -> Result<()> {
    let start = Instant::now();
    while !place.said().contains(word) {
        ensure!(
            start.elapsed() < Duration::from_secs(60),
            "{}",
            place.said()
        );
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// `script` runs the command in a terminal of its own, which closes when `script` is killed.
fn closed_terminal(effort: &Effort) -> Result<String> {
    let has_script = Command::new("script")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !has_script.is_ok_and(|status| status.success()) {
        return Ok("not tried: `script` is not there to make a terminal".into());
    }
    let (expected, _) = undisturbed()?;
    for _ in 0..effort.rounds {
        let place = Place::new()?;
        let mut arguments = fresh_with_checkpoints("run");
        change(&mut arguments, "--epochs", "100000");
        let line = format!(
            "{LISTENING} {} {}",
            env!("CARGO_BIN_EXE_fer-train"),
            arguments.join(" ")
        );
        let mut terminal = Command::new("setsid")
            .args(["script", "-qfec", &line, "typescript"])
            .current_dir(place.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        place.wait_for_steps("run", 3)?;
        terminal.kill()?;
        terminal.wait()?;
        let start = Instant::now();
        // The lock is free when the process is gone; a resume with a wrong flag tells.
        while place
            .fail(&["--resume", "run", "--lr", "1"], &[])?
            .contains("in use")
        {
            ensure!(
                start.elapsed() < Duration::from_secs(30),
                "it outlived its terminal"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        let done = place
            .newest("run")?
            .map_or(0, |found| found.checkpoint.state.record.history.len());
        if done > 3 {
            // Too late for three epochs: whatever it came to, it goes on.
            place.succeed(&["--resume", "run", "--epochs", &(done + 1).to_string()])?;
            continue;
        }
        place.succeed(&["--resume", "run", "--epochs", "3"])?;
        expected.same(&place.left("run")?)?;
    }
    Ok(format!(
        "{0} terminals: {0} of {0} runs went on",
        effort.rounds
    ))
}

fn nohup(_effort: &Effort) -> Result<String> {
    let (expected, _) = undisturbed()?;
    let place = Place::new()?;
    let arguments = fresh_with_checkpoints("run");
    let line = format!(
        "trap '' HUP; exec {} {}",
        env!("CARGO_BIN_EXE_fer-train"),
        arguments.join(" ")
    );
    let mut child = Command::new("sh")
        .args(["-c", &line])
        .current_dir(place.path())
        .stdout(Stdio::null())
        .spawn()?;
    place.wait_for_steps("run", 3)?;
    signal(&child, "HUP")?;
    ensure!(child.wait()?.success(), "it ended with its terminal");
    expected.same(&place.left("run")?)?;
    Ok("1 SIGHUP, ignored".into())
}
