//! What is written to `baselines.json`.

use fer_data::ClassNames;
use serde::{Deserialize, Serialize};

use super::Hog;
use crate::metrics::{PairedDifference, Report};
use crate::statistics::Interval;

/// The name of the file in a run directory.
pub const FILE: &str = "baselines.json";

/// Traditional methods, each trained and judged on the same pictures.
///
/// Serialises to the JSON object of `baselines.json` and `baseline --json`. It holds no clock reading.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baselines {
    /// What people call the data.
    pub data: String,
    /// The data's [hash](fer_data::Dataset::hash).
    pub data_hash: String,
    /// Which picture stands in which split, as a [hash](fer_data::Dataset::division_hash).
    pub division_hash: String,
    /// The split that judges: `train`, `validation` or `test`.
    pub split: String,
    /// The number of pictures that judge.
    pub n: u64,
    /// The number of pictures that trained.
    pub trained_on: u64,
    /// The split by whose accuracy each method's C was chosen; absent where C is fixed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen_on: Option<String>,
    /// The classes in order.
    pub class_names: ClassNames,
    /// The methods, from the simplest.
    pub methods: Vec<Baseline>,
    /// A network on the same pictures; absent where no table of its predictions lay in the directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against_network: Option<AgainstNetwork>,
}

/// One method with its figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// What it is.
    pub method: Method,
    /// What people call it, such as `linear SVM on HOG`.
    pub name: String,
    /// What it sees of a picture; absent for the majority class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<Features>,
    /// How it was regularised; absent for the majority class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regularisation: Option<Regularisation>,
    /// The figures. A linear method's scores count as logits, so that loss and calibration error can
    /// be compared with a network's: their softmax, at the temperature that fits validation best
    /// where there are pictures enough, are its probabilities.
    pub report: Report,
    /// The class named for each picture, an index into the class names, in the order of the split.
    pub predicted: Vec<usize>,
}

/// A traditional method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Names the class that most training pictures have.
    MajorityClass,
    /// Multinomial logistic regression.
    LogisticRegression,
    /// A linear support vector machine, one class against the rest.
    LinearSvm,
}

impl Method {
    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Method::MajorityClass => "majority class",
            Method::LogisticRegression => "logistic regression",
            Method::LinearSvm => "linear SVM",
        }
    }
}

/// What a method sees of a picture. Each feature is standardised by its mean and standard deviation
/// over the training pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum Features {
    /// The 48×48 grey values.
    Pixels {
        /// How many.
        count: usize,
    },
    /// Histograms of oriented gradients; see [`Hog`](super::Hog).
    Hog {
        /// How many.
        count: usize,
        /// How they are computed.
        #[serde(flatten)]
        settings: Hog,
    },
}

/// How a linear method was regularised, by an L2 penalty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Regularisation {
    /// The weight of the loss against the penalty, as in scikit-learn: the smaller, the more
    /// regularised.
    pub c: f64,
    /// Every C that was tried, ascending; empty where C is fixed.
    pub tried: Vec<Trial>,
    /// Whether the solver reached its tolerance at this C before its greatest number of passes.
    pub converged: bool,
}

/// One C that was tried.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The C.
    pub c: f64,
    /// The accuracy on the split that chooses, 0 to 1.
    pub accuracy: f64,
}

/// A network beside the methods, or why it is not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgainstNetwork {
    /// The network was judged on the very same pictures.
    Compared(NetworkFigures),
    /// In words, why the two cannot be compared.
    NotCompared(String),
}

/// A network's figures on the pictures that judge the methods, and how far it is ahead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkFigures {
    /// Its accuracy, 0 to 1.
    pub accuracy: f64,
    /// The Wilson interval of the accuracy; absent over no pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy_interval: Option<Interval>,
    /// Its [macro F1](crate::metrics::macro_f1).
    pub macro_f1: f64,
    /// The bootstrap interval of the macro F1; absent over no pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub macro_f1_interval: Option<Interval>,
    /// One a method, in their order.
    pub differences: Vec<NetworkDifference>,
}

/// The network against one method, picture by picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkDifference {
    /// The [name](Baseline::name) of the method.
    pub baseline: String,
    /// The network, the second of the two, less the method, the first.
    #[serde(flatten)]
    pub difference: PairedDifference,
}
