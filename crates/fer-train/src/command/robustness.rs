//! `evaluate --robustness`: a table for people, files for a directory, or JSON.

use std::path::Path;

use anyhow::Result;
use fer_data::{Situation, Split};
use fer_model::thousands;

use crate::command::origins::Origins;
use crate::command::output::{self, People, percent};
use crate::figures;
use crate::robustness::{Figures, Robustness, SituationFigures, Trial};
use crate::run::RunDirectory;

/// What was asked beside the trial itself.
pub(crate) struct Wanted<'a> {
    pub(crate) split: Option<Split>,
    /// What of the model was chosen on these pictures.
    pub(crate) chosen: Option<&'static str>,
    pub(crate) json: bool,
    pub(crate) out: Option<&'a Path>,
    pub(crate) origins: Origins<'a>,
}

/// Tries the network in every situation, tells the figures as they come, and writes them.
pub(crate) fn run(trial: &Trial<'_>, wanted: &Wanted<'_>) -> Result<()> {
    let people = People::beside_json(wanted.json);
    // A directory that cannot be written to is told before the work.
    let directory = wanted.out.map(RunDirectory::for_results).transpose()?;
    if let Some(directory) = &directory {
        wanted.origins.check(directory)?;
    }
    let robustness = tried(trial, wanted, people)?;
    if let Some(directory) = &directory {
        wanted.origins.write(directory)?;
        directory.write("robustness.json", robustness.json()?.as_bytes())?;
        figures::write_robustness(directory, &robustness)?;
        figures::write_situations(directory, trial.dataset, trial.indices, trial.seed)?;
        figures::write_html(directory)?;
        people.say(&format!(
            "written     {}: robustness.json, robustness.svg, robustness.png, situations.png, report.html",
            directory.path().display()
        ))?;
    }
    if wanted.json {
        output::json(&robustness.json()?)?;
    }
    Ok(())
}

fn tried(trial: &Trial<'_>, wanted: &Wanted<'_>, people: People) -> Result<Robustness> {
    let split = wanted.split.map_or("all", Split::name);
    let undisturbed = trial.undisturbed()?;
    say_head(split, trial.indices.len(), &undisturbed, people)?;
    let mut situations = Vec::with_capacity(Situation::ALL.len());
    for situation in Situation::ALL {
        let figures = trial.situation(situation)?;
        people.say(&row(&figures))?;
        situations.push(figures);
    }
    let chosen = wanted.chosen.is_some();
    let robustness = Robustness::new(trial, split, undisturbed, situations, chosen);
    say_end(&robustness, people)?;
    if let Some(chosen) = wanted.chosen {
        people.say(&format!("note: some of these pictures {chosen}"))?;
    }
    Ok(robustness)
}

fn say_head(split: &str, count: usize, undisturbed: &Figures, people: People) -> Result<()> {
    people.say(&format!(
        "judged on   {split} ({} pictures)",
        thousands(count)
    ))?;
    people.say(&format!(
        "undisturbed {} ({}), macro F1 {:.3}",
        percent(undisturbed.accuracy),
        undisturbed.accuracy_interval.percent(),
        undisturbed.macro_f1
    ))?;
    people.say(&format!(
        "{:14}{:>7}{:>28}{:>7}{:>10}  strengths",
        "accuracy in %", "weakest", "strongest", "mean", "macro F1"
    ))?;
    Ok(())
}

/// A situation's accuracies, their mean, the mean macro F1, and which strengths these are.
fn row(situation: &SituationFigures) -> String {
    let strengths = situation.strengths.iter();
    let accuracies: String = strengths
        .clone()
        .map(|strength| format!("{:7.1}", 100.0 * strength.figures.accuracy))
        .collect();
    let strengths: Vec<String> = strengths
        .map(|strength| strength.strength.to_string())
        .collect();
    format!(
        "{:14}{accuracies}{:7.1}{:10.3}  {} {}",
        situation.name,
        100.0 * situation.mean_accuracy,
        situation.mean_macro_f1,
        strengths.join(", "),
        situation.unit
    )
}

fn say_end(robustness: &Robustness, people: People) -> Result<()> {
    people.say(&format!(
        "mean        {}, {:.1} points below the undisturbed; macro F1 {:.3}",
        percent(robustness.mean_accuracy),
        100.0 * (robustness.undisturbed.accuracy - robustness.mean_accuracy),
        robustness.mean_macro_f1
    ))?;
    let strengths = robustness.situations.iter().flat_map(|one| &one.strengths);
    let widths = strengths.map(|strength| {
        let interval = strength.figures.accuracy_interval;
        interval.high - interval.low
    });
    people.say(&format!(
        "            95 % intervals of each accuracy reach {:.1} points to either side at most",
        50.0 * widths.fold(0.0, f64::max)
    ))?;
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::robustness::StrengthFigures;
    use crate::statistics::wilson;

    #[test]
    fn a_row_tells_every_accuracy_under_its_column_and_the_strengths_with_their_unit() {
        let strength = |(strength, right)| StrengthFigures {
            strength,
            figures: Figures {
                accuracy: right as f64 / 1000.0,
                accuracy_interval: wilson(right, 1000).unwrap(),
                macro_f1: 0.5,
            },
        };
        let situation = SituationFigures {
            name: "low contrast".into(),
            unit: "of the contrast taken away".into(),
            mean_accuracy: 0.5,
            mean_macro_f1: 0.25,
            strengths: [(0.3, 1000), (0.95, 61)].map(strength).into(),
        };
        assert_eq!(
            row(&situation),
            "low contrast    100.0    6.1   50.0     0.250  0.3, 0.95 of the contrast taken away"
        );
    }
}
