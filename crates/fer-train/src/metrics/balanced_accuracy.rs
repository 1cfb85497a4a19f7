//! Accuracy that a common class cannot buy.

use super::{ConfusionMatrix, class_scores};

/// The mean recall of the classes present in the truth, in [0, 1]; 0 where there are none.
///
/// scikit-learn's `balanced_accuracy_score`: classes that the truth lacks are left out, predicted
/// or not. Guessing gives 1 / (number of classes), whatever their shares.
pub fn balanced_accuracy(matrix: &ConfusionMatrix) -> f64 {
    let (mut sum, mut present) = (0.0, 0_u32);
    for score in class_scores(matrix) {
        if score.support > 0 {
            sum += score.recall;
            present += 1;
        }
    }
    sum / f64::from(present.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_in_the_truth_weighs_the_same() {
        let mut matrix = ConfusionMatrix::new(3);
        for (truth, predicted) in [(0, 0), (0, 0), (0, 0), (0, 2), (1, 0)] {
            matrix.add(truth, predicted);
        }
        assert_eq!(balanced_accuracy(&matrix), (0.75 + 0.0) / 2.0);
        assert_eq!(matrix.accuracy(), 0.6);
    }

    #[test]
    fn nothing_counted_scores_zero() {
        assert_eq!(balanced_accuracy(&ConfusionMatrix::new(8)), 0.0);
    }
}
