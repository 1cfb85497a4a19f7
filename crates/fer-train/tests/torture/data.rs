use std::fs;

use anyhow::{Result, ensure};

use crate::place::{Place, fresh, fresh_with_checkpoints, undisturbed};
use fer_trials::{Effort, Trial};

pub(crate) const OTHER_DATA: Trial = Trial {
    name: "data::other_data",
    promise: "a resume with other data is refused, naming what is gone, new, changed or divided otherwise; the same data elsewhere will do",
    run: other_data,
};

pub(crate) const WHILE_IT_RUNS: Trial = Trial {
    name: "data::while_it_runs",
    promise: "data that vanish or change while a run works do not change it; resumed without them it is refused, and goes on when they are back",
    run: while_it_runs,
};

fn other_data(_effort: &Effort) -> Result<String> {
    let place = Place::new()?;
    place.succeed(&fresh("run"))?;
    let face = |name: &str| place.file("faces").join(name);
    let refused = |hint: &str| {
        place.fail(
            &["--resume", "run"],
            &["run cannot go on with other data", hint],
        )
    };

    fs::rename(face("happy/03.png"), place.file("away.png"))?;
    refused("1 gone: faces/happy/03.png")?;
    fs::rename(place.file("away.png"), face("sad/93.png"))?;
    refused("1 new: faces/sad/93.png")?;
    fs::rename(face("sad/93.png"), face("happy/03.png"))?;

    let good = fs::read(face("angry/01.png"))?;
    fs::copy(face("fear/02.png"), face("angry/01.png"))?;
    refused("1 changed: faces/angry/01.png")?;
    fs::write(face("angry/01.png"), "no picture")?;
    refused("1 gone: faces/angry/01.png")?;
    fs::write(face("angry/01.png"), good)?;

    fs::rename(face("neutral"), face("calm"))?;
    place.fail(
        &["--resume", "run", "--layout", "classes"],
        &[
            "run cannot go on with other data",
            "the classes were",
            "calm",
        ],
    )?;
    fs::rename(face("calm"), face("neutral"))?;
    place.fail(
        &["--resume", "run", "--data", "drawn"],
        &["cannot go on with other data"],
    )?;
    place.fail(&["--resume", "run", "--data", "nowhere"], &["nowhere"])?;

    fs::rename(place.file("faces"), place.file("moved"))?;
    place.fail(&["--resume", "run"], &["cannot read faces"])?;
    place.succeed(&["--resume", "run", "--data", "moved"])?;
    undisturbed()?.0.same(&place.left("run")?)?;
    Ok("8 of 8 refused by name; moved elsewhere the same data went on".into())
}

fn while_it_runs(effort: &Effort) -> Result<String> {
    let (expected, _) = undisturbed()?;
    for _ in 0..effort.rounds {
        let place = Place::new()?;
        let mut child = place.spawn(&fresh_with_checkpoints("run"))?;
        place.wait_for_steps("run", 3)?;
        fs::rename(place.file("faces"), place.file("away"))?;
        ensure!(child.wait()?.success(), "{}", place.said());
        expected.same(&place.left("run")?)?;

        fs::rename(place.file("away"), place.file("faces"))?;
        let mut child = place.spawn(&fresh_with_checkpoints("killed"))?;
        place.wait_for_steps("killed", 3)?;
        child.kill()?;
        child.wait()?;
        fs::rename(place.file("faces"), place.file("away"))?;
        place.fail(&["--resume", "killed"], &["faces"])?;
        fs::rename(place.file("away"), place.file("faces"))?;
        place.succeed(&["--resume", "killed"])?;
        expected.same(&place.left("killed")?)?;
    }
    let rounds = effort.rounds;
    Ok(format!(
        "{rounds} times while it ran, {rounds} times before a resume: {} of {} ended with the same bytes",
        2 * rounds,
        2 * rounds
    ))
}
