//! Data of any size: peak memory, the same bytes, and the time that a picture takes.

mod faces;
#[cfg(unix)]
mod full_disk;
mod speed;

use std::path::Path;

use anyhow::{Result, ensure};
use fer_data::{Batches, Dataset, MemorySettings, OpenSettings, PIXELS, open};
use fer_trials::{Effort, Trial};

use crate::memory;
use faces::Faces;

pub(crate) const MEMORY: Trial = Trial {
    name: "size::memory",
    promise: "decoded pictures take no more memory than `data.memory` says; beyond it opening and an epoch of batches hold at most 100 bytes an entry, whatever the source, and give the same bytes",
    run: memory,
};

pub(crate) const SPEED: Trial = Trial {
    name: "size::speed",
    promise: "from 30 thousand to a million drawn pictures, memory stays as promised and a picture takes the same time within 20 % to open and in augmented batches together",
    run: speed::run,
};

#[cfg(unix)]
pub(crate) const FULL_DISK: Trial = Trial {
    name: "size::full_disk",
    promise: "where the disk is too small for the decoded pictures, that is said with its folder, how much is needed, and what to do",
    run: full_disk::run,
};

/// What is held whatever the number of entries: files and pictures that are read or decoded at the moment,
/// a batch, what the readers of tables and Parquet hold.
const CONSTANT: usize = 32 << 20;

/// Bytes an entry.
const ENTRY: usize = 100;

/// Pictures in a batch.
const BATCH: usize = 128;

/// How data are written for a trial.
type Write = fn(&Faces, &Path, usize) -> Result<()>;

const SOURCES: [(&str, Write); 5] = [
    ("classes", Faces::write_classes),
    ("people", Faces::write_people),
    ("manifest.csv", Faces::write_manifest),
    ("fer2013.csv", Faces::write_table),
    ("faces.parquet", Faces::write_parquet),
];

fn memory(effort: &Effort) -> Result<String> {
    let faces = Faces::draw().linked();
    // Both are more than twice what is decoded together, so that only the entries differ.
    let sizes = if effort.long {
        [4_500, 30_000]
    } else {
        [4_500, 9_000]
    };
    // What threads hold at a moment is chance.
    let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let bound = 300 * PIXELS;
    let (mut counts, mut too_many) = (Vec::new(), false);
    for (name, write) in SOURCES {
        let mut both = Vec::new();
        for size in sizes {
            let place = tempfile::tempdir()?;
            let path = place.path().join(name);
            write(&faces, &path, size)?;
            let held = one_thread.install(|| held(&path, place.path(), (bound, size)));
            both.push(held?);
            if size == sizes[0] {
                check_same_bytes(&path, place.path(), bound)?;
            }
        }
        let entry = (both[1] as f64 - both[0] as f64) / (sizes[1] - sizes[0]) as f64;
        counts.push(format!("{entry:.0} ({name})"));
        too_many |= entry > ENTRY as f64;
    }
    let said = format!(
        "bytes held for each further entry, from {} to {} of them: {}; all batches as in memory",
        sizes[0],
        sizes[1],
        counts.join(", ")
    );
    ensure!(!too_many, "at most {ENTRY} are promised; {said}");
    Ok(said)
}

/// Opens data and makes an epoch of batches; the bytes that were held at once.
fn held(path: &Path, spill: &Path, (bound, size): (usize, usize)) -> Result<usize> {
    let (done, held) = memory::peak(|| -> Result<()> {
        let dataset = open_within(path, spill, bound)?;
        ensure!(
            dataset.len() == size,
            "{} of {size} pictures",
            dataset.len()
        );
        ensure!(
            dataset.spill_folder().is_some(),
            "{size} pictures in memory"
        );
        for batch in epoch(&dataset).iter() {
            batch?;
        }
        Ok(())
    });
    done?;
    let most = bound + ENTRY * size + CONSTANT;
    ensure!(
        held <= most,
        "{}: {held} bytes were held at once, at most {most} are promised",
        path.display()
    );
    Ok(held)
}

fn open_within(path: &Path, spill: &Path, bound: usize) -> Result<Dataset> {
    let memory = MemorySettings {
        bound: bound as u64,
        spill_folder: Some(spill.to_path_buf()),
    };
    let settings = OpenSettings {
        memory,
        ..OpenSettings::default()
    };
    Ok(open(path, &settings)?)
}

/// All pictures in a drawn order.
fn epoch(dataset: &Dataset) -> Batches<'_> {
    Batches::new(dataset, (0..dataset.len()).collect(), BATCH).shuffled(7, 1)
}

/// Whether pictures on disk give what pictures in memory give.
fn check_same_bytes(path: &Path, spill: &Path, bound: usize) -> Result<()> {
    let on_disk = open_within(path, spill, bound)?;
    let in_memory = open_within(path, spill, usize::MAX)?;
    ensure!(
        in_memory.spill_folder().is_none(),
        "nothing is to be written"
    );
    ensure!(on_disk.hash() == in_memory.hash(), "another hash");
    ensure!(
        on_disk.division_hash() == in_memory.division_hash(),
        "another division"
    );
    for (one, other) in epoch(&on_disk).iter().zip(epoch(&in_memory).iter()) {
        ensure!(one? == other?, "another batch");
    }
    Ok(())
}
