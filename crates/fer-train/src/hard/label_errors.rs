//! Likely label errors, by confident learning.

use serde::{Deserialize, Serialize};

use super::MOST;
use crate::predictions::{JudgedPicture, Predictions};

/// What a network holds against the labels of pictures that it was not trained on.
///
/// A class's threshold is the mean probability of that class over the pictures labelled so. A picture
/// counts as likely mislabelled where, among the classes whose probability reaches their threshold, the
/// most probable is not its label. Curtis G. Northcutt, Lu Jiang, Isaac L. Chuang: Confident Learning:
/// Estimating Uncertainty in Dataset Labels, Journal of Artificial Intelligence Research 70, 2021; the
/// count is what lies off the diagonal of their confident joint.
///
/// What a network doubts may as well be its own mistake: these are pictures for people to look at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelErrors {
    /// How many of the judged pictures the network was not trained on.
    pub n: u64,
    /// How many of these are likely mislabelled.
    pub count: u64,
    /// The thresholds, in the order of the classes.
    pub thresholds: Vec<ClassThreshold>,
    /// The likely mislabelled pictures with the lowest self-confidence, that first; at most
    /// [`MOST`](super::MOST).
    pub pictures: Vec<LabelError>,
}

/// How sure a network is of a class where it is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassThreshold {
    /// The class's name.
    pub name: String,
    /// The mean probability of the class over the pictures labelled so, in [0, 1]; null where there are
    /// none, and then no picture is taken for one of this class.
    pub threshold: Option<f64>,
}

/// A picture that is likely mislabelled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelError {
    /// Its place in `predictions.csv`, from 0.
    pub picture: usize,
    /// The name of its given class.
    pub label: String,
    /// The name of the class that it seems to be of.
    pub suggested: String,
    /// The probability of the given class, in [0, 1].
    pub self_confidence: f64,
    /// The probability of the suggested class, in [0, 1].
    pub suggested_probability: f64,
    /// The entropy of its votes in nats: high where people disagreed as well; absent where nobody
    /// voted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub votes_entropy: Option<f64>,
}

impl LabelErrors {
    /// Those among the pictures that were not trained on; `None` where all were.
    pub(super) fn find(
        predictions: &Predictions,
        trained_on: impl Fn(&JudgedPicture) -> bool,
    ) -> Option<Self> {
        let pictures = predictions.pictures.iter().enumerate();
        let unseen: Vec<(usize, &JudgedPicture)> = pictures
            .filter(|(_, picture)| !trained_on(picture))
            .collect();
        if unseen.is_empty() {
            return None;
        }
        let thresholds = thresholds(&unseen, predictions.class_names.len());
        let mut doubted: Vec<(usize, &JudgedPicture, usize)> = unseen
            .iter()
            .filter_map(|&(place, picture)| {
                Some((place, picture, suggested(picture, &thresholds)?))
            })
            .collect();
        let count = doubted.len() as u64;
        let confidence = |picture: &JudgedPicture| picture.probabilities[picture.label];
        doubted.sort_by(|one, other| confidence(one.1).total_cmp(&confidence(other.1)));
        doubted.truncate(MOST);
        let name = |class| predictions.class_names.name(class).to_string();
        Some(LabelErrors {
            n: unseen.len() as u64,
            count,
            thresholds: (thresholds.iter().enumerate())
                .map(|(class, &threshold)| ClassThreshold {
                    name: name(class),
                    threshold,
                })
                .collect(),
            pictures: doubted
                .into_iter()
                .map(|(place, picture, suggested)| LabelError {
                    picture: place,
                    label: name(picture.label),
                    suggested: name(suggested),
                    self_confidence: f64::from(confidence(picture)),
                    suggested_probability: f64::from(picture.probabilities[suggested]),
                    votes_entropy: picture.votes_entropy,
                })
                .collect(),
        })
    }
}

fn thresholds(pictures: &[(usize, &JudgedPicture)], classes: usize) -> Vec<Option<f64>> {
    let mut sums = vec![(0.0, 0_u64); classes];
    for (_, picture) in pictures {
        let (sum, count) = &mut sums[picture.label];
        *sum += f64::from(picture.probabilities[picture.label]);
        *count += 1;
    }
    let mean = |(sum, count): (f64, u64)| (count > 0).then(|| sum / count as f64);
    sums.into_iter().map(mean).collect()
}

/// The most probable of the classes that reach their threshold, where it is not the label.
fn suggested(picture: &JudgedPicture, thresholds: &[Option<f64>]) -> Option<usize> {
    let mut best: Option<usize> = None;
    for (class, &probability) in picture.probabilities.iter().enumerate() {
        let reaches = thresholds[class].is_some_and(|least| f64::from(probability) >= least);
        if reaches && best.is_none_or(|best| probability > picture.probabilities[best]) {
            best = Some(class);
        }
    }
    best.filter(|&class| class != picture.label)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::tests::predictions;
    use super::*;

    /// Thresholds: happy (0.9 + 0.8 + 0.1) / 3 = 0.6, sad (0.9 + 0.6 + 0.3) / 3 = 0.6.
    fn pictures() -> Predictions {
        predictions(&[(0, 0.9), (0, 0.8), (0, 0.1), (1, 0.1), (1, 0.4), (1, 0.7)])
    }

    #[test]
    fn doubted_are_those_that_reach_another_classes_threshold_the_least_confident_first() {
        let found = LabelErrors::find(&pictures(), |_| false).unwrap();
        assert_eq!((found.n, found.count), (6, 2));
        let thresholds: Vec<f64> = found
            .thresholds
            .iter()
            .filter_map(|it| it.threshold)
            .collect();
        assert!(
            thresholds
                .iter()
                .all(|threshold| (threshold - 0.6).abs() < 1e-6),
            "{thresholds:?}"
        );
        let places: Vec<usize> = found.pictures.iter().map(|it| it.picture).collect();
        assert_eq!(places, [2, 5]);
        assert_eq!(
            (&*found.pictures[0].label, &*found.pictures[0].suggested),
            ("happy", "sad")
        );
        assert!((found.pictures[0].self_confidence - 0.1).abs() < 1e-6);
        assert!((found.pictures[1].suggested_probability - 0.7).abs() < 1e-6);
    }

    #[test]
    fn a_mistake_below_the_threshold_of_its_class_is_no_label_error() {
        // Taken for sad, but by less than sad pictures are taken for sad.
        let found = LabelErrors::find(&predictions(&[(0, 0.9), (0, 0.4), (1, 0.1)]), |_| false);
        assert_eq!(found.unwrap().count, 0);
    }

    #[test]
    fn what_was_trained_on_is_left_out_and_a_class_without_pictures_is_never_suggested() {
        let trained = |picture: &JudgedPicture| picture.label == 1;
        let found = LabelErrors::find(&pictures(), trained).unwrap();
        assert_eq!((found.n, found.count), (3, 0));
        assert_eq!(found.thresholds[1].threshold, None);
        assert_eq!(LabelErrors::find(&pictures(), |_| true), None);
    }
}
