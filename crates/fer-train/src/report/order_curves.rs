//! Deletion and insertion: how the prediction falls and rises as a picture goes and comes in the order of
//! a map.

use svg::Document;

use super::canvas::text_width;
use super::chart::{BLUE, Chart, LABEL, head, path};
use super::drawing::{FAINT, WRONG, middle, sheet, text};
use super::error::FigureError;
use crate::insight::{Curve, Curves, OrderCurves};

const WIDTH: f32 = 470.0;
const HEIGHT: f32 = 440.0;
/// The orders and their colours.
const ORDERS: [(&str, &str); 3] = [("occlusion", BLUE), ("Grad-CAM", WRONG), ("random", FAINT)];

/// The curves of deletion as an SVG figure: the mean probability of the explained class over the share
/// of the picture that is blurred, for each order.
///
/// # Errors
/// [`FigureError::Empty`] without a point.
pub fn deletion(curves: &Curves) -> Result<String, FigureError> {
    svg(curves, "Deletion", "Blurred", |order| &order.deletion)
}

/// The curves of insertion as an SVG figure: the same while the cells of a blurred picture come back.
///
/// # Errors
/// [`FigureError::Empty`] without a point.
pub fn insertion(curves: &Curves) -> Result<String, FigureError> {
    svg(curves, "Insertion", "Brought back", |order| {
        &order.insertion
    })
}

fn svg(
    curves: &Curves,
    title: &str,
    across: &str,
    of: fn(&OrderCurves) -> &Curve,
) -> Result<String, FigureError> {
    if curves.share.is_empty() {
        return Err(FigureError::Empty { what: "point" });
    }
    let orders = [&curves.occlusion, &curves.grad_cam, &curves.random].map(of);
    let areas = ORDERS.iter().zip(orders);
    let areas: Vec<String> = areas
        .map(|((name, _), curve)| format!("{name} {:.3}", curve.area))
        .collect();
    let line = format!("area under the curve: {}", areas.join(", "));
    let chart = Chart {
        corner: (84.0, 112.0),
        size: (360.0, 270.0),
        highest: 1.0,
    };
    let figure = head(sheet(WIDTH, HEIGHT), title, &[line]);
    let mut figure = legend(chart.axes(figure, across, "Probability"));
    for ((_, colour), curve) in ORDERS.into_iter().zip(orders) {
        let points = curves.share.iter().zip(&curve.probability);
        let places: Vec<(f32, f32)> = points.map(|(&x, &y)| chart.place(x, y)).collect();
        figure = figure.add(path(&places, colour, 2.0));
    }
    Ok(figure.to_string())
}

fn legend(mut figure: Document) -> Document {
    let (mut x, y) = (84.0, 96.0);
    for (name, colour) in ORDERS {
        figure = figure
            .add(path(&[(x, y), (x + 22.0, y)], colour, 3.0))
            .add(text(name, x + 28.0, y + middle(LABEL), LABEL));
        x += 28.0 + 1.12 * text_width(name, LABEL) + 18.0;
    }
    figure
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn curves(share: &[f64]) -> Curves {
        let curve = |scale: f64| Curve {
            probability: share.iter().map(|share| scale * share).collect(),
            area: scale / 2.0,
        };
        let order = |scale| OrderCurves {
            deletion: curve(scale),
            insertion: curve(1.0),
        };
        Curves {
            share: share.to_vec(),
            occlusion: order(0.5),
            grad_cam: order(0.25),
            random: order(0.75),
        }
    }

    #[test]
    fn each_order_has_its_line_and_its_area() {
        let drawn = deletion(&curves(&[0.0, 0.5, 1.0])).unwrap();
        assert!(
            drawn.contains("occlusion 0.250, Grad-CAM 0.125, random 0.375"),
            "{drawn}"
        );
        // From the lower left corner to half and to a quarter of the height on the right.
        assert!(drawn.contains("84,382 264,314.5 444,247"), "{drawn}");
        assert!(drawn.contains("444,314.5"), "{drawn}");
        assert_ne!(drawn, insertion(&curves(&[0.0, 0.5, 1.0])).unwrap());
        assert!(matches!(
            insertion(&curves(&[])),
            Err(FigureError::Empty { what: "point" })
        ));
    }
}
