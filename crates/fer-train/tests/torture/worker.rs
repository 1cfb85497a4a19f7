use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use fer_data::{
    Batches, ClassNames, DataError, Dataset, DatasetParts, Entry, MemorySettings, Picture,
    PictureStore, Split, SplitSettings,
};

use fer_trials::{Effort, Trial};

pub(crate) const PANIC: Trial = Trial {
    name: "worker::panic",
    promise: "a panic in a worker is an error that names the file, never a hang",
    run: panic,
};

/// Greys, of which one cannot be made without a panic.
struct Greys {
    broken: usize,
}

impl PictureStore for Greys {
    fn picture(&self, position: usize) -> Result<Picture, DataError> {
        assert!(position != self.broken, "a mistake in a decoder");
        Picture::from_pixels(&[position as u8; 48 * 48], &self.origin(position))
    }

    fn origin(&self, position: usize) -> String {
        format!("greys/{position}.png")
    }
}

fn dataset(broken: usize) -> Result<Dataset, DataError> {
    let entries = (0..100).map(|position| Entry {
        position,
        label: position / 50,
        distribution: None,
        subject: None,
        split: Split::Train,
    });
    Dataset::new(DatasetParts {
        name: "greys".into(),
        class_names: ClassNames::new(["dark", "light"])?,
        entries: entries.collect(),
        store: Box::new(Greys { broken }),
        skipped: Vec::new(),
        split_rule: "all train".into(),
        split_settings: SplitSettings::default(),
        memory: MemorySettings::default(),
    })
}

fn panic(effort: &Effort) -> Result<String> {
    let whole = dataset(usize::MAX)?;
    let batches = Batches::new(&whole, whole.indices(Split::Train), 32);
    ensure!(
        batches.iter().all(|batch| batch.is_ok()),
        "without a panic nothing fails"
    );
    let count = 10 * effort.rounds;
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    let ended = (0..count).try_for_each(panics_at);
    std::panic::set_hook(told);
    ended?;
    Ok(format!("{count} panics: {count} of {count} named the file"))
}

fn panics_at(number: usize) -> Result<()> {
    let broken = number * 97 % 100;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(dataset(broken).map(|_| ())));
    let ended = receiver
        .recv_timeout(Duration::from_secs(60))
        .context("it hangs")?;
    let said = ended.err().context("the panic was swallowed")?.to_string();
    ensure!(
        said.contains(&format!("greys/{broken}.png")) && said.contains("a mistake in a decoder"),
        "{said}"
    );
    Ok(())
}
