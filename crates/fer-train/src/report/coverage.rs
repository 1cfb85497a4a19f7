//! The curve of coverage against risk.

use svg::node::element::{Circle, Group};

use super::canvas;
use super::chart::{BLUE, Chart, head, path, round_end};
use super::drawing::{rounded, sheet};
use super::error::FigureError;
use crate::metrics::{CoveragePoint, CoverageReport};

const WIDTH: f32 = 470.0;
const HEIGHT: f32 = 420.0;
/// Points are marked up to this number; more would touch.
const MARKED: usize = 30;
/// The curve begins where this share of the pictures is answered.
const LEAST_COVERAGE: f64 = 0.01;

/// The curve as an SVG figure: the share of wrong answers over the share of pictures that are answered.
///
/// # Errors
/// [`FigureError::Empty`] without a picture.
pub fn svg(coverage: &CoverageReport) -> Result<String, FigureError> {
    let Some(all) = coverage.points.last() else {
        return Err(FigureError::Empty { what: "picture" });
    };
    let mut lines = vec![format!(
        "answering all: {:.1}% wrong; area under the curve {:.4}",
        100.0 * all.risk,
        coverage.aurc
    )];
    lines.extend(
        [0.5, 0.8]
            .into_iter()
            .filter_map(|share| answering(coverage, share)),
    );
    let figure = head(sheet(WIDTH, HEIGHT), "Coverage against risk", &lines);
    // A mistake among the first few pictures would be all that the axis had room for.
    let told = |point: &&CoveragePoint| point.coverage >= LEAST_COVERAGE;
    let points: Vec<&CoveragePoint> = coverage.points.iter().filter(told).collect();
    let risks = points.iter().map(|point| point.risk);
    let chart = Chart {
        corner: (84.0, 112.0),
        size: (360.0, 250.0),
        highest: round_end(risks.fold(0.01, f64::max)),
    };
    let figure = chart.axes(
        figure,
        "Pictures answered, the surest first",
        "Wrong of those",
    );
    let places = points.iter();
    let places = places.map(|point| chart.place(point.coverage, point.risk));
    let places: Vec<(f32, f32)> = places.collect();
    let mut curve = Group::new().add(path(&places, BLUE, 2.0));
    let marked = if places.len() <= MARKED {
        places.len()
    } else {
        1
    };
    for &(x, y) in &places[places.len() - marked..] {
        let point = Circle::new()
            .set("cx", rounded(x))
            .set("cy", rounded(y))
            .set("r", 3.5);
        curve = curve.add(point.set("fill", BLUE));
    }
    Ok(figure.add(curve).to_string())
}

/// The figure of [`svg()`] as PNG, two pixels to a unit.
///
/// # Errors
/// Those of [`svg()`].
pub fn png(coverage: &CoverageReport) -> Result<Vec<u8>, FigureError> {
    canvas::png(&svg(coverage)?, 2.0)
}

/// In words, what answering the surest `share` of the pictures comes to.
fn answering(coverage: &CoverageReport, share: f64) -> Option<String> {
    let reached = |point: &&CoveragePoint| point.coverage >= share;
    let point = coverage.points.iter().find(reached)?;
    Some(format!(
        "answering {:.0}%: {:.1}% wrong, from a probability of {:.1}% on",
        100.0 * point.coverage,
        100.0 * point.risk,
        100.0 * point.threshold
    ))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::metrics::RiskCurve;

    fn report(pictures: u32) -> CoverageReport {
        let sure = |place| 1.0 - f64::from(place) / f64::from(2 * pictures);
        RiskCurve::new((0..pictures).map(|place| (sure(place), place % 10 < 9 || place < 50)))
            .report()
    }

    #[test]
    fn the_figure_tells_what_answering_a_part_comes_to() {
        let figure = svg(&report(200)).unwrap();
        for words in [
            "answering all: 7.5% wrong; area",
            "answering 50%: 5.0% wrong, from a probability",
        ] {
            assert!(figure.contains(words), "{figure}");
        }
        assert_eq!(figure.matches("<circle").count(), 1);
        assert_eq!(svg(&report(20)).unwrap().matches("<circle").count(), 20);
        let drawn = image::load_from_memory(&png(&report(200)).unwrap()).unwrap();
        assert_eq!((drawn.width(), drawn.height()), (940, 840));
    }

    #[test]
    fn a_mistake_among_the_surest_leaves_the_axis_to_the_others() {
        let answers = |n: u32| (0..n).map(move |place| (1.0 - f64::from(place) / 1e3, place > 0));
        let figure = |n| svg(&RiskCurve::new(answers(n)).report()).unwrap();
        // Of 500 the curve begins with five, one of which is wrong; of 40 with that one alone.
        assert!(figure(500).contains("16%"));
        assert!(!figure(40).contains("16%"));
    }

    #[test]
    fn without_a_picture_there_is_no_figure() {
        assert!(matches!(
            svg(&report(0)),
            Err(FigureError::Empty { what: "picture" })
        ));
    }
}
