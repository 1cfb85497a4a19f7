//! `MODEL_CARD.md`: what a model is, what it was made from, how good it is and what it is not for.
//!
//! The sections follow Margaret Mitchell and others: Model Cards for Model Reporting, FAT* 2019.

use anyhow::{Context, Result};
use fer_data::Split;
use fer_model::file::{Calibration, Description, TemperatureOrigin, WeightFormat};
use fer_model::{Agreement, Architecture, thousands};
use serde::Serialize;
use serde_json::json;

use crate::config::Config;
use crate::fit::FitSettings;
use crate::metrics::{ClassReport, Report};
use crate::report::abstaining;
use crate::report::gaps::gaps_by_group;
use crate::statistics::{percent_within, score_within};

/// What a model card is made of.
pub struct ModelCard<'a> {
    /// What the model file says of itself.
    pub description: &'a Description,
    /// The figures on validation and test, as far as there are such pictures; the last are the ones
    /// that `metrics.json` holds.
    pub reports: &'a [Report],
    /// The run's configuration. Paths in it stay out of the card.
    pub config: &'a Config,
    /// How far 16-bit weights are from the trained ones, where they were rounded.
    pub agreement: Option<Agreement>,
}

impl ModelCard<'_> {
    /// The card in Markdown. It depends on the fields alone: no clock, path or host is in it.
    ///
    /// # Errors
    /// Settings that cannot be written as TOML.
    pub fn markdown(&self) -> Result<String> {
        let sections = [
            self.model()?,
            self.data(),
            self.training()?,
            self.figures(),
            gaps_by_group(self.reports),
            self.calibration(),
            self.limits(),
        ];
        Ok(sections.join("\n"))
    }

    fn model(&self) -> Result<String> {
        let description = self.description;
        let (architecture, classes) = (&description.architecture, &description.classes);
        let layers = architecture.layers(classes.len())?;
        let parameters = layers
            .iter()
            .map(|layer| layer.parameters - layer.statistics);
        let products = layers.iter().map(|layer| layer.multiply_adds).sum();
        let weights = match self.config.output.weights {
            WeightFormat::F32 => "32 bits".to_string(),
            WeightFormat::F16 => format!("16 bits{}", self.agreement()),
        };
        let names: Vec<&str> = classes.iter().collect();
        Ok(format!(
            "# Model card: `{}` on {}\n\n\
             A network that is shown a grey picture of 48×48 pixels, cropped to one face, and gives a \
             probability for each of {} apparent expressions: {}.\n\n\
             - Network: `{}`, {} parameters, {} multiply-adds a picture\n\
             - File: `model.safetensors`, weights in {weights}\n\
             - Written by {}\n",
            architecture.name(),
            description.training.data,
            classes.len(),
            names.join(", "),
            architecture.name(),
            thousands(parameters.sum()),
            thousands(products),
            description.library,
        ))
    }

    fn agreement(&self) -> String {
        let Some(agreement) = self.agreement else {
            return String::new();
        };
        format!(
            "; they name the class that the trained 32-bit weights do for {} of {} pictures, and \
             probabilities differ by {:.5} at most",
            thousands(agreement.equal),
            thousands(agreement.pictures),
            agreement.largest_difference
        )
    }

    fn data(&self) -> String {
        let training = &self.description.training;
        let mut text = format!(
            "## Data\n\n\
             {}, SHA-256 `{}`. Split: {} (seed {}).{}{}\n\n\
             | pictures | {} | {} | {} |\n|---|--:|--:|--:|\n",
            training.data,
            training.data_hash,
            training.split_rule,
            training.split_seed,
            if training.dedup {
                " Exact copies of validation and test pictures were taken out of train."
            } else {
                ""
            },
            training.ferplus_target.map_or(String::new(), |target| {
                format!(" FER+ votes as targets: {}.", word(&json!(target)))
            }),
            Split::Train,
            Split::Validation,
            Split::Test,
        );
        let count = |split: Split, class: usize| {
            let counts = training.counts.get(split.name());
            counts
                .and_then(|counts| counts.get(class))
                .copied()
                .unwrap_or(0)
        };
        for (class, name) in self.description.classes.iter().enumerate() {
            let counts = Split::ALL.map(|split| thousands(count(split, class)));
            text += &format!("| {name} | {} |\n", counts.join(" | "));
        }
        let sums = Split::ALL.map(|split| {
            let classes = 0..self.description.classes.len();
            thousands(classes.map(|class| count(split, class)).sum())
        });
        text += &format!("| all | {} |\n", sums.join(" | "));
        if self.is_fer2013() {
            text += "\nThe pictures of FER2013 were collected by a web search; the rights in them are \
                     unclear.\n";
        }
        text
    }

    fn training(&self) -> Result<String> {
        let training = &self.description.training;
        let kept = match &training.epoch_chosen_on {
            Some(split) => format!("the best on the {split} pictures"),
            None => "the last".into(),
        };
        let settings = toml::to_string(&Settings {
            model: &self.config.model,
            training: &self.config.training,
        })
        .context("the settings cannot be written as TOML")?;
        Ok(format!(
            "## Training\n\n\
             {} epochs from seed {}; the weights are those of epoch {}, {kept}. The settings:\n\n\
             ```toml\n{}```\n",
            training.epochs, training.seed, training.epoch, settings
        ))
    }

    fn figures(&self) -> String {
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

    fn calibration(&self) -> String {
        let Some(calibration) = &self.description.calibration else {
            return "## Calibration\n\nNone: the probabilities are the network's own, likely surer \
                    than it is right.\n"
                .into();
        };
        let mut text = format!(
            "## Calibration\n\nLogits are divided by the temperature {:.4}{}.",
            calibration.temperature,
            origin(calibration)
        );
        for report in self.reports {
            if let Some(without) = report.uncalibrated {
                text += &format!(
                    " On {} it takes the expected calibration error (15 bins of the top probability) \
                     from {} to {}.",
                    report.split,
                    percent(without.ece),
                    percent(report.ece)
                );
            }
        }
        let abstention = self.description.abstention.as_ref();
        text + "\n" + &abstention.map_or(String::new(), abstaining::markdown)
    }

    fn limits(&self) -> String {
        let mut text = "## Use and limits\n\n\
            For research, teaching, and sorting or searching pictures where an error harms nobody. \
            The classes are names for what a face shows. An expression is no emotion: what a person \
            feels, means or intends cannot be read from it, and the same face means different things \
            in different places and cultures. Not for decisions about people: hiring, schooling, \
            policing, health, credit, insurance or anything like them.\n\n\
            - One face, cropped, upright, 48×48 grey pixels: other framing lowers the accuracy, and a \
            picture without a face gets an answer too.\n\
            - Figures hold for pictures like those that gave them, and for groups of people only as far \
            as the gaps by group tell.\n\
            - A class with few pictures to train on is seldom found; the table by class tells.\n"
            .to_string();
        if self.is_fer2013() {
            text += "- FER2013 was labelled by few people and noisily; people agree with its labels in \
                about two thirds of the cases (Goodfellow and others 2013: 65 ± 5 %). FER+ is the vote \
                of ten, and they disagree often. Its faces come from a web search by words for \
                emotions, so posed and strong expressions and some groups of people are over-represented.\n";
        }
        text
    }

    fn is_fer2013(&self) -> bool {
        self.description.training.data.contains("FER2013")
    }
}

