//! The figures of a run, made from what it found.

mod explanation;

use anyhow::{Context, Result};
use fer_data::{Dataset, PIXELS, Picture, Situation, random::stream};
use rand::seq::SliceRandom;

use crate::evaluation::Evaluation;
use crate::fit::Fit;
use crate::metrics::Report;
use crate::predictions::Predictions;
use crate::report::contact_sheet::{self, Row};
use crate::report::curves::EpochPoint;
use crate::report::gallery::{self, Gallery};
use crate::report::html;
use crate::report::samples::Sample;
use crate::report::{self, confusion_matrix, coverage, curves, reliability, samples};
use crate::robustness::Robustness;
use crate::run::RunDirectory;

pub use explanation::write_explanation;

/// How many pictures the grid of samples shows: the source document's two rows of five.
const SAMPLES: usize = 10;

/// Writes `curves.svg`: loss and accuracy over the epochs, the kept epoch marked.
///
/// # Errors
/// A file that cannot be written.
pub fn write_curves(run: &RunDirectory, fit: &Fit) -> Result<()> {
    let points: Vec<EpochPoint> = fit.history.iter().map(EpochPoint::from).collect();
    run.write(
        "curves.svg",
        curves::svg(&points, Some(fit.epoch))?.as_bytes(),
    )
}

/// Writes `confusion_matrix.csv`, `.svg` and `.png`.
///
/// # Errors
/// A file that cannot be written.
pub fn write_confusion_matrix(run: &RunDirectory, report: &Report) -> Result<()> {
    let names: Vec<String> = report
        .classes
        .iter()
        .map(|class| class.name.clone())
        .collect();
    let rows = report.confusion_matrix.rows();
    run.write(
        "confusion_matrix.csv",
        confusion_matrix::csv(&names, rows)?.as_bytes(),
    )?;
    run.write(
        "confusion_matrix.svg",
        confusion_matrix::svg(&names, rows)?.as_bytes(),
    )?;
    run.write(
        "confusion_matrix.png",
        &confusion_matrix::png(&names, rows)?,
    )
}

/// Writes `reliability.svg` and `.png`, where the report tells of it.
///
/// # Errors
/// A file that cannot be written.
pub fn write_reliability(run: &RunDirectory, report: &Report) -> Result<()> {
    let Some(calibration) = &report.calibration else {
        return Ok(());
    };
    run.write("reliability.svg", reliability::svg(calibration)?.as_bytes())?;
    run.write("reliability.png", &reliability::png(calibration)?)
}

/// Writes `coverage.svg` and `.png`, where the report tells of it.
///
/// # Errors
/// A file that cannot be written.
pub fn write_coverage(run: &RunDirectory, report: &Report) -> Result<()> {
    let Some(curve) = &report.coverage else {
        return Ok(());
    };
    run.write("coverage.svg", coverage::svg(curve)?.as_bytes())?;
    run.write("coverage.png", &coverage::png(curve)?)
}

/// Writes `samples.png`: ten judged pictures drawn by `seed`, each with its true and its
/// predicted class.
///
/// # Errors
/// A picture that cannot be read, or a file that cannot be written.
pub fn write_samples(
    run: &RunDirectory,
    dataset: &Dataset,
    evaluation: &Evaluation,
    seed: u64,
) -> Result<()> {
    let mut places: Vec<usize> = (0..evaluation.indices.len()).collect();
    places.shuffle(&mut stream(seed, "samples", 0));
    places.truncate(SAMPLES);
    let names = dataset.class_names();
    let pictures = places
        .iter()
        .map(|&place| dataset.picture(evaluation.indices[place]))
        .collect::<Result<Vec<Picture>, _>>()?;
    let shown = places
        .iter()
        .zip(&pictures)
        .map(|(&place, picture)| Sample {
            pixels: picture.pixels(),
            truth: names.name(dataset.entry(evaluation.indices[place]).label),
            predicted: names.name(evaluation.predicted[place]),
        });
    let shown: Vec<Sample> = shown.collect();
    run.write("samples.png", &samples::png(&shown)?)
}

