use crate::prediction::most_probable;

/// How far two networks' answers for the same pictures are apart.
///
/// ```
/// use fer_model::Agreement;
///
/// let one = [[0.75_f32, 0.25], [0.5, 0.5]];
/// let other = [[0.5_f32, 0.5], [0.25, 0.75]];
/// let agreement = Agreement::between(one.iter().map(|row| &row[..]), other.iter().map(|row| &row[..]));
/// assert_eq!((agreement.pictures, agreement.equal), (2, 1));
/// assert_eq!(agreement.largest_difference, 0.25);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Agreement {
    /// How many pictures were asked about.
    pub pictures: usize,
    /// For how many of them the two name the same class.
    pub equal: usize,
    /// The largest difference between two probabilities of one class for one picture, 0 to 1.
    pub largest_difference: f32,
}

impl Agreement {
    /// Compares rows of probabilities, one a picture and in it one a class, in the same order on both
    /// sides; [`Prediction::probabilities`](crate::Prediction::probabilities) is such a row.
    ///
    /// # Panics
    /// Where the two are not of one length.
    pub fn between<'a>(
        one: impl ExactSizeIterator<Item = &'a [f32]>,
        other: impl ExactSizeIterator<Item = &'a [f32]>,
    ) -> Self {
        assert_eq!(one.len(), other.len(), "number of pictures");
        let mut agreement = Agreement::default();
        for (one, other) in one.zip(other) {
            assert_eq!(one.len(), other.len(), "number of classes");
            agreement.pictures += 1;
            agreement.equal += usize::from(most_probable(one) == most_probable(other));
            let differences = one
                .iter()
                .zip(other)
                .map(|(one, other)| (one - other).abs());
            agreement.largest_difference = differences.fold(agreement.largest_difference, f32::max);
        }
        agreement
    }

    /// The share of pictures for which the two name the same class, 0 to 1; 1 for no picture.
    pub fn share_equal(&self) -> f64 {
        match self.pictures {
            0 => 1.0,
            pictures => self.equal as f64 / pictures as f64,
        }
    }
}
