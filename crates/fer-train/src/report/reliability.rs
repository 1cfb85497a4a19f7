//! The reliability diagram: what is right beside what was claimed.

use svg::Document;
use svg::node::element::{Circle, Group, Title};

use super::canvas;
use super::chart::{BLUE, Chart, LABEL, ORANGE, SKY, head, line, path, round_end};
use super::drawing::{FAINT, middle, rectangle, rounded, sheet, text};
use super::error::FigureError;
use crate::metrics::{CalibrationReport, Reliability, ReliabilityBin};

const WIDTH: f32 = 470.0;
const HEIGHT: f32 = 690.0;
const LEFT: f32 = 84.0;
const TOP: f32 = 138.0;
const SIDE: f32 = 360.0;
const COUNTS: f32 = 66.0;
/// What a column is made of, with its colours.
const PARTS: [(&str, &str); 3] = [
    ("right", BLUE),
    ("right, not claimed", SKY),
    ("claimed, not right", "#F2BFA0"),
];

/// The diagram as an SVG figure: for each bin of the top probability the share of its pictures that is
/// right as a bar, beside the mean probability that was claimed; without the temperature, where
/// there is one, as a line. Below, how many pictures each bin holds.
///
/// # Errors
/// [`FigureError::Empty`] without a picture.
pub fn svg(calibration: &CalibrationReport) -> Result<String, FigureError> {
    let bins = &calibration.given.bins;
    let pictures: u64 = bins.iter().map(|bin| bin.n).sum();
    if pictures == 0 {
        return Err(FigureError::Empty { what: "picture" });
    }
    let figure = head(
        sheet(WIDTH, HEIGHT),
        "Reliability",
        &lines(calibration, pictures),
    );
    let chart = Chart {
        corner: (LEFT, TOP),
        size: (SIDE, SIDE),
        highest: 1.0,
    };
    let figure = chart.axes(figure, "Probability of the predicted class", "Right");
    let figure = legend(figure, calibration.without_temperature.is_some());
    let mut figure = figure.add(bars(&chart, bins)).add(diagonal(&chart));
    if let Some(without) = &calibration.without_temperature {
        figure = figure.add(curve(&chart, without));
    }
    Ok(counts(figure, bins, pictures).to_string())
}

/// The figure of [`svg()`] as PNG, two pixels to a unit.
///
/// # Errors
/// Those of [`svg()`].
pub fn png(calibration: &CalibrationReport) -> Result<Vec<u8>, FigureError> {
    canvas::png(&svg(calibration)?, 2.0)
}

fn lines(calibration: &CalibrationReport, pictures: u64) -> Vec<String> {
    let told = |it: &Reliability| {
        let (ece, mce) = (100.0 * it.ece, 100.0 * it.mce);
        format!(
            "ECE {ece:.1}%, MCE {mce:.1}%, Brier {:.3}, NLL {:.3}",
            it.brier, it.nll
        )
    };
    let mut lines = vec![format!("n = {pictures}: {}", told(&calibration.given))];
    if let Some(without) = &calibration.without_temperature {
        lines.push(format!("without temperature: {}", told(without)));
    }
    lines
}

/// What the colours mean, in the row above the plot and, of the line, in the next.
fn legend(mut figure: Document, has_line: bool) -> Document {
    let mut x = LEFT;
    let y = TOP - 42.0;
    for (name, color) in PARTS {
        let start = x + 16.0;
        figure = figure
            .add(rectangle(x, y - 5.0, 10.0, 10.0).set("fill", color))
            .add(text(name, start, y + middle(LABEL), LABEL));
        x = start + canvas::text_width(name, LABEL) + 18.0;
    }
    if !has_line {
        return figure;
    }
    let (x, y) = (LEFT, TOP - 22.0);
    let name = text("without temperature", x + 26.0, y + middle(LABEL), LABEL);
    figure
        .add(path(&[(x, y), (x + 20.0, y)], ORANGE, 2.5))
        .add(name)
}

fn bars(chart: &Chart, bins: &[ReliabilityBin]) -> Group {
    let mut bars = Group::new();
    for bin in bins {
        let (Some(accuracy), Some(confidence)) = (bin.accuracy, bin.confidence) else {
            continue;
        };
        let told = format!(
            "{:.0}% to {:.0}%: {} pictures, {:.1}% right, {:.1}% claimed",
            100.0 * bin.from,
            100.0 * bin.to,
            bin.n,
            100.0 * accuracy,
            100.0 * confidence
        );
        let [right, unclaimed, wrong] = PARTS.map(|(_, color)| color);
        let (both, rest) = (accuracy.min(confidence), accuracy.max(confidence));
        let color = if accuracy > confidence {
            unclaimed
        } else {
            wrong
        };
        bars = bars.add(
            Group::new()
                .add(Title::new(told))
                .add(bar(chart, bin, 0.0, both).set("fill", right))
                .add(bar(chart, bin, both, rest).set("fill", color)),
        );
    }
    bars
}

