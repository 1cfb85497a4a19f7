//! The accuracy of a network in every situation over its strength, one small panel a situation.

mod panel;

use fer_model::thousands;
use svg::Document;
use svg::node::element::{Line, Rectangle};

use self::panel::{BAND, LINE, Panel, level, line, marker};
use super::axis::{Axis, Unit};
use super::canvas::{self, text_width};
use super::drawing::{middle, rectangle, sheet, text};
use super::error::FigureError;
use crate::robustness::Robustness;

const COLUMNS: usize = 4;
const MARGIN: f32 = 20.0;
/// Room of the numbers along the vertical axes.
const NUMBERS: f32 = 38.0;
const GAP: f32 = 22.0;
const HEAD: f32 = 84.0;
const TITLE: f32 = 18.0;
const LABEL: f32 = 13.0;

/// The figure as SVG: panels in rows of four, all with the same vertical axis. Each shows the
/// accuracy at every strength with its interval as a band, and, dashed, the accuracy on the pictures
/// as they are.
///
/// # Errors
/// [`FigureError::Empty`] without any situation.
pub fn svg(robustness: &Robustness) -> Result<String, FigureError> {
    let count = robustness.situations.len();
    if count == 0 {
        return Err(FigureError::Empty { what: "situation" });
    }
    let axis = axis(robustness);
    let columns = count.min(COLUMNS) as f32;
    let rows = count.div_ceil(COLUMNS) as f32;
    let width = 2.0 * MARGIN + NUMBERS + columns * (panel::WIDTH + GAP) - GAP;
    let height = HEAD + rows * (panel::HEIGHT + GAP) - GAP + MARGIN;
    let mut figure = head(sheet(width, height), robustness, width);
    for (place, situation) in robustness.situations.iter().enumerate() {
        let (column, row) = (place % COLUMNS, (place / COLUMNS) as f32);
        let panel = Panel {
            left: MARGIN + NUMBERS + column as f32 * (panel::WIDTH + GAP),
            top: HEAD + row * (panel::HEIGHT + GAP),
            numbered: column == 0,
            axis: &axis,
            situation,
            undisturbed: robustness.undisturbed.accuracy,
        };
        figure = panel.draw(figure);
    }
    Ok(figure.to_string())
}

/// The figure of [`svg()`] as PNG, two pixels to a unit.
///
/// # Errors
/// Those of [`svg()`], and those of [`canvas::png`].
pub fn png(robustness: &Robustness) -> Result<Vec<u8>, FigureError> {
    canvas::png(&svg(robustness)?, 2.0)
}

/// One axis for every panel, around all that they show.
fn axis(robustness: &Robustness) -> Axis {
    let strengths = robustness.situations.iter().flat_map(|one| &one.strengths);
    let ends = strengths.flat_map(|strength| {
        let interval = strength.figures.accuracy_interval;
        [interval.low, interval.high]
    });
    let values = ends.chain([robustness.undisturbed.accuracy]);
    Axis::values(values, Unit::Share)
}

/// Title and summary, and to their right what the marks mean.
fn head(figure: Document, robustness: &Robustness, width: f32) -> Document {
    let undisturbed = &robustness.undisturbed;
    let summary = format!(
        "{}, {} pictures: {:.1}% right undisturbed, {:.1}% on average over situations and strengths",
        robustness.split,
        thousands(robustness.n as usize),
        100.0 * undisturbed.accuracy,
        100.0 * robustness.mean_accuracy,
    );
    let figure = figure
        .add(text("Accuracy by situation", MARGIN, 30.0, TITLE))
        .add(text(&summary, MARGIN, 52.0, LABEL));
    legend(figure, width - MARGIN, 30.0)
}

/// The legend, its end at `right`, standing on `baseline`.
fn legend(mut figure: Document, right: f32, baseline: f32) -> Document {
    const SAMPLE: f32 = 24.0;
    let y = baseline - middle(LABEL);
    let mut end = right;
    for name in ["undisturbed", "95% interval", "accuracy"] {
        let label = end - text_width(name, LABEL);
        let (from, to) = (label - SAMPLE - 6.0, label - 6.0);
        figure = figure.add(text(name, label, baseline, LABEL));
        figure = match name {
            "undisturbed" => figure.add(level(from, to, y)),
            "accuracy" => figure
                .add(sample(from, to, y))
                .add(marker((from + to) / 2.0, y)),
            _ => figure.add(band(from, y)),
        };
        end = from - 22.0;
    }
    figure
}

fn sample(from: f32, to: f32, y: f32) -> Line {
    line(from, y, to, y)
        .set("stroke", LINE)
        .set("stroke-width", 2)
}

