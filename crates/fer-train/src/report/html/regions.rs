//! Where the network looks: regions by expression, beside what EMFACS names.

use serde::Serialize;

use super::{Explained, data_url};
use crate::insight::{ClassExplanation, Explanation, Importance};

/// The density at which a cell is as dark as can be.
const DARKEST: f64 = 3.0;

/// A table for each method, and the mean maps.
#[derive(Serialize)]
pub(super) struct Regions<'a> {
    explanation: &'a Explanation,
    /// The regions on the mean face.
    face: Option<String>,
    methods: Vec<MethodTable<'a>>,
    maps: Vec<Map<'a>>,
}

#[derive(Serialize)]
struct MethodTable<'a> {
    name: &'static str,
    rows: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    n: u64,
    cells: Vec<Cell>,
    outside: f64,
    /// The regions that EMFACS names, in words.
    emfacs: String,
    rank_correlation: Option<f64>,
    overlap: Option<f64>,
    /// The same from random weights.
    random_rank_correlation: Option<f64>,
    random_overlap: Option<f64>,
}

#[derive(Serialize)]
struct Cell {
    density: f64,
    /// How dark the cell is, 0 to 1.
    share: f64,
    /// Whether EMFACS names the region.
    named: bool,
    /// Right less left of the picture, over both, -1 to 1.
    balance: f64,
}

#[derive(Serialize)]
struct Map<'a> {
    name: &'a str,
    picture: String,
}

impl<'a> Regions<'a> {
    pub(super) fn new(explained: &'a Explained) -> Self {
        let explanation = &explained.explanation;
        let method = |name, of: fn(&ClassExplanation) -> Option<&Importance>| {
            let classes = explanation.classes.iter();
            let rows = classes.filter_map(|class| Some(row(explanation, class, of(class)?)));
            MethodTable {
                name,
                rows: rows.collect(),
            }
        };
        let maps = explanation.classes.iter().zip(&explained.maps);
        Regions {
            explanation,
            face: explained.regions.as_ref().map(data_url),
            methods: vec![
                method("Occlusion", |class| {
                    Some(&class.importance.as_ref()?.occlusion)
                }),
                method("Grad-CAM", |class| {
                    Some(&class.importance.as_ref()?.grad_cam)
                }),
            ],
            maps: maps
                .filter_map(|(class, map)| {
                    Some(Map {
                        name: &class.name,
                        picture: data_url(map.as_ref()?),
                    })
                })
                .collect(),
        }
    }
}

fn row<'a>(
    explanation: &Explanation,
    class: &'a ClassExplanation,
    importance: &Importance,
) -> Row<'a> {
    let regions = explanation.regions.iter().zip(&importance.regions);
    let cells = regions
        .zip(&importance.balance)
        .map(|((name, &density), &balance)| Cell {
            density,
            share: (density / DARKEST).clamp(0.0, 1.0),
            named: class.emfacs.contains(name),
            balance,
        });
    let random = importance
        .random
        .as_ref()
        .and_then(|random| random.agreement);
    Row {
        name: &class.name,
        n: class.n,
        cells: cells.collect(),
        outside: importance.outside,
        emfacs: class.emfacs.join(", "),
        rank_correlation: importance.agreement.map(|it| it.rank_correlation),
        overlap: importance.agreement.map(|it| it.overlap),
        random_rank_correlation: random.map(|it| it.rank_correlation),
        random_overlap: random.map(|it| it.overlap),
    }
}