/// The part of a bin's column between two shares.
fn bar(chart: &Chart, bin: &ReliabilityBin, one: f64, other: f64) -> svg::node::element::Rectangle {
    let (left, top) = chart.place(bin.from, one.max(other));
    let (right, bottom) = chart.place(bin.to, one.min(other));
    rectangle(left + 1.0, top, right - left - 2.0, bottom - top)
}

fn diagonal(chart: &Chart) -> svg::node::element::Line {
    line(chart.place(0.0, 0.0), chart.place(1.0, 1.0))
        .set("stroke", FAINT)
        .set("stroke-dasharray", "4 4")
}

fn curve(chart: &Chart, reliability: &Reliability) -> Group {
    let known = reliability.bins.iter();
    let known = known.filter_map(|bin| Some(chart.place(bin.confidence?, bin.accuracy?)));
    let points: Vec<(f32, f32)> = known.collect();
    let mut drawn = Group::new().add(path(&points, ORANGE, 2.0));
    for (x, y) in points {
        let point = Circle::new()
            .set("cx", rounded(x))
            .set("cy", rounded(y))
            .set("r", 3);
        drawn = drawn.add(point.set("fill", ORANGE).set("stroke", "#FFFFFF"));
    }
    drawn
}

fn counts(figure: Document, bins: &[ReliabilityBin], pictures: u64) -> Document {
    let shares = bins.iter().map(|bin| bin.n as f64 / pictures as f64);
    let chart = Chart {
        corner: (LEFT, TOP + SIDE + 62.0),
        size: (SIDE, COUNTS),
        highest: round_end(shares.fold(0.0, f64::max)),
    };
    let figure = chart.axes(figure, "Probability of the predicted class", "Pictures");
    let mut columns = Group::new().set("fill", BLUE);
    for bin in bins {
        columns = columns.add(bar(&chart, bin, 0.0, bin.n as f64 / pictures as f64));
    }
    figure.add(columns)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn reliability(sharpness: f32) -> Reliability {
        let rows: Vec<f32> = (0..90)
            .flat_map(|place| {
                let sure = (0.5 + 0.005 * place as f32 * sharpness).min(0.999);
                [sure.ln(), (1.0 - sure).ln()]
            })
            .collect();
        let labels: Vec<usize> = (0..90).map(|place| usize::from(place % 4 == 0)).collect();
        Reliability::new(&labels, &rows, 2)
    }

    fn report(temperature: bool) -> CalibrationReport {
        CalibrationReport {
            given: reliability(1.0),
            without_temperature: temperature.then(|| reliability(1.1)),
        }
    }

    #[test]
    fn the_figure_tells_the_errors_and_the_line_stands_only_where_there_is_a_temperature() {
        let both = svg(&report(true)).unwrap();
        assert!(
            both.contains("n = 90: ECE ") && both.contains("without temperature: ECE "),
            "{both}"
        );
        assert!(both.contains(ORANGE));
        let plain = svg(&report(false)).unwrap();
        assert!(!plain.contains(ORANGE) && !plain.contains("without temperature"));
        let bins = reliability(1.0).bins;
        let filled = bins.iter().filter(|bin| bin.n > 0).count();
        assert_eq!(plain.matches("claimed</title>").count(), filled);
    }

    #[test]
    fn a_bar_is_as_high_as_its_share_and_no_picture_is_refused() {
        let drawn = image::load_from_memory(&png(&report(false)).unwrap())
            .unwrap()
            .to_rgb8();
        assert_eq!((drawn.width(), drawn.height()), (940, 1380));
        let blue = [0x00, 0x72, 0xB2];
        let bins = report(false).given.bins;
        let bin = &bins[12];
        let x = 2.0 * (LEFT + SIDE * (bin.from + bin.to) as f32 / 2.0);
        let column =
            (0..2 * (TOP + SIDE) as u32).filter(|&y| drawn.get_pixel(x as u32, y).0 == blue);
        let height = column.count() as f64 / f64::from(2.0 * SIDE);
        // The diagonal crosses it.
        let both = bin.accuracy.unwrap().min(bin.confidence.unwrap());
        assert!((height - both).abs() < 0.02, "{height} {bin:?}");
        let empty = CalibrationReport {
            given: Reliability::new(&[], &[], 2),
            without_temperature: None,
        };
        assert!(matches!(
            svg(&empty),
            Err(FigureError::Empty { what: "picture" })
        ));
    }
}
