//! A chart of shares: two axes in percent with a grid, and what is drawn between them.

use svg::Document;
use svg::node::element::{Group, Line, Polyline, Text};

use super::drawing::{FAINT, INK, centred, middle, rounded, text};

/// Blue of Okabe and Ito, told apart from their other colours by colour-blind readers.
pub(crate) const BLUE: &str = "#0072B2";
/// Their sky blue.
pub(crate) const SKY: &str = "#56B4E9";
/// Their orange.
pub(crate) const ORANGE: &str = "#E69F00";
const GRID: &str = "#E2E2E2";
/// Size of titles.
pub(crate) const TITLE: f32 = 17.0;
/// Size of ordinary text.
pub(crate) const LABEL: f32 = 13.0;
/// Size of numbers along an axis.
const SMALL: f32 = 11.0;

/// Where the chart stands in its figure, and what its axes measure.
pub(crate) struct Chart {
    /// The plot's left and upper edge in units.
    pub(crate) corner: (f32, f32),
    /// The plot's width and height in units.
    pub(crate) size: (f32, f32),
    /// The share at the upper end of the axis to the left; the others end at 0 and 1.
    pub(crate) highest: f64,
}

impl Chart {
    /// The place of a share across and a share upwards.
    pub(crate) fn place(&self, across: f64, up: f64) -> (f32, f32) {
        let (x, y) = (across as f32, (up / self.highest) as f32);
        let ((left, top), (width, height)) = (self.corner, self.size);
        (left + x * width, top + (1.0 - y) * height)
    }

    /// The grid, the numbers and the names of the axes.
    pub(crate) fn axes(&self, figure: Document, across: &str, up: &str) -> Document {
        let step = step(self.highest);
        let rows = (0..).map(|row| f64::from(row) * step);
        let rows = rows.take_while(|share| *share <= self.highest * (1.0 + 1e-9));
        let mut grid = Group::new().set("stroke", GRID);
        let mut numbers = Group::new();
        for share in rows {
            let ((left, y), (right, _)) = (self.place(0.0, share), self.place(1.0, share));
            grid = grid.add(line((left, y), (right, y)));
            let number = text(&percent(share), left - 7.0, y + middle(SMALL), SMALL);
            numbers = numbers.add(number.set("text-anchor", "end"));
        }
        for column in 0..=5 {
            let share = 0.2 * f64::from(column);
            let (x, bottom) = self.place(share, 0.0);
            grid = grid.add(line((x, bottom), (x, self.corner.1)));
            numbers = numbers.add(centred(&percent(share), x, bottom + 13.0, SMALL));
        }
        let ((left, bottom), (right, _)) = (self.place(0.0, 0.0), self.place(1.0, 0.0));
        let frame = [(left, self.corner.1), (left, bottom), (right, bottom)];
        figure
            .add(grid)
            .add(numbers)
            .add(path(&frame, FAINT, 1.0))
            .add(centred(across, (left + right) / 2.0, bottom + 33.0, LABEL))
            .add(self.upward(up))
    }

    fn upward(&self, name: &str) -> Text {
        let (x, y) = (self.corner.0 - 52.0, self.corner.1 + self.size.1 / 2.0);
        let turn = format!("rotate(-90 {} {})", rounded(x), rounded(y));
        centred(name, x, y, LABEL).set("transform", turn)
    }
}

/// The first round share that is not below `share`, where an axis may end.
pub(crate) fn round_end(share: f64) -> f64 {
    let ends = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8];
    ends.into_iter().find(|end| *end >= share).unwrap_or(1.0)
}

/// From number to number along an axis that ends there.
fn step(end: f64) -> f64 {
    match end {
        0.3 => 0.1,
        0.4 | 0.6 | 0.8 => 0.2,
        _ => end / 5.0,
    }
}

fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    let decimals = usize::from((percent - percent.round()).abs() > 0.05);
    format!("{percent:.decimals$}%")
}

/// A straight line; its colour is the caller's.
pub(crate) fn line(from: (f32, f32), to: (f32, f32)) -> Line {
    Line::new()
        .set("x1", rounded(from.0))
        .set("y1", rounded(from.1))
        .set("x2", rounded(to.0))
        .set("y2", rounded(to.1))
}

/// A line through points.
pub(crate) fn path(points: &[(f32, f32)], color: &str, width: f32) -> Polyline {
    let places = points.iter();
    let places = places.map(|(x, y)| format!("{},{}", rounded(*x), rounded(*y)));
    Polyline::new()
        .set("points", places.collect::<Vec<_>>().join(" "))
        .set("fill", "none")
        .set("stroke", color)
        .set("stroke-width", rounded(width))
}

/// Title and summary at the head of a figure.
pub(crate) fn head(figure: Document, title: &str, lines: &[String]) -> Document {
    let mut figure = figure.add(text(title, 20.0, 30.0, TITLE));
    for (place, content) in lines.iter().enumerate() {
        let y = 52.0 + 18.0 * place as f32;
        let ink = if place == 0 { INK } else { FAINT };
        figure = figure.add(text(content, 20.0, y, LABEL).set("fill", ink));
    }
    figure
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_have_their_places_and_axes_round_ends() {
        let chart = Chart {
            corner: (10.0, 20.0),
            size: (100.0, 50.0),
            highest: 0.5,
        };
        assert_eq!(chart.place(0.0, 0.0), (10.0, 70.0));
        assert_eq!(chart.place(1.0, 0.5), (110.0, 20.0));
        assert_eq!(chart.place(0.5, 0.25), (60.0, 45.0));
        assert_eq!(
            [0.0, 0.013, 0.2, 0.83].map(round_end),
            [0.01, 0.02, 0.2, 1.0]
        );
        assert_eq!(
            (percent(0.2), percent(0.002)),
            ("20%".into(), "0.2%".into())
        );
    }
}
