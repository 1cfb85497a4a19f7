//! Lines over a share: reliability, coverage against risk, deletion and insertion.

use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::Shift;
use plotters::prelude::{
    Cartesian2d, Circle, Color, DashedLineSeries, DrawingArea, IntoDrawingArea, LineSeries,
    PathElement, RGBColor, SVGBackend, Text, WHITE,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use svg::node::Blob;

use super::axis::{Axis, Unit};
use super::canvas::text_width;
use super::drawing;
use super::error::FigureError;
use super::plotting::{
    BLUE, FAINT, GREEN, GRID, INK, LABEL, SCALE, TITLE, VERMILION, style, units,
};

/// A line or a row of points.
#[derive(Clone, Debug, Default)]
pub struct Series<'a> {
    /// What it shows, for the legend.
    pub name: &'a str,
    /// Both coordinates of each point, shares from 0 to 1.
    pub points: Vec<(f64, f64)>,
    /// The 95 % interval of each point upwards, from its lower to its upper end; empty where there is
    /// none.
    pub intervals: Vec<[f64; 2]>,
}

/// A chart of shares against a share.
#[derive(Clone, Debug)]
pub struct Chart<'a> {
    /// What is shown.
    pub title: &'a str,
    /// What is measured to the right.
    pub x: &'a str,
    /// What is measured upwards.
    pub y: &'a str,
    /// Whether both axes reach from 0 to 1 with the line between them on which both are equal.
    pub diagonal: bool,
    /// Up to three lines.
    pub series: Vec<Series<'a>>,
}

const WIDTH: u32 = 480;
const HEIGHT: u32 = 400;
const HEAD: u32 = 78;
const COLOURS: [RGBColor; 3] = [BLUE, VERMILION, GREEN];
/// Points are marked up to this number; more would touch.
const MARKED: usize = 30;

type Area<'b> = DrawingArea<SVGBackend<'b>, Shift>;
type Plot<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;

impl Chart<'_> {
    /// The chart as an SVG figure.
    ///
    /// # Errors
    /// [`FigureError::Empty`] without points, [`FigureError::Plot`] when drawing fails.
    pub fn svg(&self) -> Result<String, FigureError> {
        if self.series.iter().all(|series| series.points.is_empty()) {
            return Err(FigureError::Empty { what: "point" });
        }
        let (width, height) = (WIDTH * SCALE, HEIGHT * SCALE);
        let mut drawn = String::new();
        {
            let root = SVGBackend::with_string(&mut drawn, (width, height)).into_drawing_area();
            root.fill(&WHITE)?;
            self.draw(&root)?;
            root.present()?;
        }
        let figure = drawing::document(WIDTH as f32, HEIGHT as f32)
            .set("viewBox", format!("0 0 {width} {height}"))
            .add(Blob::new(drawn));
        Ok(figure.to_string())
    }

    fn draw(&self, root: &Area) -> Result<(), FigureError> {
        let whole = || Axis::values([0.0, 1.0].into_iter(), Unit::Share);
        let highest = self.series.iter().flat_map(|series| {
            let ends = series.intervals.iter().map(|interval| interval[1]);
            series.points.iter().map(|point| point.1).chain(ends)
        });
        let y = match self.diagonal {
            true => whole(),
            false => Axis::values(highest.chain([0.0]).collect::<Vec<_>>().into_iter(), Unit::Share),
        };
        let mut plot = ChartBuilder::on(root)
            .margin_top(HEAD * SCALE)
            .margin_right(20 * SCALE)
            .margin_left(8 * SCALE)
            .margin_bottom(8 * SCALE)
            .x_label_area_size(44 * SCALE)
            .y_label_area_size(64 * SCALE)
            .build_cartesian_2d(whole(), y)?;
        plot.configure_mesh()
            .disable_x_mesh()
            .bold_line_style(GRID.stroke_width(SCALE))
            .axis_style(FAINT.stroke_width(SCALE))
            .set_all_tick_mark_size(5 * SCALE)
            .label_style(style(LABEL, INK))
            .axis_desc_style(style(LABEL, INK))
            .x_desc(self.x)
            .y_desc(self.y)
            .draw()?;
        if self.diagonal {
            let (dash, line) = (4 * SCALE, FAINT.stroke_width(SCALE));
            let ends = [(0.0, 0.0), (1.0, 1.0)];
            plot.draw_series(DashedLineSeries::new(ends, dash, dash, line))?;
        }
        for (series, colour) in self.series.iter().zip(COLOURS) {
            line(&mut plot, series, colour)?;
        }
        self.head(&plot, root)
    }

    /// The title, and the legend below it.
    fn head(&self, plot: &Plot, root: &Area) -> Result<(), FigureError> {
        let (columns, rows) = plot.plotting_area().get_pixel_range();
        let left = |size, colour| style(size, colour).pos(Pos::new(HPos::Left, VPos::Center));
        let title = (columns.start, rows.start - units(58.0));
        root.draw(&Text::new(self.title, title, left(TITLE, INK)))?;
        let (mut x, y) = (columns.start, rows.start - units(30.0));
        for (series, colour) in self.series.iter().zip(COLOURS) {
            let ends = vec![(x, y), (x + units(22.0), y)];
            root.draw(&PathElement::new(ends, colour.stroke_width(3 * SCALE)))?;
            let name = (x + units(28.0), y);
            root.draw(&Text::new(series.name, name, left(LABEL, INK)))?;
            x += units(28.0 + 1.12 * text_width(series.name, LABEL) + 18.0);
        }
        Ok(())
    }
}

