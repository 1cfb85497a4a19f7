use fer_model::thousands;

use super::{ModelCard, percent};
use crate::metrics::{ClassReport, Report};
use crate::report::markdown::escaped;
use crate::statistics::{percent_within, score_within};

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
                    percent_within(copies.accuracy_without, copies.accuracy_without_interval)
                );
            }
        }
        text += &format!(
            "\nBy class, on the {} pictures:\n\n\
             | class | precision | recall | F1 | pictures |\n|---|--:|--:|--:|--:|\n",
            last.split
        );
        for class in &last.classes {
            text += &class_row(class);
        }
        if let Some(bootstrap) = last.bootstrap {
            text += &format!(
                "\nIn brackets are 95 % intervals: Wilson's of shares, and of F1 and balanced accuracy \
                 those of a bootstrap ({} resamples of the pictures, seed {}). They take pictures for \
                 independent; where one person gave many they are too narrow.\n",
                thousands(bootstrap.resamples as usize),
                bootstrap.seed
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
        "| {} | {} | {} | {} | {} | {:.4} | {} |\n",
        report.split,
        thousands(report.n as usize),
        percent_within(report.accuracy, report.accuracy_interval),
        score_within(report.macro_f1, report.macro_f1_interval),
        percent_within(report.balanced_accuracy, report.balanced_accuracy_interval),
        report.loss,
        percent(report.ece)
    )
}

fn class_row(class: &ClassReport) -> String {
    let score = &class.score;
    let figures = match class.too_few {
        true => "too few to say | | ".to_string(),
        false => format!(
            "{} | {} | {}",
            score_within(score.precision, class.precision_interval),
            score_within(score.recall, class.recall_interval),
            score_within(score.f1, class.f1_interval)
        ),
    };
    let pictures = thousands(score.support as usize);
    format!("| {} | {figures} | {pictures} |\n", escaped(&class.name))
}
