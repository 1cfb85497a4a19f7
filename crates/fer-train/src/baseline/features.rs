//! What a linear method sees of pictures, as numbers.

use fer_data::{DataError, Dataset, PIXELS};
use rayon::prelude::*;

use super::{Features, Hog};

impl Features {
    /// The grey values.
    pub fn pixels() -> Self {
        Features::Pixels { count: PIXELS }
    }

    /// Histograms of oriented gradients.
    pub fn hog(settings: Hog) -> Self {
        Features::Hog {
            count: settings.features(),
            settings,
        }
    }

    /// How many numbers describe a picture.
    pub fn count(self) -> usize {
        match self {
            Features::Pixels { count } | Features::Hog { count, .. } => count,
        }
    }

    /// What people call them.
    pub fn name(self) -> &'static str {
        match self {
            Features::Pixels { .. } => "pixels",
            Features::Hog { .. } => "HOG",
        }
    }

    /// Describes the pictures `indices` of a data set.
    ///
    /// # Errors
    /// A picture that cannot be read.
    pub fn describe(
        self,
        dataset: &Dataset,
        indices: &[usize],
    ) -> Result<FeatureMatrix, DataError> {
        let mut values = vec![0.0; indices.len() * self.count()];
        let rows = values.par_chunks_exact_mut(self.count());
        rows.zip(indices).try_for_each(|(row, &index)| {
            let picture = dataset.picture(index)?;
            let pixels = picture.pixels();
            match self {
                Features::Hog { settings, .. } => settings.write(pixels, row),
                Features::Pixels { .. } => {
                    let pixels = pixels.iter().copied().map(f32::from);
                    row.iter_mut().zip(pixels).for_each(|(to, from)| *to = from);
                }
            }
            Ok::<(), DataError>(())
        })?;
        Ok(FeatureMatrix::new(self.count(), values))
    }
}

/// Pictures in numbers: (pictures, features) row-major.
pub struct FeatureMatrix {
    features: usize,
    values: Vec<f32>,
}

impl FeatureMatrix {
    /// A matrix of this many features a row.
    ///
    /// # Panics
    /// Where the values do not fill whole rows, or a row is empty.
    pub fn new(features: usize, values: Vec<f32>) -> Self {
        assert!(
            features > 0 && values.len().is_multiple_of(features),
            "{} values in rows of {features}",
            values.len()
        );
        FeatureMatrix { features, values }
    }

    /// The number of pictures.
    pub fn pictures(&self) -> usize {
        self.values.len() / self.features
    }

    /// The number of features.
    pub fn features(&self) -> usize {
        self.features
    }

    /// Row `picture`.
    ///
    /// # Panics
    /// When `picture` is not below [`pictures`](Self::pictures).
    pub fn row(&self, picture: usize) -> &[f32] {
        &self.values[picture * self.features..][..self.features]
    }

    /// Every row in order.
    pub fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.features)
    }

    /// The rows in parts of `pictures`, the last the shorter.
    pub(super) fn parts(&self, pictures: usize) -> impl IndexedParallelIterator<Item = &[f32]> {
        self.values.par_chunks(pictures * self.features)
    }

    pub(super) fn rows_mut(&mut self) -> impl IndexedParallelIterator<Item = &mut [f32]> {
        self.values.par_chunks_exact_mut(self.features)
    }
}