fn line(plot: &mut Plot, series: &Series, colour: RGBColor) -> Result<(), FigureError> {
    for (point, [low, high]) in series.points.iter().zip(&series.intervals) {
        let ends = vec![(point.0, *low), (point.0, *high)];
        let whisker = PathElement::new(ends, colour.stroke_width(SCALE));
        plot.draw_series([whisker])?;
    }
    let points = series.points.iter().copied();
    plot.draw_series(LineSeries::new(points, colour.stroke_width(2 * SCALE)))?;
    if series.points.len() <= MARKED {
        let points = series.points.iter();
        plot.draw_series(points.map(|&point| Circle::new(point, 3 * SCALE, colour.filled())))?;
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn chart(points: &[(f64, f64)], intervals: &[[f64; 2]]) -> Chart<'static> {
        Chart {
            title: "Reliability",
            x: "claimed",
            y: "right",
            diagonal: false,
            series: vec![Series {
                name: "the <network>",
                points: points.to_vec(),
                intervals: intervals.to_vec(),
            }],
        }
    }

    #[test]
    fn titles_and_names_are_written_as_text() {
        let drawn = chart(&[(0.2, 0.1), (0.9, 0.4)], &[]).svg().unwrap();
        for text in ["Reliability", "claimed", "right", "the &lt;network&gt;", "100%"] {
            assert!(drawn.contains(text), "{text} in {drawn}");
        }
        assert!(drawn.contains("40%") && !drawn.contains("60%"), "risk up to its highest");
    }

    #[test]
    fn the_diagonal_takes_both_axes_to_the_end() {
        let mut whole = chart(&[(0.2, 0.1)], &[]);
        whole.diagonal = true;
        assert_eq!(whole.svg().unwrap().matches("100%").count(), 2);
    }

    #[test]
    fn intervals_are_drawn_and_nothing_is_refused() {
        let points = [(0.2, 0.1), (0.9, 0.4)];
        let plain = chart(&points, &[]).svg().unwrap();
        let with = chart(&points, &[[0.05, 0.2], [0.3, 0.4]]).svg().unwrap();
        assert!(with.matches("<polyline").count() > plain.matches("<polyline").count());
        let empty = chart(&[], &[]).svg();
        assert!(matches!(empty, Err(FigureError::Empty { what: "point" })));
    }
}
