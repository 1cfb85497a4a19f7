//! One panel of the curves: a title, a legend, two lines and the mark of the best epoch.

use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::Shift;
use plotters::prelude::{
    Cartesian2d, Circle, Color, DashedLineSeries, DrawingArea, IntoFont, LineSeries, PathElement,
    RGBColor, SVGBackend, Text, TextStyle,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::super::axis::Axis;
use super::super::canvas::{FONT_FAMILY, text_width};
use super::super::error::FigureError;

/// Drawn units to one unit of the figure.
pub(super) const SCALE: u32 = 4;

const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
const FAINT: RGBColor = RGBColor(0x66, 0x66, 0x66);
const GRID: RGBColor = RGBColor(0xE2, 0xE2, 0xE2);
/// Names and colours of the lines: blue and vermilion of Okabe and Ito, told apart by colour-blind
/// readers.
const LINES: [(&str, RGBColor); 2] = [
    ("train", RGBColor(0x00, 0x72, 0xB2)),
    ("validation", RGBColor(0xD5, 0x5E, 0x00)),
];

const TITLE: f32 = 17.0;
const LABEL: f32 = 13.0;
const MARGIN: u32 = 20;
const HEAD: u32 = 62;
/// Points are marked up to this number of epochs; more would touch.
const MARKED: usize = 30;

type Area<'a, 'b> = DrawingArea<SVGBackend<'b>, Shift>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;

/// What one panel shows.
pub(super) struct Panel {
    /// What is measured.
    pub(super) title: &'static str,
    /// Epoch and value of each point: training, then validation (empty without).
    pub(super) curves: [Vec<(f64, f64)>; 2],
    /// Number and value of the epoch that was kept.
    pub(super) best: Option<(usize, f64)>,
    /// The axis below.
    pub(super) epochs: Axis,
    /// The axis to the left.
    pub(super) values: Axis,
}

impl Panel {
    /// Draws the panel into `area`, a part of `root`.
    pub(super) fn draw(&self, root: &Area, area: &Area) -> Result<(), FigureError> {
        let mut chart = ChartBuilder::on(area)
            .margin_top(HEAD * SCALE)
            .margin_right(MARGIN * SCALE)
            .margin_left(8 * SCALE)
            .margin_bottom(8 * SCALE)
            .x_label_area_size(44 * SCALE)
            .y_label_area_size(52 * SCALE)
            .build_cartesian_2d(self.epochs.clone(), self.values.clone())?;
        self.axes(&mut chart)?;
        self.mark(&mut chart, root)?;
        self.lines(&mut chart)?;
        self.head(&chart, root)
    }

    fn axes(&self, chart: &mut Chart) -> Result<(), FigureError> {
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(GRID.stroke_width(SCALE))
            .axis_style(FAINT.stroke_width(SCALE))
            .set_all_tick_mark_size(5 * SCALE)
            .label_style(style(LABEL, INK))
            .axis_desc_style(style(LABEL, INK))
            .x_desc("Epoch")
            .draw()?;
        Ok(())
    }

    fn lines(&self, chart: &mut Chart) -> Result<(), FigureError> {
        for (curve, (_, color)) in self.curves.iter().zip(LINES) {
            let points = if curve.len() <= MARKED { 3 * SCALE } else { 0 };
            let line = color.stroke_width(2 * SCALE);
            chart.draw_series(LineSeries::new(curve.iter().copied(), line))?;
            if points > 0 {
                let circles = curve
                    .iter()
                    .map(|&point| Circle::new(point, points, color.filled()));
                chart.draw_series(circles)?;
            }
        }
        if let Some((epoch, value)) = self.best.filter(|(_, value)| value.is_finite()) {
            let (point, [train, validation]) = ((epoch as f64, value), LINES);
            let (_, color) = if self.curves[1].is_empty() {
                train
            } else {
                validation
            };
            chart.draw_series([
                Circle::new(point, 6 * SCALE, INK.filled()),
                Circle::new(point, 4 * SCALE, color.filled()),
            ])?;
        }
        Ok(())
    }

    /// The dashed line at the best epoch and, above the plot, its number and value.
    fn mark(&self, chart: &mut Chart, root: &Area) -> Result<(), FigureError> {
        let Some((epoch, value)) = self.best.filter(|(_, value)| value.is_finite()) else {
            return Ok(());
        };
        let (x, range) = (epoch as f64, &self.values.range);
        let ends = [(x, range.start), (x, range.end)];
        let dash = 4 * SCALE;
        chart.draw_series(DashedLineSeries::new(
            ends,
            dash,
            dash,
            FAINT.stroke_width(SCALE),
        ))?;
        let text = format!("best epoch {epoch}: {}", self.values.exact(value));
        let half = units(text_width(&text, LABEL)) / 2;
        let top = chart.backend_coord(&ends[1]);
        let plot = chart.plotting_area().get_pixel_range().0;
        let place = (
            top.0.clamp(plot.start + half, plot.end - half),
            top.1 - 11 * SCALE as i32,
        );
        let label = style(LABEL, FAINT).pos(Pos::new(HPos::Center, VPos::Center));
        root.draw(&Text::new(text, place, label))?;
        Ok(())
    }

    /// The title and, at the other end of its line, the legend.
    fn head(&self, chart: &Chart, root: &Area) -> Result<(), FigureError> {
        let (plot, rows) = chart.plotting_area().get_pixel_range();
        let y = rows.start - units(42.0);
        let title = style(TITLE, INK).pos(Pos::new(HPos::Left, VPos::Center));
        root.draw(&Text::new(self.title, (plot.start, y), title))?;
        let mut right = plot.end;
        for ((name, color), curve) in LINES.into_iter().zip(&self.curves).rev() {
            if curve.is_empty() {
                continue;
            }
            let left = right - units(text_width(name, LABEL) * 1.12);
            let label = style(LABEL, INK).pos(Pos::new(HPos::Left, VPos::Center));
            root.draw(&Text::new(name, (left, y), label))?;
            let line = vec![(left - units(28.0), y), (left - units(6.0), y)];
            root.draw(&PathElement::new(line, color.stroke_width(3 * SCALE)))?;
            right = left - units(46.0);
        }
        Ok(())
    }
}

fn units(length: f32) -> i32 {
    (length * SCALE as f32).round() as i32
}

/// Text of `size` units of the figure; the SVG backend divides sizes by 1.24.
fn style(size: f32, color: RGBColor) -> TextStyle<'static> {
    (FONT_FAMILY, 1.24 * f64::from(size) * f64::from(SCALE))
        .into_font()
        .color(&color)
}
