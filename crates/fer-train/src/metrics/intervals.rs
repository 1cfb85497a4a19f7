//! Bootstrap intervals of the figures that are no plain shares.

use super::{ConfusionMatrix, balanced_accuracy, class_scores, macro_f1, weighted_f1};
use crate::statistics::{Bootstrap, Interval};

/// The intervals of one set of pictures. A class so rare that resamples lack it is left out of their
/// macro F1 and balanced accuracy, as scikit-learn has it, which widens these and may lift their upper ends.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreIntervals {
    /// Of [`macro_f1`].
    pub macro_f1: Interval,
    /// Of [`weighted_f1`].
    pub weighted_f1: Interval,
    /// Of [`balanced_accuracy`].
    pub balanced_accuracy: Interval,
    /// Of each class's F1, in the order of the matrix.
    pub f1: Vec<Interval>,
}

impl ScoreIntervals {
    /// Resamples the pictures that the matrix counts; `None` where it counts none. Their order does
    /// not matter to the figures, so the matrix is all there is to know of them.
    pub fn new(matrix: &ConfusionMatrix, bootstrap: &Bootstrap) -> Option<Self> {
        let pairs = pairs(matrix);
        let classes = matrix.classes();
        let figures = |indices: &[usize]| scores(&resampled(&pairs, classes, indices));
        Self::of(bootstrap.intervals(pairs.len(), figures))
    }

    /// From the intervals of what [`scores`] gives, in its order.
    pub fn of(intervals: Vec<Interval>) -> Option<Self> {
        let mut intervals = intervals.into_iter();
        Some(Self {
            macro_f1: intervals.next()?,
            weighted_f1: intervals.next()?,
            balanced_accuracy: intervals.next()?,
            f1: intervals.collect(),
        })
    }
}

/// Macro F1, weighted F1, balanced accuracy, and the F1 of each class.
pub fn scores(matrix: &ConfusionMatrix) -> Vec<f64> {
    let averages = [
        macro_f1(matrix),
        weighted_f1(matrix),
        balanced_accuracy(matrix),
    ];
    let classes = class_scores(matrix);
    let classes = classes.iter().map(|score| score.f1);
    averages.into_iter().chain(classes).collect()
}

/// The matrix of the (true, predicted) pairs at these indices, each counted as often as it is named.
///
/// # Panics
/// Where an index is not below the number of pairs, or a class not below `classes`.
pub fn resampled(pairs: &[(usize, usize)], classes: usize, indices: &[usize]) -> ConfusionMatrix {
    let mut matrix = ConfusionMatrix::new(classes);
    for &index in indices {
        let (truth, predicted) = pairs[index];
        matrix.add(truth, predicted);
    }
    matrix
}

fn pairs(matrix: &ConfusionMatrix) -> Vec<(usize, usize)> {
    let mut pairs = Vec::with_capacity(matrix.total() as usize);
    for (truth, row) in matrix.rows().iter().enumerate() {
        for (predicted, &count) in row.iter().enumerate() {
            pairs.extend((0..count).map(|_| (truth, predicted)));
        }
    }
    pairs
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn intervals_hold_their_figures_and_a_rare_class_has_the_widest() {
        let rows = vec![vec![90, 6, 4], vec![8, 60, 2], vec![1, 2, 4]];
        let matrix = ConfusionMatrix::try_from(rows).unwrap();
        let found = ScoreIntervals::new(&matrix, &Bootstrap::default()).unwrap();
        let figures = scores(&matrix);
        assert!(found.macro_f1.contains(figures[0]));
        assert!(found.weighted_f1.contains(figures[1]));
        assert!(found.balanced_accuracy.contains(figures[2]));
        let width = |interval: &Interval| interval.high - interval.low;
        for (interval, &figure) in found.f1.iter().zip(&figures[3..]) {
            assert!(interval.contains(figure) && width(interval) > 0.0);
        }
        assert!(width(&found.f1[2]) > 2.0 * width(&found.f1[0]));
        assert!(width(&found.weighted_f1) < width(&found.macro_f1));
    }

    #[test]
    fn the_pairs_of_a_matrix_give_it_back() {
        let matrix = ConfusionMatrix::try_from(vec![vec![2, 0], vec![3, 1]]).unwrap();
        let pairs = pairs(&matrix);
        let all: Vec<usize> = (0..pairs.len()).collect();
        assert_eq!(resampled(&pairs, 2, &all), matrix);
        assert_eq!(
            resampled(&pairs, 2, &[0, 0, 5]).rows(),
            [vec![2, 0], vec![0, 1]]
        );
    }

    #[test]
    fn nothing_counted_has_no_intervals() {
        let nothing = ConfusionMatrix::new(3);
        assert_eq!(ScoreIntervals::new(&nothing, &Bootstrap::default()), None);
    }
}