/// Writes `gallery.png` and `gallery.json`: the pictures that a report shows of those at `indices` of
/// the data set, which the rows of `predictions` judge in this order; those at the places `named`
/// among them.
///
/// # Errors
/// A picture that cannot be read, or a file that cannot be written.
pub fn write_gallery(
    run: &RunDirectory,
    dataset: &Dataset,
    indices: &[usize],
    predictions: &Predictions,
    named: &[usize],
) -> Result<()> {
    let gallery = Gallery::choose(predictions, named);
    let chosen = gallery.tiles.iter();
    let pictures: Vec<_> = chosen
        .map(|tile| dataset.picture(indices[tile.row]))
        .collect::<Result<_, _>>()?;
    let sprite = gallery.sprite(pictures.iter().map(|picture| picture.pixels().as_slice()))?;
    run.write(gallery::PICTURES, &sprite)?;
    let list = serde_json::to_string_pretty(&gallery)? + "\n";
    run.write(gallery::LIST, list.as_bytes())
}

/// Writes `report.html` from what lies in the directory.
///
/// # Errors
/// A file in it that is not what it should be, a directory with nothing to report, or a file that
/// cannot be written.
pub fn write_html(run: &RunDirectory) -> Result<()> {
    let contents = html::Contents::read(run.path())?;
    run.write(html::FILE, html::page(&contents)?.as_bytes())
}

/// Writes `robustness.svg` and `.png`.
///
/// # Errors
/// A file that cannot be written.
pub fn write_robustness(run: &RunDirectory, robustness: &Robustness) -> Result<()> {
    let drawn = report::robustness::svg(robustness)?;
    run.write("robustness.svg", drawn.as_bytes())?;
    run.write("robustness.png", &report::robustness::png(robustness)?)
}

/// Writes `situations.png`: of the pictures `indices` the most typical one, as it is and at each
/// strength of each situation.
///
/// # Errors
/// No picture, one that cannot be read, or a file that cannot be written.
pub fn write_situations(
    run: &RunDirectory,
    dataset: &Dataset,
    indices: &[usize],
    seed: u64,
) -> Result<()> {
    let index = most_typical(dataset, indices)?;
    let picture = dataset.picture(index)?;
    let labels = Situation::ALL.map(|situation| {
        let [weakest, .., strongest] = situation.strengths();
        format!("{situation}, {weakest} to {strongest}")
    });
    let disturbed = Situation::ALL.map(|situation| {
        let at = |strength| situation.at(strength, seed).apply(&picture, index as u64);
        situation.strengths().map(at)
    });
    let rows = labels.iter().zip(&disturbed).map(|(label, pictures)| Row {
        label,
        pictures: [&picture]
            .into_iter()
            .chain(pictures)
            .map(|picture: &Picture| picture.pixels().as_slice())
            .collect(),
    });
    let rows: Vec<Row> = rows.collect();
    let columns = rows.iter().map(|row| row.pictures.len()).max().unwrap_or(1);
    run.write("situations.png", &contact_sheet::png(&rows, columns)?)
}

/// The picture that goes best with the mean of them all, by correlation: the first of equals.
fn most_typical(dataset: &Dataset, indices: &[usize]) -> Result<usize> {
    let first = *indices.first().context("there is no picture to show")?;
    let mut sums = vec![0; PIXELS];
    for &index in indices {
        for (sum, &value) in sums.iter_mut().zip(dataset.picture(index)?.pixels()) {
            *sum += usize::from(value);
        }
    }
    let mean = sums.iter().map(|sum| (sum / indices.len()) as u8);
    let mean = Picture::from_pixels(&mean.collect::<Vec<u8>>(), "the mean picture")?;
    let mut best = (first, f64::MIN);
    for &index in indices {
        let likeness = dataset.picture(index)?.correlation(&mean).unwrap_or(-1.0);
        if likeness > best.1 {
            best = (index, likeness);
        }
    }
    Ok(best.0)
}
