//! What a network said of each picture, as the rows of `predictions.csv`.

use std::collections::HashSet;

use anyhow::Result;
use fer_data::{Dataset, Split};

use super::Evaluation;
use crate::metrics::entropy;
use crate::predictions::{JudgedPicture, Predictions};

impl Evaluation {
    /// One row a picture of `dataset`, in the order judged, at this temperature.
    ///
    /// # Errors
    /// A picture that cannot be read.
    pub fn predictions(&self, dataset: &Dataset, temperature: Option<f64>) -> Result<Predictions> {
        let mut copies = HashSet::new();
        for split in [Split::Validation, Split::Test] {
            if self
                .indices
                .iter()
                .any(|&index| dataset.entry(index).split == split)
            {
                copies.extend(dataset.copies_of_train(split)?);
            }
        }
        let names = dataset.class_names();
        let rows = self.at(temperature);
        let answers = self.indices.iter().zip(&self.predicted);
        let pictures = answers.zip(rows.chunks_exact(names.len()));
        Ok(Predictions {
            class_names: names.clone(),
            pictures: pictures
                .map(|((&index, &predicted), row)| JudgedPicture {
                    picture: dataset.origin(index),
                    split: dataset.entry(index).split,
                    label: dataset.entry(index).label,
                    predicted,
                    copy_of_train: copies.contains(&index),
                    votes_entropy: dataset.votes(index).map(entropy),
                    probabilities: row.iter().map(|log| log.exp()).collect(),
                })
                .collect(),
        })
    }
}
