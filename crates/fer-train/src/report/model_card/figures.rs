use fer_model::thousands;

use super::{ModelCard, percent};
use crate::metrics::Report;

impl ModelCard<'_> {
    /// How good it is.
    pub(super) fn figures(&self) -> String {
        let Some(last) = self.reports.last() else {
            return "## Figures\n\nNone: no picture was kept apart to judge by.\n".into();
        };
        let mut text = "## Figures\n\n\
             | pictures | n | accuracy | macro F1 | balanced accuracy | loss | calibration error |\n\
             |---|--:|--:|--:|--:|--:|--:|\n"
            .to_string();
        for report in self.reports {
            text += &figures_row(report);
        }
        for report in self.reports {
            if report.chosen_on_this_split {
                text += &format!(
                    "\nThe {} pictures also {}.\n",
                    report.split,
                    self.chosen_by(&report.split)
                );
            }
            if let Some(copies) = report.copies_of_train {
                text += &format!(
                    "\n{} of the {} pictures are exact copies of train pictures; without them the \
                     accuracy is {}.\n",
                    thousands(copies.n as usize),
                    report.split,
                    percent(copies.accuracy_without)
                );
            }
        }
        text += &format!(
            "\nBy class, on the {} pictures:\n\n\
             | class | precision | recall | F1 | pictures |\n|---|--:|--:|--:|--:|\n",
            last.split
        );
        for class in &last.classes {
            let score = &class.score;
            text += &format!(
                "| {} | {:.3} | {:.3} | {:.3} | {} |\n",
                class.name,
                score.precision,
                score.recall,
                score.f1,
                thousands(score.support as usize)
            );
        }
        text
    }

    /// What the pictures of this split chose, and what that flatters.
    fn chosen_by(&self, split: &str) -> &'static str {
        match self.description.training.epoch_chosen_on.as_deref() == Some(split) {
            true => "chose the epoch, which flatters all of their row",
            false => "chose the temperature, which flatters loss and calibration error",
        }
    }
}

fn figures_row(report: &Report) -> String {
    format!(
        "| {} | {} | {} | {:.3} | {} | {:.4} | {} |\n",
        report.split,
        thousands(report.n as usize),
        percent(report.accuracy),
        report.macro_f1,
        percent(report.balanced_accuracy),
        report.loss,
        percent(report.ece)
    )
}
