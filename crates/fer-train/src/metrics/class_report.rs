//! One class in a report.

use serde::{Deserialize, Serialize};

use super::ClassScore;
use super::confusion::ConfusionMatrix;
use crate::statistics::{Interval, wilson};

/// A class with fewer pictures than this is too small to say anything about.
pub const LEAST_PICTURES_OF_CLASS: u64 = 10;

/// One class's figures with its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassReport {
    /// The class's name.
    pub name: String,
    /// Its figures, in JSON beside the name.
    #[serde(flatten)]
    pub score: ClassScore,
    /// The Wilson interval of the precision; absent where no picture was taken for the class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision_interval: Option<Interval>,
    /// The Wilson interval of the recall; absent where there is no picture of the class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recall_interval: Option<Interval>,
    /// The bootstrap interval of F1; absent where the class is neither in the truth nor predicted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub f1_interval: Option<Interval>,
    /// Whether the class has fewer than [`LEAST_PICTURES_OF_CLASS`] pictures, so that its figures say
    /// too little to be told to people. In JSON only where it has.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub too_few: bool,
}

impl ClassReport {
    /// Class number `class` of the matrix, with its intervals; that of F1 comes from a bootstrap.
    pub(crate) fn new(
        name: &str,
        score: ClassScore,
        matrix: &ConfusionMatrix,
        class: usize,
        f1_interval: Option<Interval>,
    ) -> Self {
        let (hits, predicted) = (matrix.hits(class), matrix.predicted(class));
        ClassReport {
            name: name.to_string(),
            score,
            precision_interval: wilson(hits, predicted),
            recall_interval: wilson(hits, score.support),
            f1_interval: f1_interval.filter(|_| score.support + predicted > 0),
            too_few: score.support < LEAST_PICTURES_OF_CLASS,
        }
    }
}
