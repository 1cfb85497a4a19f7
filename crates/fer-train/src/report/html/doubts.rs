//! The pictures that the network mistook with confidence, and those whose label it doubts.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Serialize;

use super::{Contents, names};
use crate::hard::Confusion;
use crate::predictions::Predictions;

/// What is hard, with the pictures at hand.
#[derive(Serialize)]
pub(super) struct Doubts<'a> {
    confusions_by_count: &'a [Confusion],
    confusions_by_rate: &'a [Confusion],
    mistakes: Vec<Listed<'a>>,
    /// How many pictures the network was not trained on, and how many of their labels it doubts.
    labels: Option<(u64, u64)>,
    doubted: Vec<Listed<'a>>,
}

/// A picture of a list.
#[derive(Serialize)]
struct Listed<'a> {
    /// Its column and row in the sprite; absent where the sprite is.
    place: Option<(usize, usize)>,
    name: Cow<'a, str>,
    label: &'a str,
    /// The class that it was taken for, or seems to be of.
    other: &'a str,
    /// The probability of that class, 0 to 1.
    probability: f64,
    /// The probability of the given class, 0 to 1.
    given: f64,
    /// The entropy of its votes, in nats.
    entropy: Option<f64>,
}

/// Where rows of the table of predictions are shown.
struct Places<'a> {
    predictions: Option<&'a Predictions>,
    names: Vec<Cow<'a, str>>,
    tiles: HashMap<usize, (usize, usize)>,
}

impl<'a> Doubts<'a> {
    /// `None` where nothing was found out, or there is no table of predictions of the same pictures.
    pub(super) fn new(contents: &'a Contents) -> Option<Self> {
        let hard = contents.hard.as_ref()?;
        let places = Places::new(contents);
        let mistakes = hard.confident_mistakes.iter();
        let doubted = hard.label_errors.iter().flat_map(|found| &found.pictures);
        Some(Doubts {
            confusions_by_count: &hard.confusions_by_count,
            confusions_by_rate: &hard.confusions_by_rate,
            mistakes: mistakes
                .map(|one| Listed {
                    other: &one.predicted,
                    probability: one.probability,
                    ..places.listed(one.picture, &one.label, one.votes_entropy)
                })
                .collect(),
            labels: hard
                .label_errors
                .as_ref()
                .map(|found| (found.n, found.count)),
            doubted: doubted
                .map(|one| Listed {
                    other: &one.suggested,
                    probability: one.suggested_probability,
                    ..places.listed(one.picture, &one.label, one.votes_entropy)
                })
                .collect(),
        })
    }
}

impl<'a> Places<'a> {
    fn new(contents: &'a Contents) -> Self {
        let mut tiles = HashMap::new();
        if let Some((gallery, _)) = &contents.gallery {
            for (tile, chosen) in gallery.tiles.iter().enumerate() {
                tiles.insert(chosen.row, (tile % gallery.columns, tile / gallery.columns));
            }
        }
        let predictions = contents.predictions.as_ref();
        Places {
            predictions,
            names: predictions.map_or_else(Vec::new, names::shown),
            tiles,
        }
    }

    fn listed(&self, row: usize, label: &'a str, entropy: Option<f64>) -> Listed<'a> {
        let picture = self.predictions.and_then(|table| table.pictures.get(row));
        Listed {
            place: self.tiles.get(&row).copied(),
            name: self.names.get(row).cloned().unwrap_or_default(),
            label,
            other: "",
            probability: 0.0,
            given: picture.map_or(0.0, |one| f64::from(one.probabilities[one.label])),
            entropy,
        }
    }
}