/// The part of a configuration that decides what is learned, without paths.
#[derive(Serialize)]
struct Settings<'a> {
    model: &'a Architecture,
    training: &'a FitSettings,
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
    format!("| {} | {figures} | {pictures} |\n", class.name)
}

fn origin(calibration: &Calibration) -> String {
    match &calibration.origin {
        TemperatureOrigin::Fitted {
            split,
            pictures,
            chose_epoch,
        } => {
            let also = if *chose_epoch {
                ", which also chose the epoch"
            } else {
                ""
            };
            format!(
                ", the one under which the labels of the {} {split} pictures are most likely{also}",
                thousands(*pictures)
            )
        }
        TemperatureOrigin::CarriedOver { from } if from.is_empty() => {
            ", which was carried over from another network".into()
        }
        TemperatureOrigin::CarriedOver { from } => {
            format!(", which was carried over from another network: {from}")
        }
    }
}

/// A setting's name as files have it, without quotes.
fn word(value: &serde_json::Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use fer_data::ClassNames;

    use super::*;
    use crate::metrics::{ConfusionMatrix, ProbabilityScore};

    fn description(data: &str) -> Description {
        let counts = json!({ "train": [1200, 5], "validation": [0, 0], "test": [3, 2] });
        let training = json!({
            "data": data, "data_hash": "abc", "division_hash": "", "split_rule": "as it came",
            "split_seed": 4, "dedup": true, "counts": counts, "seed": 9, "epochs": 7, "epoch": 7,
            "batch_size": 32, "learning_rate": 0.001,
        });
        let whole = json!({
            "format": 1, "library": "fer-model 0", "architecture": { "arch": "cnn" },
            "classes": ["happy", "sad"],
            "preprocessing": { "side": 48, "grey": "bt601", "resize": "antialiased", "divisor": 255 },
            "training": training, "self_test": { "picture": "", "logits": [] },
        });
        serde_json::from_value(whole).unwrap()
    }

    fn report() -> Report {
        let mut confusion = ConfusionMatrix::new(2);
        for (truth, predicted) in [(0, 0), (0, 0), (0, 1), (1, 1), (1, 1)] {
            confusion.add(truth, predicted);
        }
        let names = ClassNames::new(["happy", "sad"]).unwrap();
        let score = |ece| ProbabilityScore { loss: 0.5, ece };
        Report::new("test", &names, &confusion, score(0.125), false)
            .at_temperature(1.5, score(0.0625))
    }

    fn card(data: &str, reports: &[Report]) -> String {
        let mut config = Config::default();
        config.data.path = "/home/somebody/faces".into();
        let card = ModelCard {
            description: &description(data),
            reports,
            config: &config,
            agreement: None,
        };
        card.markdown().unwrap()
    }

    #[test]
    fn figures_stand_with_the_number_of_pictures_and_settings_without_paths() {
        let card = card("faces", &[report()]);
        for line in [
            "# Model card: `cnn` on faces",
            "faces, SHA-256 `abc`. Split: as it came (seed 4). Exact copies",
            "| happy | 1,200 | 0 | 3 |",
            "| all | 1,205 | 0 | 5 |",
            "7 epochs from seed 9; the weights are those of epoch 7, the last.",
            "batch_size = 32",
            "| test | 5 | 80.0 % (37.6–96.4 %) |",
            "| happy | too few to say | |  | 3 |",
            "those of a bootstrap (2,000 resamples of the pictures, seed 0)",
            "## Gaps by group\n\nNot measured",
            "An expression is no emotion",
        ] {
            assert!(card.contains(line), "{line} is missing in:\n{card}");
        }
        assert!(!card.contains("somebody"), "{card}");
        assert!(!card.contains("also chose"), "{card}");
        assert!(!card.contains("FER2013"), "{card}");
    }

    #[test]
    fn what_flatters_a_figure_stands_below_it_and_fer2013_gets_its_warnings() {
        let mut flattered = report();
        flattered.chosen_on_this_split = true;
        let card = card("FER2013 with FER+ votes", &[flattered]);
        assert!(card.contains("The test pictures also chose the temperature, which flatters loss"));
        assert!(card.contains("the rights in them are unclear") && card.contains("65 ± 5 %"));
    }

    #[test]
    fn a_network_that_nothing_judged_says_so() {
        let card = card("faces", &[]);
        assert!(card.contains("None: no picture was kept apart to judge by."));
    }
}
