use anyhow::{Context, Result, ensure};
use fer_trials::{Effort, SmallDisk};

use super::faces::Faces;
use super::open_within;

/// More of them than the small disk takes.
const PICTURES: usize = 3_000;

pub(super) fn run(_: &Effort) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("fer2013.csv");
    Faces::draw().write_table(&path, PICTURES)?;
    let place = folder.path().join("disk");
    let Some(disk) = SmallDisk::mount(place.clone(), "size=4m")? else {
        return Ok("not tried: only the superuser can mount a small disk".into());
    };
    let refused = open_within(&path, &place, 0);
    let refused = refused.err().context("it was opened")?.to_string();
    let folder = place.display().to_string();
    for expected in [
        folder.as_str(),
        "bytes are needed",
        "No space left on device",
        "--memory",
    ] {
        ensure!(
            refused.contains(expected),
            "{expected} is not in: {refused}"
        );
    }
    disk.resize("size=16m")?;
    let opened = open_within(&path, &place, 0)?;
    ensure!(opened.len() == PICTURES, "{} pictures", opened.len());
    drop(opened);
    Ok(format!(
        "{PICTURES} pictures for a disk of 4 MB were refused: {}",
        refused.replace(&folder, "DISK")
    ))
}
