//! F1 over all classes.

use super::{ClassScore, ConfusionMatrix, class_scores};

/// The mean F1 of the classes present in the truth or among the predictions, in [0, 1]; 0 where
/// there are none.
///
/// scikit-learn's `f1_score(true, predicted, average="macro", zero_division=0)`. A class absent
/// from both is left out; one that is only predicted, or never predicted, counts as 0.
pub fn macro_f1(matrix: &ConfusionMatrix) -> f64 {
    let (mut sum, mut present) = (0.0, 0_u32);
    for (class, score) in class_scores(matrix).iter().enumerate() {
        if score.support + matrix.predicted(class) > 0 {
            sum += score.f1;
            present += 1;
        }
    }
    sum / f64::from(present.max(1))
}

/// The mean F1 of the classes weighted by their numbers of pictures, in [0, 1]; 0 where there are
/// none.
///
/// scikit-learn's `f1_score(true, predicted, average="weighted", zero_division=0)`.
pub fn weighted_f1(matrix: &ConfusionMatrix) -> f64 {
    let weighted = |score: &ClassScore| score.f1 * score.support as f64;
    let sum: f64 = class_scores(matrix).iter().map(weighted).sum();
    sum / matrix.total().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F1 of class 0: 2·3 / (4 + 3), of class 1: 2·1 / (1 + 2); class 2 is absent from both.
    fn matrix() -> ConfusionMatrix {
        let mut matrix = ConfusionMatrix::new(3);
        for (truth, predicted) in [(0, 0), (0, 0), (0, 0), (0, 1), (1, 1)] {
            matrix.add(truth, predicted);
        }
        matrix
    }

    #[test]
    fn macro_f1_leaves_out_a_class_that_nobody_mentions() {
        assert_eq!(macro_f1(&matrix()), (6.0 / 7.0 + 2.0 / 3.0) / 2.0);
    }

    #[test]
    fn macro_f1_counts_a_class_that_is_only_predicted() {
        let mut matrix = matrix();
        matrix.add(0, 2);
        assert_eq!(macro_f1(&matrix), (6.0 / 8.0 + 2.0 / 3.0) / 3.0);
    }

    #[test]
    fn weighted_f1_weighs_by_the_truth() {
        let expected = 0.8 * (6.0 / 7.0) + 0.2 * (2.0 / 3.0);
        assert!((weighted_f1(&matrix()) - expected).abs() < 1e-15);
    }

    #[test]
    fn nothing_counted_scores_zero() {
        let empty = ConfusionMatrix::new(8);
        assert_eq!((macro_f1(&empty), weighted_f1(&empty)), (0.0, 0.0));
    }
}
