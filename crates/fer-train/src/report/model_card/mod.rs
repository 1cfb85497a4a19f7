//! `MODEL_CARD.md`: what a model is, what it was made from, how good it is and what it is not for.
//!
//! The sections follow Margaret Mitchell and others: Model Cards for Model Reporting, FAT* 2019.

mod calibration;
mod data;
mod figures;
mod limits;
mod model;
mod training;

use anyhow::Result;
use fer_model::Agreement;
use fer_model::file::Description;

use crate::config::Config;
use crate::metrics::Report;
use crate::report::gaps::gaps_by_group;

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
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use fer_data::ClassNames;
    use fer_model::file::InitialModel;
    use serde_json::json;

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
            "Article 5(1)(f) of the EU AI Act, Regulation (EU) 2024/1689",
            "Emotional Expressions Reconsidered",
            "Licence of the pictures: not known",
        ] {
            assert!(card.contains(line), "{line} is missing in:\n{card}");
        }
        assert!(!card.contains("somebody"), "{card}");
        assert!(!card.contains("also chose"), "{card}");
        assert!(!card.contains("FER2013"), "{card}");
    }

    #[test]
    fn the_model_that_it_began_with_is_named_with_its_data_and_what_stayed_as_it_was() {
        let mut description = description("faces");
        description.training.initial = Some(InitialModel {
            sha256: "def".into(),
            builtin: true,
            data: "FER2013 with FER+ votes".into(),
            data_hash: "0".into(),
            head_kept: false,
            frozen: vec!["conv1".into(), "conv2*".into()],
            frozen_parameters: 1234,
        });
        let card = ModelCard {
            description: &description,
            reports: &[],
            config: &Config::default(),
            agreement: None,
        };
        let card = card.markdown().unwrap();
        for line in [
            "It began with the weights of the built-in model that was trained on FER2013 with FER+ votes \
             (SHA-256 of the model file `def`), with a new last layer.",
            "Frozen were `conv1`, `conv2*`, 1,234 parameters.",
            "Licence of the pictures: not known",
            "learned from FER2013 with FER+ votes. Licence of those pictures: unclear",
            "65 ± 5 %",
        ] {
            assert!(card.contains(line), "{line} is missing in:\n{card}");
        }
    }

    #[test]
    fn what_flatters_a_figure_stands_below_it_and_fer2013_gets_its_warnings() {
        let mut flattered = report();
        flattered.chosen_on_this_split = true;
        let card = card("FER2013 with FER+ votes", &[flattered]);
        assert!(card.contains("The test pictures also chose the temperature, which flatters loss"));
        assert!(card.contains("Licence of the pictures: unclear. FER2013 was collected"));
        assert!(card.contains("65 ± 5 %"));
    }

    #[test]
    fn a_network_that_nothing_judged_says_so() {
        let card = card("faces", &[]);
        assert!(card.contains("None: no picture was kept apart to judge by."));
    }
}
