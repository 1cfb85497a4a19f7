//! Loss and accuracy over the epochs of a run, for training and validation.

mod panel;

use plotters::prelude::{IntoDrawingArea, SVGBackend, WHITE};
use svg::node::Blob;

use self::panel::{Panel, SCALE};
use super::axis::{Axis, Unit};
use super::drawing;
use super::error::FigureError;
use crate::fit::EpochRecord;

/// What is known of the model at the end of one epoch.
#[derive(Clone, Copy, Debug)]
pub struct EpochPoint {
    /// Number of the epoch; the first is 1.
    pub epoch: usize,
    /// Mean loss of the training pictures, in nats.
    pub train_loss: f64,
    /// Share of the training pictures named rightly, 0 to 1.
    pub train_accuracy: f64,
    /// Mean loss of the validation pictures, in nats; none without validation.
    pub validation_loss: Option<f64>,
    /// Share of the validation pictures named rightly, 0 to 1; none without validation.
    pub validation_accuracy: Option<f64>,
}

impl From<&EpochRecord> for EpochPoint {
    fn from(record: &EpochRecord) -> Self {
        EpochPoint {
            epoch: record.epoch,
            train_loss: record.train_loss,
            train_accuracy: record.train_accuracy,
            validation_loss: record.validation_loss,
            validation_accuracy: record.validation_accuracy,
        }
    }
}

const WIDTH: u32 = 960;
const HEIGHT: u32 = 380;

/// The curves as an SVG figure of two panels, loss and accuracy. `best_epoch` is the number of the
/// epoch that was kept; where it is one of `points`, it is marked with its value (of validation
/// where there is one). Values that are not finite are left out.
///
/// # Errors
/// [`FigureError::Empty`] without points, [`FigureError::Plot`] when drawing fails.
pub fn svg(points: &[EpochPoint], best_epoch: Option<usize>) -> Result<String, FigureError> {
    let epochs = points.iter().map(|point| point.epoch);
    let (Some(first), Some(last)) = (epochs.clone().min(), epochs.max()) else {
        return Err(FigureError::Empty { what: "epoch" });
    };
    let best = points.iter().find(|point| Some(point.epoch) == best_epoch);
    let series = |value: &dyn Fn(&EpochPoint) -> Option<f64>| -> Vec<(f64, f64)> {
        let known = points
            .iter()
            .filter_map(|point| Some((point.epoch as f64, value(point)?)));
        known.filter(|(_, value)| value.is_finite()).collect()
    };
    let panel = |title, unit, train: &dyn Fn(&EpochPoint) -> f64, validation: Value| {
        let curves = [series(&|point| Some(train(point))), series(validation)];
        let best = best.map(|point| (point.epoch, validation(point).unwrap_or(train(point))));
        let values = Axis::values(curves.iter().flatten().map(|&(_, value)| value), unit);
        Panel {
            title,
            curves,
            best,
            epochs: Axis::epochs(first, last),
            values,
        }
    };
    draw([
        panel("Loss", Unit::Nats, &|point| point.train_loss, &|point| {
            point.validation_loss
        }),
        panel(
            "Accuracy",
            Unit::Share,
            &|point| point.train_accuracy,
            &|point| point.validation_accuracy,
        ),
    ])
}

type Value<'a> = &'a dyn Fn(&EpochPoint) -> Option<f64>;

fn draw(panels: [Panel; 2]) -> Result<String, FigureError> {
    let (width, height) = (WIDTH * SCALE, HEIGHT * SCALE);
    let mut drawn = String::new();
    {
        let root = SVGBackend::with_string(&mut drawn, (width, height)).into_drawing_area();
        root.fill(&WHITE)?;
        for (panel, area) in panels.iter().zip(root.split_evenly((1, panels.len()))) {
            panel.draw(&root, &area)?;
        }
        root.present()?;
    }
    // The backend draws on whole units only: fine ones, shown at their true size, keep lines smooth.
    let figure = drawing::document(WIDTH as f32, HEIGHT as f32)
        .set("viewBox", format!("0 0 {width} {height}"))
        .add(Blob::new(drawn));
    Ok(figure.to_string())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use resvg::usvg::roxmltree;

    use super::super::canvas;
    use super::*;

    fn points(epochs: usize) -> Vec<EpochPoint> {
        let point = |epoch: usize| EpochPoint {
            epoch,
            train_loss: 2.0 / epoch as f64,
            train_accuracy: 1.0 - 0.8 / epoch as f64,
            validation_loss: Some(2.1 / epoch as f64),
            validation_accuracy: Some(0.95 - 0.8 / epoch as f64),
        };
        (1..=epochs).map(point).collect()
    }

    fn texts(svg: &str) -> Vec<String> {
        let document = roxmltree::Document::parse(svg).unwrap();
        let texts = document
            .descendants()
            .filter(|node| node.has_tag_name("text"));
        texts
            .map(|node| node.text().unwrap_or_default().trim().to_owned())
            .collect()
    }

    #[test]
    fn both_panels_name_their_curves_and_the_best_epoch() {
        let texts = texts(&svg(&points(10), Some(4)).unwrap());
        let count = |wanted: &str| texts.iter().filter(|text| *text == wanted).count();
        for (text, times) in [
            ("Loss", 1),
            ("Accuracy", 1),
            ("train", 2),
            ("validation", 2),
        ] {
            assert_eq!(count(text), times, "{text} in {texts:?}");
        }
        assert_eq!(count("best epoch 4: 0.525"), 1, "{texts:?}");
        assert_eq!(count("best epoch 4: 75.0%"), 1, "{texts:?}");
    }

    #[test]
    fn without_validation_there_is_one_curve_and_no_mark() {
        let mut points = points(3);
        for point in &mut points {
            (point.validation_loss, point.validation_accuracy) = (None, None);
        }
        let texts = texts(&svg(&points, None).unwrap());
        assert!(!texts.iter().any(|text| text == "validation"), "{texts:?}");
        assert!(
            !texts.iter().any(|text| text.starts_with("best")),
            "{texts:?}"
        );
    }

    #[test]
    fn values_that_are_not_finite_leave_a_figure() {
        let mut points = points(3);
        points[1].train_loss = f64::NAN;
        points[2].validation_loss = Some(f64::INFINITY);
        let figure = svg(&points, Some(3)).unwrap();
        assert!(!figure.contains("NaN"), "{figure}");
        points.iter_mut().for_each(|point| {
            (point.train_loss, point.validation_loss) = (f64::NAN, None);
        });
        assert!(svg(&points, Some(1)).is_ok());
    }

    #[test]
    fn any_number_of_epochs_is_drawn_at_one_size() {
        for epochs in [1, 2, 10, 100, 1000] {
            let figure = svg(&points(epochs), Some(epochs)).unwrap();
            let picture = image::load_from_memory(&canvas::png(&figure, 0.5).unwrap()).unwrap();
            assert_eq!((picture.width(), picture.height()), (WIDTH / 2, HEIGHT / 2));
        }
        assert!(matches!(
            svg(&[], None),
            Err(FigureError::Empty { what: "epoch" })
        ));
    }

    #[test]
    fn the_figure_is_the_same_each_time_and_follows_the_values() {
        let mut changed = points(10);
        changed[6].validation_accuracy = Some(0.7);
        let figure = |points: &[EpochPoint]| svg(points, Some(4)).unwrap();
        assert_eq!(figure(&points(10)), figure(&points(10)));
        assert_ne!(figure(&points(10)), figure(&changed));
    }
}
