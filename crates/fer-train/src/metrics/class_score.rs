//! Precision, recall and F1 of each class.

use serde::{Deserialize, Serialize};

use super::confusion::{ConfusionMatrix, ratio};

/// What a network makes of one class. A value whose denominator is 0 is 0.0, as scikit-learn's
/// `zero_division=0` has it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassScore {
    /// Of the pictures taken for this class, the share that are of it, in [0, 1]; 0 where none was
    /// taken for it.
    pub precision: f64,
    /// Of the pictures of this class, the share taken for it, in [0, 1]; 0 where there are none.
    pub recall: f64,
    /// The harmonic mean of precision and recall, in [0, 1]; 0 where the class is neither in the
    /// truth nor predicted.
    pub f1: f64,
    /// The number of pictures of this class.
    pub support: u64,
}

/// The score of every class, in the order of the matrix.
pub fn class_scores(matrix: &ConfusionMatrix) -> Vec<ClassScore> {
    (0..matrix.classes())
        .map(|class| class_score(matrix, class))
        .collect()
}

fn class_score(matrix: &ConfusionMatrix, class: usize) -> ClassScore {
    let (hits, support, predicted) = (
        matrix.hits(class),
        matrix.support(class),
        matrix.predicted(class),
    );
    ClassScore {
        precision: ratio(hits, predicted),
        recall: ratio(hits, support),
        f1: ratio(2 * hits, support + predicted),
        support,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix() -> ConfusionMatrix {
        let mut matrix = ConfusionMatrix::new(4);
        // Class 2 is predicted and absent from the truth, class 3 is neither.
        for (truth, predicted) in [(0, 0), (0, 1), (0, 1), (0, 2), (1, 1)] {
            matrix.add(truth, predicted);
        }
        matrix
    }

    #[test]
    fn precision_is_over_the_column_and_recall_over_the_row() {
        let scores = class_scores(&matrix());
        assert_eq!((scores[0].precision, scores[0].recall), (1.0, 0.25));
        assert_eq!((scores[1].precision, scores[1].recall), (1.0 / 3.0, 1.0));
        assert_eq!((scores[0].f1, scores[1].f1), (0.4, 0.5));
        assert_eq!((scores[0].support, scores[1].support), (4, 1));
    }

    #[test]
    fn undefined_scores_are_zero() {
        let scores = class_scores(&matrix());
        let nothing = ClassScore {
            precision: 0.0,
            recall: 0.0,
            f1: 0.0,
            support: 0,
        };
        assert_eq!(scores[2..], [nothing, nothing]);
    }
}
