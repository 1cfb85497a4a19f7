use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::place::{Place, change, fresh, fresh_with_checkpoints, undisturbed};
use fer_trials::{Effort, Trial};

pub(crate) const SETTINGS: Trial = Trial {
    name: "refusals::settings",
    promise: "a resume with another network or another setting that matters is refused, naming it with both values; a directory without a run is refused",
    run: settings,
};

pub(crate) const MORE_EPOCHS: Trial = Trial {
    name: "refusals::more_epochs",
    promise: "a finished run may be resumed, also with more epochs, and a stopped one with fewer than it was to have, to what a run of that length gives",
    run: more_epochs,
};

pub(crate) const LOCK: Trial = Trial {
    name: "refusals::lock",
    promise: "a second process on the same run directory is refused; a dead process holds nothing",
    run: lock,
};

fn settings(_effort: &Effort) -> Result<String> {
    let place = Place::new()?;
    place.succeed(&fresh("run"))?;
    let flags: [(&str, &str, &[&str]); 7] = [
        (
            "--arch",
            "vgg",
            &["model.arch is \"cnn\" in the run, \"vgg\" is asked for"],
        ),
        (
            "--lr",
            "0.01",
            &["training.learning_rate is 0.001 in the run, 0.01 is asked for"],
        ),
        (
            "--batch-size",
            "16",
            &["training.batch_size is 8 in the run, 16"],
        ),
        (
            "--patience",
            "2",
            &["training.patience is not set in the run, 2"],
        ),
        (
            "--seed",
            "5",
            &[
                "training.seed is 0 in the run, 5",
                "data.split.seed is 0 in the run, 5",
            ],
        ),
        (
            "--validation-fraction",
            "0.2",
            &["data.split.validation_fraction is not set in the run, 0.2"],
        ),
        (
            "--epochs",
            "2",
            &["training.epochs = 2", "3 epochs of run are done"],
        ),
    ];
    for (flag, value, hints) in flags {
        place.fail(&["--resume", "run", flag, value], hints)?;
    }
    let config = place.file("run/config.toml");
    let text = fs::read_to_string(&config)?;
    let edits: [(&str, &str, &str); 3] = [
        (
            "dropout = 0.5",
            "dropout = 0.25",
            "model.dropout is 0.5 in the run, 0.25",
        ),
        (
            "beta1 = 0.9",
            "beta1 = 0.8",
            "training.adam.beta1 is 0.9 in the run, 0.8",
        ),
        (
            "flip = 0.0",
            "flip = 0.5",
            "training.augmentation.flip is 0.0 in the run, 0.5",
        ),
    ];
    for (was, is, hint) in edits {
        ensure!(text.contains(was), "{text}");
        fs::write(&config, text.replace(was, is))?;
        place.fail(&["--resume", "run"], &[hint])?;
    }
    fs::write(&config, &text)?;
    fs::create_dir(place.file("empty"))?;
    for (directory, hint) in [
        ("empty", "holds no run"),
        ("faces", "holds no run"),
        ("nowhere", "no directory"),
    ] {
        place.fail(&["--resume", directory], &[directory, hint])?;
    }
    place.fail(&fresh("run"), &["holds something already", "--resume"])?;
    undisturbed()?.0.same(&place.left("run")?)?;
    Ok(format!(
        "{} settings, 3 directories without a run",
        flags.len() + edits.len()
    ))
}

fn more_epochs(_effort: &Effort) -> Result<String> {
    let place = Place::new()?;
    place.succeed(&fresh("short"))?;
    place.succeed(&["--resume", "short"])?;
    undisturbed()?.0.same(&place.left("short")?)?;
    place.succeed(&["--resume", "short", "--epochs", "5"])?;
    let mut longer = fresh("long");
    longer.extend(["--checkpoint-every", "1000"]);
    change(&mut longer, "--epochs", "5");
    place.succeed(&longer)?;
    place.left("long")?.same(&place.left("short")?)?;
    ensure!(
        undisturbed()?.0 != place.left("short")?,
        "two epochs more change nothing"
    );

    // Fewer, while the second epoch is at work: what one epoch gives.
    let mut child = place.spawn(&fresh_with_checkpoints("cut"))?;
    place.wait_for_steps("cut", 9)?;
    child.kill()?;
    child.wait()?;
    let done = place
        .newest("cut")?
        .map_or(0, |found| found.checkpoint.state.record.history.len());
    let epochs = done.to_string();
    place.succeed(&["--resume", "cut", "--epochs", &epochs])?;
    let mut shorter = fresh("shorter");
    change(&mut shorter, "--epochs", &epochs);
    place.succeed(&shorter)?;
    for name in ["model.safetensors", "metrics.json", "history.csv"] {
        let bytes = |run: &str| fs::read(place.file(run).join(name));
        ensure!(
            bytes("cut")? == bytes("shorter")?,
            "{name} of {epochs} epochs"
        );
    }
    Ok("3 epochs resumed as 3, then as 5, and a run ended before its time: all the bytes of runs of that length".into())
}

fn lock(effort: &Effort) -> Result<String> {
    let (expected, _) = undisturbed()?;
    let (mut refused, mut taken) = (0, 0);
    for _ in 0..effort.rounds {
        let place = Place::new()?;
        let mut first = place.spawn(&fresh_with_checkpoints("run"))?;
        let start = Instant::now();
        while !place.file("run/config.toml").exists() && start.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(1));
        }
        // Stopped, it holds its lock for as long as the others try.
        crate::place::signal(&first, "STOP")?;
        let number = format!("process {}", first.id());
        place.fail(&["--resume", "run"], &["run is in use", &number])?;
        place.fail(&fresh("run"), &["run"])?;
        refused += 2;
        first.kill()?;
        first.wait()?;
        place.succeed(&["--resume", "run"])?;
        taken += 1;
        expected.same(&place.left("run")?)?;
    }
    Ok(format!(
        "{refused} of {refused} refused beside a living process, {taken} of {taken} went on after a killed one"
    ))
}
