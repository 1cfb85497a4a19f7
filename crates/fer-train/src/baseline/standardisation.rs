//! Features of mean 0 and deviation 1.

use rayon::prelude::*;

use super::FeatureMatrix;

/// Pictures whose sums are taken together; their order is fixed, so the bits are.
const PART: usize = 512;

/// Takes each feature's mean away and divides by its standard deviation, both over the pictures that
/// it was fitted on; scikit-learn's `StandardScaler`. A feature without deviation becomes 0 there.
#[derive(Clone, Debug, PartialEq)]
pub struct Standardisation {
    mean: Vec<f64>,
    deviation: Vec<f64>,
}

impl Standardisation {
    /// Learns from training pictures.
    pub fn fit(matrix: &FeatureMatrix) -> Self {
        let pictures = matrix.pictures().max(1) as f64;
        let divided = |sums: Vec<f64>| sums.into_iter().map(move |sum| sum / pictures);
        let mean: Vec<f64> = divided(sums(matrix, |_, value| value)).collect();
        let variance = divided(sums(matrix, |feature, value| {
            let distance = value - mean[feature];
            distance * distance
        }));
        let deviation = variance.map(f64::sqrt);
        Standardisation {
            deviation: deviation
                .map(|deviation| if deviation > 0.0 { deviation } else { 1.0 })
                .collect(),
            mean,
        }
    }

    /// Standardises pictures in place.
    ///
    /// # Panics
    /// Where these have another number of features.
    pub fn apply(&self, matrix: &mut FeatureMatrix) {
        assert_eq!(matrix.features(), self.mean.len(), "number of features");
        matrix.rows_mut().for_each(|row| {
            let scales = self.mean.iter().zip(&self.deviation);
            for (value, (mean, deviation)) in row.iter_mut().zip(scales) {
                *value = ((f64::from(*value) - mean) / deviation) as f32;
            }
        });
    }
}

/// The sum over pictures of what `term` makes of each feature and value.
fn sums(matrix: &FeatureMatrix, term: impl Fn(usize, f64) -> f64 + Sync) -> Vec<f64> {
    let features = matrix.features();
    let parts = matrix.parts(PART).map(|rows| {
        let mut sums = vec![0.0; features];
        for row in rows.chunks_exact(features) {
            for (feature, (sum, &value)) in sums.iter_mut().zip(row).enumerate() {
                *sum += term(feature, f64::from(value));
            }
        }
        sums
    });
    let parts: Vec<Vec<f64>> = parts.collect();
    let mut sums = vec![0.0; features];
    for part in parts {
        sums.iter_mut()
            .zip(part)
            .for_each(|(sum, part)| *sum += part);
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn training_pictures_get_mean_0_and_deviation_1_and_others_the_same_scale() {
        let values =
            (0..2000).flat_map(|row| [row as f32, 7.0, if row % 2 == 0 { 5.0 } else { 9.0 }]);
        let mut train = FeatureMatrix::new(3, values.collect());
        let fitted = Standardisation::fit(&train);
        fitted.apply(&mut train);
        let column = |feature: usize| train.rows().map(move |row| f64::from(row[feature]));
        for feature in [0, 2] {
            let mean = column(feature).sum::<f64>() / 2000.0;
            let square = column(feature).map(|value| value * value).sum::<f64>() / 2000.0;
            assert!(
                mean.abs() < 1e-6 && (square - 1.0).abs() < 1e-6,
                "{mean} {square}"
            );
        }
        assert!(column(1).all(|value| value == 0.0));
        let mut other = FeatureMatrix::new(3, vec![999.5, 8.0, 11.0]);
        fitted.apply(&mut other);
        assert_eq!(other.row(0), [0.0, 1.0, 2.0]);
    }
}
