//! Which class was taken for which.

use serde::{Deserialize, Serialize};

/// Counts of pictures by true class and predicted class: rows true, columns predicted.
///
/// The orientation is scikit-learn's. Serialised as the array of its rows.
///
/// ```
/// use fer_train::metrics::ConfusionMatrix;
///
/// let mut matrix = ConfusionMatrix::new(2);
/// matrix.add(0, 1);
/// matrix.add(0, 1);
/// matrix.add(1, 1);
/// assert_eq!(matrix.rows(), [[0, 2], [0, 1]]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Vec<u64>>", into = "Vec<Vec<u64>>")]
pub struct ConfusionMatrix {
    rows: Vec<Vec<u64>>,
}

impl ConfusionMatrix {
    /// A matrix of zeros for this many classes.
    pub fn new(classes: usize) -> Self {
        Self {
            rows: vec![vec![0; classes]; classes],
        }
    }

    /// Counts one picture of class `truth` that was taken for class `predicted`.
    ///
    /// # Panics
    /// Where either index is not below [`classes`](Self::classes).
    pub fn add(&mut self, truth: usize, predicted: usize) {
        self.rows[truth][predicted] += 1;
    }

    /// Adds the counts of another matrix to this one.
    ///
    /// # Panics
    /// Where the two are not over the same number of classes.
    pub fn merge(&mut self, other: &Self) {
        assert_eq!(self.classes(), other.classes(), "number of classes");
        let counts = self.rows.iter_mut().flatten();
        for (count, more) in counts.zip(other.rows.iter().flatten()) {
            *count += more;
        }
    }

    /// The number of classes: of rows, and of columns.
    pub fn classes(&self) -> usize {
        self.rows.len()
    }

    /// The counts, `rows()[true][predicted]`.
    pub fn rows(&self) -> &[Vec<u64>] {
        &self.rows
    }

    /// The number of pictures counted.
    pub fn total(&self) -> u64 {
        self.rows.iter().flatten().sum()
    }

    /// The number of pictures that were taken for what they are, the diagonal's sum.
    pub fn correct(&self) -> u64 {
        (0..self.classes()).map(|class| self.hits(class)).sum()
    }

    /// The share of pictures taken for what they are, in [0, 1]; 0 where there are none.
    pub fn accuracy(&self) -> f64 {
        ratio(self.correct(), self.total())
    }

    /// Pictures of `class` taken for `class`.
    pub(crate) fn hits(&self, class: usize) -> u64 {
        self.rows[class][class]
    }

    /// Pictures of `class`, its row's sum.
    pub(crate) fn support(&self, class: usize) -> u64 {
        self.rows[class].iter().sum()
    }

    /// Pictures taken for `class`, its column's sum.
    pub(crate) fn predicted(&self, class: usize) -> u64 {
        self.rows.iter().map(|row| row[class]).sum()
    }
}

impl From<ConfusionMatrix> for Vec<Vec<u64>> {
    fn from(matrix: ConfusionMatrix) -> Self {
        matrix.rows
    }
}

impl TryFrom<Vec<Vec<u64>>> for ConfusionMatrix {
    type Error = String;

    fn try_from(rows: Vec<Vec<u64>>) -> Result<Self, Self::Error> {
        let classes = rows.len();
        match rows.iter().position(|row| row.len() != classes) {
            None => Ok(Self { rows }),
            Some(row) => Err(format!(
                "expected a square confusion matrix of {classes} rows, row {row} has {} columns",
                rows[row].len()
            )),
        }
    }
}

/// `part / whole`, and 0 where the whole is 0.
pub(crate) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn matrix(rows: &[&[u64]]) -> ConfusionMatrix {
        let rows: Vec<Vec<u64>> = rows.iter().map(|row| row.to_vec()).collect();
        rows.try_into().unwrap()
    }

    #[test]
    fn rows_are_true_and_columns_predicted() {
        let mut counted = ConfusionMatrix::new(3);
        for (truth, predicted) in [(0, 2), (0, 2), (0, 0), (1, 0), (2, 2)] {
            counted.add(truth, predicted);
        }
        assert_eq!(counted, matrix(&[&[1, 0, 2], &[1, 0, 0], &[0, 0, 1]]));
        assert_eq!((counted.support(0), counted.predicted(0)), (3, 2));
        assert_eq!((counted.support(2), counted.predicted(2)), (1, 3));
        assert_eq!((counted.correct(), counted.total()), (2, 5));
        assert_eq!(counted.accuracy(), 0.4);
    }

    #[test]
    fn merging_adds_every_count() {
        let mut left = matrix(&[&[1, 2], &[3, 4]]);
        left.merge(&matrix(&[&[10, 0], &[0, 20]]));
        assert_eq!(left, matrix(&[&[11, 2], &[3, 24]]));
    }

    #[test]
    #[should_panic(expected = "number of classes")]
    fn matrices_over_other_classes_do_not_merge() {
        ConfusionMatrix::new(7).merge(&ConfusionMatrix::new(8));
    }

    #[test]
    #[should_panic(expected = "index out of bounds")]
    fn a_label_beyond_the_classes_panics() {
        ConfusionMatrix::new(7).add(0, 7);
    }

    #[test]
    fn nothing_counted_has_accuracy_zero() {
        assert_eq!(ConfusionMatrix::new(8).accuracy(), 0.0);
    }

    #[test]
    fn a_matrix_that_is_not_square_is_refused_with_its_row() {
        let read = serde_json::from_str::<ConfusionMatrix>("[[1,2],[3]]");
        let message = read.unwrap_err().to_string();
        assert!(message.contains("row 1 has 1 columns"), "{message}");
    }
}
