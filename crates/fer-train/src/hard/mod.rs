//! What is hard for a network: the file `hard.json` of a run directory.
//!
//! Classes and confusions in the order of their difficulty, the mistakes that the network was surest
//! of, and pictures whose given label it doubts. Pictures are named by their place in
//! [`predictions.csv`](crate::predictions), from 0.

mod label_errors;
mod ranking;

use serde::{Deserialize, Serialize};

use crate::metrics::Report;
use crate::predictions::{JudgedPicture, Predictions};

pub use label_errors::{ClassThreshold, LabelError, LabelErrors};
pub use ranking::{Confusion, LEAST_SUPPORT, RankedClass};

/// The name of the file in a run directory.
pub const FILE: &str = "hard.json";

/// How many entries each list has at most.
pub const MOST: usize = 24;

/// What is hard for a network, the hardest first in each list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hard {
    /// Name of the split: `train`, `validation`, `test` or `all`.
    pub split: String,
    /// The number of pictures.
    pub n: u64,
    /// The classes that have pictures, by recall.
    pub classes_by_recall: Vec<RankedClass>,
    /// The same classes by F1.
    pub classes_by_f1: Vec<RankedClass>,
    /// The confusions that occur, by how many pictures they concern; at most [`MOST`].
    pub confusions_by_count: Vec<Confusion>,
    /// The confusions of classes with at least [`LEAST_SUPPORT`] pictures, by their share of the true
    /// class; at most [`MOST`].
    pub confusions_by_rate: Vec<Confusion>,
    /// The mistakes of the highest probability; at most [`MOST`].
    pub confident_mistakes: Vec<Mistake>,
    /// What the network, asked about pictures that it was not trained on, holds against their labels;
    /// absent where it was trained on all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_errors: Option<LabelErrors>,
}

/// A picture taken for what it is not labelled as.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mistake {
    /// Its place in `predictions.csv`, from 0.
    pub picture: usize,
    /// The name of its given class.
    pub label: String,
    /// The name of the predicted class.
    pub predicted: String,
    /// The probability of the predicted class, in [0, 1].
    pub probability: f64,
    /// The entropy of its votes in nats; absent where nobody voted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub votes_entropy: Option<f64>,
}

impl Hard {
    /// What `report` and `predictions`, both of the same pictures, show to be hard. `trained_on` tells of
    /// a picture whether the network was trained on it.
    pub fn new(
        report: &Report,
        predictions: &Predictions,
        trained_on: impl Fn(&JudgedPicture) -> bool,
    ) -> Self {
        Hard {
            split: report.split.clone(),
            n: report.n,
            classes_by_recall: ranking::by_recall(report),
            classes_by_f1: ranking::by_f1(report),
            confusions_by_count: ranking::by_count(report),
            confusions_by_rate: ranking::by_rate(report),
            confident_mistakes: confident_mistakes(predictions),
            label_errors: LabelErrors::find(predictions, trained_on),
        }
    }

    /// The places of all pictures that a list names, from 0; some of them twice.
    pub fn pictures(&self) -> Vec<usize> {
        let mistakes = self.confident_mistakes.iter().map(|one| one.picture);
        let doubted = self.label_errors.iter().flat_map(|found| &found.pictures);
        mistakes.chain(doubted.map(|one| one.picture)).collect()
    }
}

fn confident_mistakes(predictions: &Predictions) -> Vec<Mistake> {
    let pictures = predictions.pictures.iter().enumerate();
    let mut wrong: Vec<(usize, &JudgedPicture)> = pictures
        .filter(|(_, picture)| !picture.is_right())
        .collect();
    wrong.sort_by(|(_, one), (_, other)| other.probability().total_cmp(&one.probability()));
    wrong.truncate(MOST);
    let name = |class| predictions.class_names.name(class).to_string();
    wrong
        .into_iter()
        .map(|(place, picture)| Mistake {
            picture: place,
            label: name(picture.label),
            predicted: name(picture.predicted),
            probability: f64::from(picture.probability()),
            votes_entropy: picture.votes_entropy,
        })
        .collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
pub(crate) mod tests {
    use fer_data::{ClassNames, Split};

    use super::*;
    use crate::metrics::Metrics;

    /// Pictures of two classes, each with its label and the probability of `happy`.
    pub(crate) fn predictions(pictures: &[(usize, f32)]) -> Predictions {
        let judged = pictures.iter().enumerate();
        Predictions {
            class_names: ClassNames::new(["happy", "sad"]).unwrap(),
            pictures: judged
                .map(|(place, &(label, happy))| JudgedPicture {
                    picture: place.to_string(),
                    split: if place == 0 {
                        Split::Train
                    } else {
                        Split::Test
                    },
                    label,
                    predicted: usize::from(happy < 0.5),
                    copy_of_train: false,
                    votes_entropy: (place == 1).then_some(0.5),
                    probabilities: vec![happy, 1.0 - happy],
                })
                .collect(),
        }
    }

    fn report(predictions: &Predictions) -> Report {
        let mut metrics = Metrics::new(&predictions.class_names);
        for picture in &predictions.pictures {
            let rows: Vec<f32> = picture.probabilities.iter().map(|p| p.ln()).collect();
            metrics.update(&[picture.label], &[0.5; 2], &rows).unwrap();
        }
        metrics.compute("all", false)
    }

    #[test]
    fn the_surest_mistakes_come_first_and_name_their_row() {
        let predictions = predictions(&[(0, 0.9), (1, 0.6), (1, 0.95), (0, 0.2), (1, 0.1)]);
        let hard = Hard::new(&report(&predictions), &predictions, |_| true);
        let places: Vec<usize> = hard
            .confident_mistakes
            .iter()
            .map(|it| it.picture)
            .collect();
        assert_eq!(places, [2, 3, 1]);
        assert_eq!(hard.confident_mistakes[2].votes_entropy, Some(0.5));
        assert_eq!(hard.confident_mistakes[1].predicted, "sad");
        assert!(hard.label_errors.is_none(), "all of them trained it");
        let json = serde_json::to_string(&hard).unwrap();
        assert_eq!(serde_json::from_str::<Hard>(&json).unwrap(), hard);
    }

    #[test]
    fn a_list_ends_after_its_most() {
        let many: Vec<(usize, f32)> = (0..60)
            .map(|place| (1, 0.5 + place as f32 / 200.0))
            .collect();
        let predictions = predictions(&many);
        let hard = Hard::new(&report(&predictions), &predictions, |_| false);
        assert_eq!(hard.confident_mistakes.len(), MOST);
        assert_eq!(hard.confident_mistakes[0].picture, 59);
    }
}
