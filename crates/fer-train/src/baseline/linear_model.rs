//! What linear methods learn.

use fer_model::most_probable;
use rayon::prelude::*;

use super::FeatureMatrix;

/// One weighted sum of the features a class.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearModel {
    /// (classes, features) row-major.
    pub weights: Vec<f64>,
    /// (classes).
    pub intercepts: Vec<f64>,
}

impl LinearModel {
    /// The sums for each picture: (pictures, classes) row-major.
    ///
    /// # Panics
    /// Where the pictures have another number of features than the weights.
    pub fn scores(&self, pictures: &FeatureMatrix) -> Vec<f32> {
        let (features, classes) = (pictures.features(), self.intercepts.len());
        assert_eq!(self.weights.len(), classes * features, "number of weights");
        let mut scores = vec![0.0; pictures.pictures() * classes];
        let rows = scores.par_chunks_exact_mut(classes.max(1)).enumerate();
        rows.for_each(|(picture, scores)| {
            let classes = self.weights.chunks_exact(features).zip(&self.intercepts);
            for (score, (weights, intercept)) in scores.iter_mut().zip(classes) {
                *score = (dot(weights, pictures.row(picture)) + intercept) as f32;
            }
        });
        scores
    }

    /// The class with the greatest sum of each picture, the first of equals.
    ///
    /// # Panics
    /// Where the pictures have another number of features than the weights.
    pub fn predict(&self, pictures: &FeatureMatrix) -> Vec<usize> {
        let scores = self.scores(pictures);
        scores
            .chunks_exact(self.intercepts.len())
            .map(most_probable)
            .collect()
    }
}

/// Numbers that are added up side by side, which the compiler turns into vector instructions.
pub(super) const LANES: usize = 8;

/// The inner product.
pub(super) fn dot(weights: &[f64], row: &[f32]) -> f64 {
    let mut sums = [0.0; LANES];
    let (weights, last_weights) = weights.as_chunks::<LANES>();
    let (row, last) = row.as_chunks::<LANES>();
    for (weights, row) in weights.iter().zip(row) {
        for lane in 0..LANES {
            sums[lane] += weights[lane] * f64::from(row[lane]);
        }
    }
    let last = last_weights.iter().zip(last);
    sums.iter().sum::<f64>()
        + last
            .map(|(weight, &value)| weight * f64::from(value))
            .sum::<f64>()
}

/// Adds a multiple of a row to weights.
pub(super) fn add(weights: &mut [f64], factor: f64, row: &[f32]) {
    for (weight, &value) in weights.iter_mut().zip(row) {
        *weight += factor * f64::from(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inner_product_takes_every_number_once() {
        for length in [0, 1, 7, 8, 9, 27] {
            let weights: Vec<f64> = (0..length).map(|place| f64::from(place) - 3.0).collect();
            let row: Vec<f32> = (0..length).map(|place| (2 * place) as f32).collect();
            let expected: f64 = (0..length)
                .map(|place| f64::from((place - 3) * 2 * place))
                .sum();
            assert_eq!(dot(&weights, &row), expected, "{length}");
        }
    }

    #[test]
    fn scores_are_weights_times_features_and_the_intercept() {
        let model = LinearModel {
            weights: vec![1.0, 2.0, -1.0, 0.5],
            intercepts: vec![10.0, 20.0],
        };
        let pictures = FeatureMatrix::new(2, vec![3.0, 4.0, 0.0, 2.0]);
        assert_eq!(model.scores(&pictures), [21.0, 19.0, 14.0, 21.0]);
    }
}
