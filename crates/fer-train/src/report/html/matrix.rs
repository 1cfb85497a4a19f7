//! The confusion matrix as a table whose cells open their pictures.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use super::names;
use crate::metrics::Report;
use crate::predictions::Predictions;
use crate::report::gallery::Gallery;

/// The share of its row from which a cell is dark.
const DEEP: f64 = 0.66;
/// The share from which it is neither dark nor light.
const HALF: f64 = 0.45;

/// Rows true, columns predicted.
#[derive(Serialize)]
pub(super) struct Matrix<'a> {
    classes: Vec<&'a str>,
    rows: Vec<Row<'a>>,
    /// Whether the pictures of the cells are there.
    opens: bool,
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    support: u64,
    cells: Vec<Cell<'a>>,
}

#[derive(Serialize)]
struct Cell<'a> {
    /// Its key in the data of the script.
    key: String,
    predicted: &'a str,
    count: u64,
    /// Of its row, 0 to 1; 0 in a row without pictures.
    share: f64,
    tone: &'static str,
    right: bool,
}

impl<'a> Matrix<'a> {
    pub(super) fn new(report: &'a Report, opens: bool) -> Self {
        let classes: Vec<&str> = report.classes.iter().map(|one| one.name.as_str()).collect();
        let rows = report.confusion_matrix.rows().iter().enumerate();
        let rows = rows.map(|(truth, counts)| {
            let support: u64 = counts.iter().sum();
            let cells = counts.iter().enumerate().map(|(predicted, &count)| {
                let share = count as f64 / support.max(1) as f64;
                Cell {
                    key: key(truth, predicted),
                    predicted: classes[predicted],
                    count,
                    share,
                    tone: tone(share),
                    right: truth == predicted,
                }
            });
            Row {
                name: classes[truth],
                support,
                cells: cells.collect(),
            }
        });
        Matrix {
            rows: rows.collect(),
            classes,
            opens,
        }
    }
}

/// How dark a cell is in words of the style sheet.
pub(super) fn tone(share: f64) -> &'static str {
    match share {
        share if share >= DEEP => "deep",
        share if share >= HALF => "half",
        _ => "",
    }
}

fn key(truth: usize, predicted: usize) -> String {
    format!("{truth}-{predicted}")
}

/// What the page's script knows: every picture of the sprite, and for each cell of the confusion
/// matrix which of them are its own.
#[derive(Serialize)]
pub(super) struct Pictures<'a> {
    columns: usize,
    pictures: Vec<Shown<'a>>,
    cells: BTreeMap<String, Vec<usize>>,
}

/// One picture of the sprite.
#[derive(Serialize)]
pub(super) struct Shown<'a> {
    /// Its place in the sprite.
    pub(super) tile: usize,
    name: Cow<'a, str>,
    label: &'a str,
    predicted: &'a str,
    /// The probability of the predicted class, 0 to 1, to three digits.
    probability: f64,
}

impl<'a> Pictures<'a> {
    pub(super) fn new(gallery: &Gallery, predictions: &'a Predictions) -> Self {
        let names = names::shown(predictions);
        let mut cells: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let tiles = gallery.tiles.iter().enumerate();
        let pictures = tiles.map(|(tile, chosen)| {
            let row = chosen.row;
            let picture = &predictions.pictures[row];
            let cell = cells.entry(key(picture.label, picture.predicted));
            cell.or_default().push(tile);
            Shown {
                tile,
                name: names[row].clone(),
                label: predictions.class_names.name(picture.label),
                predicted: predictions.class_names.name(picture.predicted),
                probability: (f64::from(picture.probability()) * 1000.0).round() / 1000.0,
            }
        });
        Pictures {
            columns: gallery.columns,
            pictures: pictures.collect(),
            cells,
        }
    }
}
