//! A run that was stopped, about to go on.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use fer_data::Dataset;

use crate::checkpoint::{Found, Identity, PictureList, find};
use crate::command::Usage;
use crate::command::output::People;
use crate::config::Config;
use crate::fit::RunState;
use crate::run::RunDirectory;

/// A run directory that was opened to go on with it.
pub(crate) struct Resumption {
    run: RunDirectory,
    found: Option<Found>,
}

/// Where a run goes on.
pub(crate) struct Start {
    pub(crate) path: PathBuf,
    pub(crate) state: RunState,
}

impl Resumption {
    /// Opens the run at `path` and finds its newest checkpoint, with a warning for each newer one
    /// that is damaged.
    pub(crate) fn open(path: &Path, people: People) -> Result<Self> {
        let run = RunDirectory::open(path)?;
        let found = find(&run.checkpoints()).with_context(|| {
            format!(
                "{} cannot go on; start again with --config {0}/config.toml",
                path.display()
            )
        })?;
        for damaged in found.iter().flat_map(|found| &found.damaged) {
            people.say(&format!(
                "warning     {damaged}; the one before it is taken"
            ))?;
        }
        Ok(Resumption { run, found })
    }

    /// Refuses settings under which the run would have become another.
    pub(crate) fn check_settings(&self, config: &Config) -> Result<()> {
        let Some(found) = &self.found else {
            return Ok(());
        };
        let record = &found.checkpoint.state.record;
        let done = record.history.len();
        if config.training.epochs < done {
            bail!(Usage(format!(
                "training.epochs = {} is out of range: {done} epochs of {} are done already",
                config.training.epochs,
                self.run.path().display()
            )));
        }
        let differences = found.checkpoint.identity.other_settings(config)?;
        ensure!(
            differences.is_empty(),
            "{} cannot go on with other settings: {}",
            self.run.path().display(),
            differences.join("; ")
        );
        Ok(())
    }

    /// Refuses other data, and says where the run goes on. `None` where it has to begin.
    pub(crate) fn go_on(
        self,
        identity: &Identity,
        session: (&Config, &Dataset),
        people: People,
    ) -> Result<(RunDirectory, Option<Start>)> {
        let (config, dataset) = session;
        let Some(found) = self.found else {
            people
                .say("resumed     at the beginning: no checkpoint was written before it stopped")?;
            return Ok((self.run, None));
        };
        let written = &found.checkpoint.identity;
        if !written.has_data_of(identity) {
            let differences = differences(&self.run, written, identity, dataset)?;
            bail!(
                "{} cannot go on with other data: {differences}",
                self.run.path().display()
            );
        }
        for difference in written.other_arithmetic(identity) {
            people.say(&format!(
                "warning     {difference}: the result will not be the same to the last bit"
            ))?;
        }
        let mut state = found.checkpoint.state;
        state.timings = self.run.timings(state.record.history.len());
        people.say(&format!("resumed     at {}", place(&state, config)))?;
        let start = Start {
            path: found.path,
            state,
        };
        Ok((self.run, Some(start)))
    }
}

/// In words, where a state is on its way to the last epoch.
fn place(state: &RunState, config: &Config) -> String {
    let record = &state.record;
    let done = record.history.len();
    if done >= config.training.epochs || record.watch.should_stop() {
        let step = record.position.step;
        return format!(
            "the end of epoch {done}, step {step}: nothing is left to train, only to write"
        );
    }
    record.position.to_string()
}

/// In words, how the data differ from those of the run.
fn differences(
    run: &RunDirectory,
    written: &Identity,
    identity: &Identity,
    dataset: &Dataset,
) -> Result<String> {
    let mut differences = Vec::new();
    if written.classes != identity.classes {
        differences.push(format!(
            "the classes were {} and are {}",
            written.classes, identity.classes
        ));
    }
    // Without the list there are still the digests.
    if let Ok(was) = PictureList::read(&run.checkpoints().join("pictures.csv")) {
        differences.extend(was.differences(&PictureList::new(dataset)?));
    }
    if written.data_hash != identity.data_hash {
        differences.push(format!(
            "the pictures' digest was {} and is {}",
            written.data_hash, identity.data_hash
        ));
    }
    if written.division_hash != identity.division_hash {
        differences.push(format!(
            "the division's digest was {} and is {}",
            written.division_hash, identity.division_hash
        ));
    }
    Ok(differences.join("; "))
}