fn band(left: f32, y: f32) -> Rectangle {
    rectangle(left, y - 6.0, 24.0, 12.0)
        .set("fill", LINE)
        .set("fill-opacity", BAND)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use fer_data::Situation;
    use resvg::usvg::roxmltree::{Document, Node};

    use super::*;
    use crate::robustness::{Figures, SituationFigures, StrengthFigures};
    use crate::statistics::wilson;

    fn figures(right: u64) -> Figures {
        Figures {
            accuracy: right as f64 / 200.0,
            accuracy_interval: wilson(right, 200).unwrap(),
            macro_f1: 0.5,
        }
    }

    /// Every situation with this many of 200 pictures right, less with every strength.
    fn robustness() -> Robustness {
        let situation = |(place, situation): (usize, Situation)| SituationFigures {
            name: situation.name().to_string(),
            unit: situation.unit().to_string(),
            mean_accuracy: 0.6,
            mean_macro_f1: 0.5,
            strengths: (0..)
                .zip(situation.strengths())
                .map(|(at, strength)| StrengthFigures {
                    strength,
                    figures: figures(170 - (place as u64 + 2) * at * at),
                })
                .collect(),
        };
        Robustness {
            split: "test".to_string(),
            n: 3200,
            seed: 0,
            undisturbed: figures(172),
            mean_accuracy: 0.6,
            mean_macro_f1: 0.5,
            situations: Situation::ALL
                .into_iter()
                .enumerate()
                .map(situation)
                .collect(),
            chosen_on_this_split: false,
        }
    }

    fn points(node: Node<'_, '_>) -> Vec<[f64; 2]> {
        let numbers = node.attribute("points").unwrap().split([' ', ',']);
        let numbers: Vec<f64> = numbers.map(|number| number.parse().unwrap()).collect();
        numbers.chunks(2).map(|pair| [pair[0], pair[1]]).collect()
    }

    fn close(one: f64, two: f64) -> bool {
        (one - two).abs() < 0.02
    }

    #[test]
    fn lines_bands_and_levels_stand_where_the_values_are() {
        let robustness = robustness();
        let drawn = svg(&robustness).unwrap();
        let document = Document::parse(&drawn).unwrap();
        let named = |tag: &str| -> Vec<Node<'_, '_>> {
            let nodes = document.descendants();
            nodes.filter(|node| node.has_tag_name(tag)).collect()
        };
        let (lines, bands) = (named("polyline"), named("polygon"));
        let levels: Vec<f64> = named("line")
            .iter()
            .filter(|node| node.has_attribute("stroke-dasharray"))
            .map(|node| node.attribute("y1").unwrap().parse().unwrap())
            .collect();
        assert_eq!((lines.len(), bands.len()), (8, 8));
        assert_eq!(levels.len(), 8 + 1, "and one in the legend");
        for (place, situation) in robustness.situations.iter().enumerate() {
            let (line, band) = (points(lines[place]), points(bands[place]));
            assert_eq!((line.len(), band.len()), (5, 10));
            let accuracies: Vec<f64> = situation
                .strengths
                .iter()
                .map(|strength| strength.figures.accuracy)
                .collect();
            let scale = (line[4][1] - line[0][1]) / (accuracies[0] - accuracies[4]);
            assert!(scale > 0.0, "less is lower");
            let y = |share: f64| line[0][1] + scale * (accuracies[0] - share);
            for (at, strength) in situation.strengths.iter().enumerate() {
                let interval = strength.figures.accuracy_interval;
                assert!(close(line[at][1], y(accuracies[at])));
                assert!(close(band[at][1], y(interval.high)));
                assert!(close(band[9 - at][1], y(interval.low)));
                assert!(line[at][0] == band[at][0] && line[at][0] == band[9 - at][0]);
            }
            assert!(close(levels[place + 1], y(robustness.undisturbed.accuracy)));
        }
    }

    #[test]
    fn every_situation_is_named_with_its_unit_and_strengths() {
        let drawn = svg(&robustness()).unwrap();
        let document = Document::parse(&drawn).unwrap();
        let texts = document
            .descendants()
            .filter(|node| node.has_tag_name("text"));
        let texts: Vec<&str> = texts
            .filter_map(|node| node.text())
            .map(str::trim)
            .collect();
        for situation in Situation::ALL {
            assert!(texts.contains(&situation.name()), "{situation}");
            assert!(texts.contains(&situation.unit()), "{situation}");
            for strength in situation.strengths() {
                assert!(texts.contains(&strength.to_string().as_str()), "{strength}");
            }
        }
        let summary = "test, 3,200 pictures: 86.0% right undisturbed";
        assert!(
            texts.iter().any(|text| text.starts_with(summary)),
            "{texts:?}"
        );
    }

    #[test]
    fn any_number_of_situations_and_strengths_is_drawn_and_none_is_refused() {
        let mut few = robustness();
        few.situations.truncate(5);
        few.situations[0].strengths.truncate(1);
        few.situations[1].strengths.clear();
        let size = |robustness: &Robustness| {
            let picture = image::load_from_memory(&png(robustness).unwrap()).unwrap();
            (picture.width(), picture.height())
        };
        assert_eq!(size(&few), size(&robustness()));
        few.situations.truncate(4);
        assert!(size(&few).1 < size(&robustness()).1);
        few.situations.clear();
        let refused = svg(&few).unwrap_err();
        assert!(matches!(refused, FigureError::Empty { what: "situation" }));
    }
}
