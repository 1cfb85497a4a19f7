//! Which model results in a directory are of, and on which data it was judged there.

use anyhow::{Result, ensure};
use fer_data::{Dataset, audit};
use fer_model::file::Description;

use crate::report::html::{DESCRIPTION, Origins as Before};
use crate::run::RunDirectory;

/// What `evaluate --robustness` leaves, which depends on how the model answers.
const ANSWERED: [&str; 4] = [
    "robustness.json",
    "robustness.svg",
    "robustness.png",
    "situations.png",
];

/// What `evaluate --robustness` and `explain --data` leave.
pub(crate) fn found_out() -> impl Iterator<Item = &'static str> {
    ANSWERED.into_iter().chain(["explanation.json"])
}

/// A model and the data that it is judged on, and what is found out.
pub(crate) struct Origins<'a> {
    pub(crate) description: &'a Description,
    pub(crate) dataset: &'a Dataset,
    pub(crate) finding: Finding,
}

/// What a command adds to a directory.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finding {
    /// How good its answers are: in place of what was said of that before.
    Figures,
    /// How good they are in other situations: beside those figures.
    Situations,
    /// Where the network looks, whatever its views and its temperature are.
    Regions,
}

impl Origins<'_> {
    /// Refuses a directory with results of another model or on other data: its report would show them as
    /// one.
    pub(crate) fn check(&self, run: &RunDirectory) -> Result<()> {
        let before = Before::read(run.path())?;
        let holds = |what: String| {
            format!(
                "{} holds results {what}; name another directory with --out",
                run.path().display()
            )
        };
        if let Some(description) = &before.description {
            let (name, data) = (description.architecture.name(), &description.training.data);
            ensure!(
                self.has_weights_of(description),
                holds(format!("of another model ({name}, trained on {data})"))
            );
            ensure!(
                self.finding != Finding::Situations || self.answers_as(description),
                holds("of this model with other views or another temperature".into())
            );
        }
        if let Some(data) = &before.data {
            ensure!(
                data.is_of(self.dataset),
                holds(format!("on other data ({})", data.name))
            );
        }
        Ok(())
    }

    /// Says in the directory which model and data these are. What was found out while the model had other
    /// views or another temperature goes.
    pub(crate) fn write(&self, run: &RunDirectory) -> Result<()> {
        let before = Before::read(run.path())?;
        let description = before.description.as_ref();
        if self.finding == Finding::Figures && description.is_some_and(|it| !self.answers_as(it)) {
            for name in ANSWERED {
                run.remove(name)?;
            }
        }
        if self.finding != Finding::Regions || description.is_none() {
            let description = serde_json::to_string_pretty(self.description)? + "\n";
            run.write(DESCRIPTION, description.as_bytes())?;
        }
        if before
            .data
            .is_some_and(|data| data.is_divided_as(self.dataset))
        {
            return Ok(());
        }
        run.write_audit(&audit::without_near_copies(self.dataset)?)
    }

    /// The self-test was recorded from the network alone, so it tells weights apart.
    fn has_weights_of(&self, other: &Description) -> bool {
        let own = self.description;
        own.architecture == other.architecture
            && own.training == other.training
            && own.self_test == other.self_test
    }

    fn answers_as(&self, other: &Description) -> bool {
        let temperature = |description: &Description| {
            let calibration = description.calibration.as_ref();
            calibration.map(|calibration| calibration.temperature)
        };
        self.description.preprocessing == other.preprocessing
            && temperature(self.description) == temperature(other)
    }
}
