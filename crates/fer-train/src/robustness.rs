//! How good a network is under blur, noise, darkness and other [situations](Situation).

use anyhow::{Context, Result};
use candle_core::Device;
use fer_data::{Dataset, Situation};
use fer_model::Network;
use serde::{Deserialize, Serialize};

use crate::evaluation::{Evaluation, evaluate, evaluate_disturbed};
use crate::metrics::macro_f1;
use crate::statistics::{Interval, wilson};

/// A network and the pictures on which it is tried.
pub struct Trial<'a> {
    /// The network.
    pub network: &'a dyn Network,
    /// Where the pictures are from.
    pub dataset: &'a Dataset,
    /// The pictures' indices in the data set.
    pub indices: &'a [usize],
    /// Where to compute.
    pub device: &'a Device,
    /// Seed of the noise and of the directions of the rotations.
    pub seed: u64,
}

impl Trial<'_> {
    /// The figures on the pictures as they are.
    ///
    /// # Errors
    /// No picture, one that cannot be read, a prediction that is not finite, or a device that fails.
    pub fn undisturbed(&self) -> Result<Figures> {
        let indices = self.indices.to_vec();
        let evaluation = evaluate(self.network, self.dataset, indices, self.device)?;
        Figures::of(&evaluation)
    }

    /// The figures in a situation, at each of its strengths.
    ///
    /// # Errors
    /// As [`undisturbed`](Self::undisturbed).
    pub fn situation(&self, situation: Situation) -> Result<SituationFigures> {
        let at = |strength: f64| -> Result<StrengthFigures> {
            let evaluation = evaluate_disturbed(
                self.network,
                self.dataset,
                self.indices.to_vec(),
                situation.at(strength, self.seed),
                self.device,
            )?;
            Ok(StrengthFigures {
                strength,
                figures: Figures::of(&evaluation)?,
            })
        };
        let strengths = situation.strengths().into_iter().map(at);
        let strengths: Vec<StrengthFigures> = strengths.collect::<Result<_>>()?;
        let figures = strengths.iter().map(|strength| strength.figures);
        Ok(SituationFigures {
            name: situation.name().to_string(),
            unit: situation.unit().to_string(),
            mean_accuracy: mean(figures.clone().map(|figures| figures.accuracy)),
            mean_macro_f1: mean(figures.map(|figures| figures.macro_f1)),
            strengths,
        })
    }
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len().max(1) as f64;
    values.sum::<f64>() / count
}

/// A network's figures on the same pictures undisturbed and in every situation, each at five
/// strengths; the content of `robustness.json`.
///
/// The model for it is ImageNet-C (Hendrycks & Dietterich 2019, "Benchmarking neural network
/// robustness to common corruptions and perturbations").
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Robustness {
    /// Name of the split: `train`, `validation`, `test` or `all`.
    pub split: String,
    /// The number of pictures, the same everywhere.
    pub n: u64,
    /// Seed of the noise and of the directions of the rotations.
    pub seed: u64,
    /// The figures on the pictures as they are.
    pub undisturbed: Figures,
    /// The mean accuracy over the situations, in [0, 1]: 1 less the mean corruption error of
    /// ImageNet-C where it is not measured against another network's.
    pub mean_accuracy: f64,
    /// The mean macro F1 over the situations, in [0, 1].
    pub mean_macro_f1: f64,
    /// The situations, in the order of [`Situation::ALL`].
    pub situations: Vec<SituationFigures>,
    /// Whether anything about the model (its epoch or its temperature) was chosen by its figures on
    /// these very pictures, which flatters them.
    pub chosen_on_this_split: bool,
}

impl Robustness {
    /// The figures of a trial put together, with their means over the situations; `split` is the name
    /// of the pictures' split, `chosen_on_this_split` whether anything of the model was chosen on
    /// them.
    pub fn new(
        trial: &Trial<'_>,
        split: &str,
        undisturbed: Figures,
        situations: Vec<SituationFigures>,
        chosen_on_this_split: bool,
    ) -> Self {
        Robustness {
            split: split.to_string(),
            n: trial.indices.len() as u64,
            seed: trial.seed,
            undisturbed,
            mean_accuracy: mean(situations.iter().map(|one| one.mean_accuracy)),
            mean_macro_f1: mean(situations.iter().map(|one| one.mean_macro_f1)),
            situations,
            chosen_on_this_split,
        }
    }

    /// The content of `robustness.json`.
    ///
    /// # Errors
    /// None that can happen with finite figures.
    pub fn json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

/// The figures in one situation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SituationFigures {
    /// The situation's name, such as `low contrast`.
    pub name: String,
    /// What a strength counts, such as `pixels of standard deviation`.
    pub unit: String,
    /// The mean accuracy over the strengths, in [0, 1].
    pub mean_accuracy: f64,
    /// The mean macro F1 over the strengths, in [0, 1].
    pub mean_macro_f1: f64,
    /// From the weakest to the strongest.
    pub strengths: Vec<StrengthFigures>,
}

/// The figures at one strength of a situation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StrengthFigures {
    /// How strong, in the situation's unit.
    pub strength: f64,
    /// The figures, in JSON beside the strength.
    #[serde(flatten)]
    pub figures: Figures,
}

/// What is told of one pass over the pictures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// The share of pictures taken for what they are, in [0, 1].
    pub accuracy: f64,
    /// Wilson's 95 % interval of the accuracy, its ends in [0, 1].
    pub accuracy_interval: Interval,
    /// The unweighted mean of the classes' F1, in [0, 1].
    pub macro_f1: f64,
}

impl Figures {
    fn of(evaluation: &Evaluation) -> Result<Self> {
        let confusion = evaluation.metrics.confusion();
        let interval = wilson(confusion.correct(), confusion.total());
        Ok(Figures {
            accuracy: confusion.accuracy(),
            accuracy_interval: interval.context("there is no picture to judge on")?,
            macro_f1: macro_f1(confusion),
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn robustness() -> Robustness {
        let figures = |right| Figures {
            accuracy: right as f64 / 8.0,
            accuracy_interval: wilson(right, 8).unwrap(),
            macro_f1: 0.25,
        };
        Robustness {
            split: "test".into(),
            n: 8,
            seed: 3,
            undisturbed: figures(8),
            mean_accuracy: 0.5,
            mean_macro_f1: 0.25,
            situations: vec![SituationFigures {
                name: "blur".into(),
                unit: "pixels".into(),
                mean_accuracy: 0.5,
                mean_macro_f1: 0.25,
                strengths: vec![StrengthFigures {
                    strength: 0.5,
                    figures: figures(4),
                }],
            }],
            chosen_on_this_split: true,
        }
    }

    #[test]
    fn the_json_has_the_documented_keys_and_is_read_back_to_the_last_digit() {
        let robustness = robustness();
        let value = serde_json::to_value(&robustness).unwrap();
        let strength = &value["situations"][0]["strengths"][0];
        assert_eq!(
            (&strength["strength"], &strength["accuracy"]),
            (&0.5.into(), &0.5.into())
        );
        assert_eq!(
            strength["accuracy_interval"]["high"]
                .as_f64()
                .map(|high| high > 0.7),
            Some(true)
        );
        assert_eq!(value["undisturbed"]["macro_f1"], 0.25);
        let read: Robustness = serde_json::from_str(&robustness.json().unwrap()).unwrap();
        assert_eq!(read, robustness);
    }

    #[test]
    fn means_are_over_what_there_is() {
        assert_eq!(mean([0.5, 1.0].into_iter()), 0.75);
        assert_eq!(mean([].into_iter()), 0.0);
    }
}
