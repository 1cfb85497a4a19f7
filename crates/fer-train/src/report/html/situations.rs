//! Robustness: the figures in every situation, the worst last in each row.

use serde::Serialize;

use crate::robustness::{Robustness, SituationFigures};

/// The table of situations.
#[derive(Serialize)]
pub(super) struct Situations<'a> {
    robustness: &'a Robustness,
    rows: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    situation: &'a SituationFigures,
    /// What the strongest takes from the undisturbed accuracy, in [-1, 1].
    loss: f64,
}

impl<'a> Situations<'a> {
    pub(super) fn new(robustness: &'a Robustness) -> Self {
        let rows = robustness.situations.iter().map(|situation| Row {
            situation,
            loss: situation.strengths.last().map_or(0.0, |strongest| {
                robustness.undisturbed.accuracy - strongest.figures.accuracy
            }),
        });
        Situations {
            robustness,
            rows: rows.collect(),
        }
    }
}
