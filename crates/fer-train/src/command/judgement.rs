//! What judging a network leaves in a directory, at the end of a run or by `evaluate --out`.

use anyhow::Result;
use fer_data::{Dataset, Split};

use crate::command::output::{People, percent};
use crate::evaluation::Evaluation;
use crate::figures;
use crate::hard::{self, Hard};
use crate::metrics::Report;
use crate::predictions::{self, Predictions};
use crate::run::RunDirectory;

/// How many confusions people are told of.
const TOLD: usize = 3;

/// A network's answers for pictures, judged.
pub(crate) struct Judgement<'a> {
    dataset: &'a Dataset,
    evaluation: &'a Evaluation,
    report: &'a Report,
    predictions: Predictions,
    hard: Hard,
}

impl<'a> Judgement<'a> {
    /// Of the answers that `report` counts. `trained_here` tells whether the train pictures of these data
    /// trained the network.
    pub(crate) fn new(
        dataset: &'a Dataset,
        evaluation: &'a Evaluation,
        report: &'a Report,
        trained_here: bool,
    ) -> Result<Self> {
        let temperature = report.uncalibrated.map(|_| report.temperature);
        let predictions = evaluation.predictions(dataset, temperature)?;
        let hard = Hard::new(report, &predictions, |picture| {
            trained_here && (picture.split == Split::Train || picture.copy_of_train)
        });
        Ok(Judgement {
            dataset,
            evaluation,
            report,
            predictions,
            hard,
        })
    }

    /// Writes figures, tables and pictures; `seed` draws the samples.
    pub(crate) fn write(&self, run: &RunDirectory, seed: u64) -> Result<()> {
        run.write_report("metrics.json", self.report)?;
        run.write(predictions::FILE, &self.predictions.to_csv()?)?;
        let hard = serde_json::to_string_pretty(&self.hard)? + "\n";
        run.write(hard::FILE, hard.as_bytes())?;
        figures::write_confusion_matrix(run, self.report)?;
        figures::write_reliability(run, self.report)?;
        figures::write_coverage(run, self.report)?;
        figures::write_samples(run, self.dataset, self.evaluation, seed)?;
        let indices = &self.evaluation.indices;
        let named = self.hard.pictures();
        figures::write_gallery(run, self.dataset, indices, &self.predictions, &named)
    }

    /// Says which confusions concern most pictures.
    pub(crate) fn say_hardest(&self, people: People) -> Result<()> {
        let mut name = "hardest";
        for confusion in self.hard.confusions_by_count.iter().take(TOLD) {
            people.say(&format!(
                "{name:11} {} taken for {}: {} of {} ({})",
                confusion.label,
                confusion.predicted,
                confusion.count,
                confusion.support,
                percent(confusion.rate)
            ))?;
            name = "";
        }
        Ok(())
    }
}
