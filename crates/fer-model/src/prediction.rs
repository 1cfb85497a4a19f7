use fer_data::ClassNames;

/// What a network says of one picture: a probability for each class.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    pub(crate) probabilities: Vec<f32>,
    pub(crate) class_names: ClassNames,
}

impl Prediction {
    /// The class of the highest probability, the first of equals.
    pub fn class(&self) -> usize {
        most_probable(&self.probabilities)
    }

    /// The name of that class.
    pub fn class_name(&self) -> &str {
        self.class_names.name(self.class())
    }

    /// The highest probability, 0 to 1.
    pub fn probability(&self) -> f32 {
        self.probabilities[self.class()]
    }

    /// The name of the most probable class, or `None`, unsure, where its probability is below
    /// `threshold`; see [`Classifier::at_risk`](crate::Classifier::at_risk).
    pub fn answer(&self, threshold: f64) -> Option<&str> {
        (f64::from(self.probability()) >= threshold).then(|| self.class_name())
    }

    /// One probability a class, in class order, summing to 1.
    pub fn probabilities(&self) -> &[f32] {
        &self.probabilities
    }

    /// Class names with their probabilities, in class order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, f32)> {
        self.class_names
            .iter()
            .zip(self.probabilities.iter().copied())
    }
}

/// The class of the highest value in a row of logits, probabilities or their logarithms; the first
/// of equals.
pub fn most_probable(row: &[f32]) -> usize {
    let mut best = 0;
    for (class, value) in row.iter().enumerate() {
        if *value > row[best] {
            best = class;
        }
    }
    best
}
