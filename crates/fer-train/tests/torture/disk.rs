use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};

use crate::place::{Place, fresh_with_checkpoints, text, undisturbed};
use fer_trials::{Effort, SmallDisk, Trial};

pub(crate) const FULL: Trial = Trial {
    name: "disk::full",
    promise: "on a full disk training goes on with a warning, the last checkpoints stay good, and with room again the run goes on to the same bytes",
    run: full,
};

pub(crate) const READ_ONLY: Trial = Trial {
    name: "disk::read_only",
    promise: "a directory that cannot be written to is an error that names it; one that becomes so while a run works costs no more than the work since the last checkpoint",
    run: read_only,
};

fn full(_effort: &Effort) -> Result<String> {
    let (expected, _) = undisturbed()?;
    let place = Place::new()?;
    let Some(disk) = SmallDisk::mount(place.file("disk"), "size=34m")? else {
        return Ok("not tried: only root can mount a small disk".into());
    };
    // Two checkpoints of 13 MB fit, a third does not.
    let said = place.fail(
        &fresh_with_checkpoints("disk/run"),
        &[
            "No space left on device",
            "no checkpoint:",
            "--resume disk/run",
        ],
    )?;
    let warnings = said.matches("training goes on").count();
    let safe = place.safe_steps("disk/run")?;
    ensure!(safe > 0 && safe < 24, "{safe} steps are safe");
    place.fail(&["--resume", "disk/run"], &["No space left on device"])?;
    ensure!(place.safe_steps("disk/run")? >= safe);
    disk.resize("size=200m")?;
    let resumed = place.succeed(&["--resume", "disk/run"])?;
    ensure!(resumed.contains(&format!("step {safe}\n")), "{resumed}");
    expected.same(&place.left("disk/run")?)?;

    let tiny = SmallDisk::mount(place.file("tiny"), "size=8k")?;
    place.fail(
        &fresh_with_checkpoints("tiny/run"),
        &["tiny/run", "No space left on device"],
    )?;
    drop(tiny);
    Ok(format!(
        "a disk of 34 MB: {warnings} checkpoints failed, {safe} of 24 steps stayed safe; with room the same bytes"
    ))
}

/// Nobody in particular: root may write anywhere.
const NOBODY: u32 = 65534;

fn read_only(_effort: &Effort) -> Result<String> {
    let (expected, _) = undisturbed()?;
    let place = Place::new()?;
    let is_root = fs::read_to_string("/proc/self/status")?.contains("\nUid:\t0\t");
    let program = place.file("fer-train");
    fs::copy(env!("CARGO_BIN_EXE_fer-train"), &program)?;
    fs::set_permissions(place.path(), Permissions::from_mode(0o755))?;
    let command = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command.args(arguments).current_dir(place.path());
        if is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    };
    let fails = |arguments: &[&str], hint: &str| -> Result<()> {
        let output = command(arguments).output()?;
        let said = text(&output);
        ensure!(
            output.status.code() == Some(1) && said.contains(hint),
            "{said}"
        );
        ensure!(said.contains("Permission denied"), "{said}");
        Ok(())
    };
    fs::create_dir(place.file("out"))?;
    if is_root {
        chown(place.file("out"), Some(NOBODY), Some(NOBODY))?;
    }
    let mode =
        |path: &str, mode| fs::set_permissions(place.file(path), Permissions::from_mode(mode));
    mode("out", 0o555)?;
    fails(&fresh_with_checkpoints("out/run"), "out/run")?;
    mode("out", 0o755)?;

    let mut child = command(&fresh_with_checkpoints("out/run"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    place.wait_for_steps("out/run", 3)?;
    mode("out/run/checkpoints", 0o555)?;
    mode("out/run", 0o555)?;
    ensure!(child.wait()?.code() == Some(1));
    let safe = place.safe_steps("out/run")?;
    ensure!(safe >= 3);
    fails(&["--resume", "out/run"], "out/run")?;
    mode("out/run", 0o755)?;
    mode("out/run/checkpoints", 0o755)?;
    ensure!(place.safe_steps("out/run")? == safe);
    let output = command(&["--resume", "out/run"]).output()?;
    ensure!(output.status.success(), "{}", text(&output));
    expected.same(&place.left("out/run")?)?;
    Ok(format!(
        "3 of 3 named it; with {safe} of 24 steps safe the run went on to the same bytes"
    ))
}
