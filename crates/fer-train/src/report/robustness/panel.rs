//! One panel: a situation's accuracy over its strength.

use svg::Document;
use svg::node::element::{Circle, Line, Polygon, Polyline, Title};

use super::super::axis::Axis;
use super::super::drawing::{FAINT, centred, middle, rounded, shortened, text};
use crate::robustness::{SituationFigures, StrengthFigures};

/// Width of a panel's plot.
pub(super) const WIDTH: f32 = 200.0;
/// Height of a whole panel.
pub(super) const HEIGHT: f32 = PLOT_TOP + PLOT + 20.0;
/// Blue of Okabe and Ito, told apart by colour-blind readers.
pub(super) const LINE: &str = "#0072B2";
/// How much of it the band has.
pub(super) const BAND: f32 = 0.2;

const GRID: &str = "#E2E2E2";
const PLOT_TOP: f32 = 44.0;
const PLOT: f32 = 150.0;
/// From the plot's edge to its first and last strength.
const INSET: f32 = 18.0;
const NAME: f32 = 15.0;
const SMALL: f32 = 11.5;

/// A panel and its place.
pub(super) struct Panel<'a> {
    pub(super) left: f32,
    pub(super) top: f32,
    /// Whether numbers stand along its vertical axis.
    pub(super) numbered: bool,
    pub(super) axis: &'a Axis,
    pub(super) situation: &'a SituationFigures,
    /// The accuracy on the pictures as they are.
    pub(super) undisturbed: f64,
}

impl Panel<'_> {
    pub(super) fn draw(&self, figure: Document) -> Document {
        let (name, unit) = (&self.situation.name, &self.situation.unit);
        let figure = figure
            .add(text(
                &shortened(name, NAME, WIDTH),
                self.left,
                self.top + 14.0,
                NAME,
            ))
            .add(
                text(
                    &shortened(unit, SMALL, WIDTH),
                    self.left,
                    self.top + 32.0,
                    SMALL,
                )
                .set("fill", FAINT),
            );
        let figure = self.grid(figure);
        let (left, right) = (self.left, self.left + WIDTH);
        let figure = figure.add(level(left, right, self.y(self.undisturbed)));
        self.curve(figure)
    }

    fn grid(&self, mut figure: Document) -> Document {
        for &tick in &self.axis.ticks {
            let y = self.y(tick);
            let across = line(self.left, y, self.left + WIDTH, y);
            figure = figure.add(across.set("stroke", GRID));
            if self.numbered {
                let number = text(
                    &self.axis.tick(tick),
                    self.left - 6.0,
                    y + middle(SMALL),
                    SMALL,
                );
                figure = figure.add(number.set("text-anchor", "end"));
            }
        }
        for (place, strength) in self.situation.strengths.iter().enumerate() {
            let number = strength.strength.to_string();
            let below = self.top + PLOT_TOP + PLOT + 12.0;
            figure = figure.add(centred(&number, self.x(place), below, SMALL));
        }
        figure
    }

    fn curve(&self, figure: Document) -> Document {
        let strengths = &self.situation.strengths;
        let point = |place: usize, share: f64| [self.x(place), self.y(share)];
        let ends = |end: fn(&StrengthFigures) -> f64| {
            let places = strengths.iter().enumerate();
            places.map(move |(place, strength)| point(place, end(strength)))
        };
        let upper = ends(|strength| strength.figures.accuracy_interval.high);
        let lower = ends(|strength| strength.figures.accuracy_interval.low);
        let middle: Vec<[f32; 2]> = ends(|strength| strength.figures.accuracy).collect();
        let band = Polygon::new()
            .set("points", points(upper.chain(lower.rev())))
            .set("fill", LINE)
            .set("fill-opacity", BAND);
        let curve = Polyline::new()
            .set("points", points(middle.iter().copied()))
            .set("fill", "none")
            .set("stroke", LINE)
            .set("stroke-width", 2);
        let mut figure = figure.add(band).add(curve);
        for (strength, [x, y]) in strengths.iter().zip(middle) {
            figure = figure.add(marker(x, y).add(Title::new(self.told(strength))));
        }
        figure
    }

    /// What a reader is told who points at a strength.
    fn told(&self, strength: &StrengthFigures) -> String {
        let figures = &strength.figures;
        format!(
            "{} {}: {:.1} % ({}), macro F1 {:.3}",
            strength.strength,
            self.situation.unit,
            100.0 * figures.accuracy,
            figures.accuracy_interval.percent(),
            figures.macro_f1
        )
    }

    /// Where the strength at this place of the list stands.
    fn x(&self, place: usize) -> f32 {
        let steps = self.situation.strengths.len().saturating_sub(1).max(1) as f32;
        self.left + INSET + place as f32 * (WIDTH - 2.0 * INSET) / steps
    }

    /// Where a share stands.
    fn y(&self, share: f64) -> f32 {
        let range = &self.axis.range;
        let height = (share - range.start) / (range.end - range.start);
        self.top + PLOT_TOP + PLOT * (1.0 - height as f32)
    }
}

/// A line; its colour is the caller's.
pub(super) fn line(x1: f32, y1: f32, x2: f32, y2: f32) -> Line {
    Line::new()
        .set("x1", rounded(x1))
        .set("y1", rounded(y1))
        .set("x2", rounded(x2))
        .set("y2", rounded(y2))
}

/// The dashed line of the pictures as they are.
pub(super) fn level(from: f32, to: f32, y: f32) -> Line {
    line(from, y, to, y)
        .set("stroke", FAINT)
        .set("stroke-width", 1.5)
        .set("stroke-dasharray", "5 4")
}

/// The mark of one strength.
pub(super) fn marker(x: f32, y: f32) -> Circle {
    Circle::new()
        .set("cx", rounded(x))
        .set("cy", rounded(y))
        .set("r", 3.5)
        .set("fill", LINE)
}

fn points(places: impl Iterator<Item = [f32; 2]>) -> String {
    let places = places.map(|[x, y]| format!("{},{}", rounded(x), rounded(y)));
    places.collect::<Vec<_>>().join(" ")
}
