//! How good a network is under blur, noise, darkness and other [situations](fer_data::Situation).

use serde::{Deserialize, Serialize};

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
    /// The situations, in the order of [`Situation::ALL`](fer_data::Situation::ALL).
    pub situations: Vec<SituationFigures>,
    /// Whether anything about the model (its epoch or its temperature) was chosen by its figures on
    /// these very pictures, which flatters them.
    pub chosen_on_this_split: bool,
}

/// The figures in one situation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SituationFigures {
    /// The situation's name, such as `low contrast`.
    pub name: String,
    /// What a strength counts, such as `standard deviation in pixels`.
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
    /// Wilson's 95 % interval of the accuracy, lower and upper end in [0, 1].
    pub accuracy_interval: [f64; 2],
    /// The unweighted mean of the classes' F1, in [0, 1].
    pub macro_f1: f64,
}
