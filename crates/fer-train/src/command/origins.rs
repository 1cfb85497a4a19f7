//! Which model results in a directory are of, and on which data it was judged there.

use anyhow::{Result, ensure};
use fer_data::{Dataset, audit};
use fer_model::file::Description;

use crate::report::html::{DESCRIPTION, Origins as Before};
use crate::run::RunDirectory;

/// What `evaluate --robustness` and `explain --data` leave.
pub(crate) const FOUND_OUT: [&str; 5] = [
    "robustness.json",
    "robustness.svg",
    "robustness.png",
    "situations.png",
    "explanation.json",
];

/// A model and the data that it is judged on.
pub(crate) struct Origins<'a> {
    pub(crate) description: &'a Description,
    pub(crate) dataset: &'a Dataset,
}

impl Origins<'_> {
    /// Refuses a directory with results of another model or on other data: its report would show them as
    /// one.
    pub(crate) fn check(&self, run: &RunDirectory) -> Result<()> {
        let before = Before::read(run.path())?;
        let other = |what: String| {
            format!(
                "{} holds results {what}; name another directory with --out",
                run.path().display()
            )
        };
        if let Some(description) = &before.description {
            let same = description.training == self.description.training
                && description.architecture == self.description.architecture;
            let (name, data) = (description.architecture.name(), &description.training.data);
            ensure!(
                same,
                other(format!("of another model ({name}, trained on {data})"))
            );
        }
        if let Some(data) = &before.data {
            ensure!(
                data.is_of(self.dataset),
                other(format!(
                    "on other data ({}, {})",
                    data.name, data.split_rule
                ))
            );
        }
        Ok(())
    }

    /// Says in the directory which model and data these are. What was found out about the model before it
    /// got another temperature, or other views, goes.
    pub(crate) fn write(&self, run: &RunDirectory) -> Result<()> {
        let before = Before::read(run.path())?;
        if before.description.is_some_and(|it| it != *self.description) {
            for name in FOUND_OUT {
                run.remove(name)?;
            }
        }
        let description = serde_json::to_string_pretty(self.description)? + "\n";
        run.write(DESCRIPTION, description.as_bytes())?;
        // What lies there may know of near copies too.
        if before.data.is_some_and(|data| data.has_digests()) {
            return Ok(());
        }
        run.write_audit(&audit::without_near_copies(self.dataset)?)
    }
}
