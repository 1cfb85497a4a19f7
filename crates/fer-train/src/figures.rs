//! The figures of a run, made from what it found.

use anyhow::Result;
use fer_data::{Dataset, random::stream};
use rand::seq::SliceRandom;

use crate::evaluation::Evaluation;
use crate::fit::Fit;
use crate::metrics::Report;
use crate::report::curves::EpochPoint;
use crate::report::samples::Sample;
use crate::report::{confusion_matrix, coverage, curves, reliability, samples};
use crate::run::RunDirectory;

/// How many pictures the grid of samples shows: the source document's two rows of five.
const SAMPLES: usize = 10;

/// Writes `curves.svg`: loss and accuracy over the epochs, the kept epoch marked.
///
/// # Errors
/// A file that cannot be written.
pub fn write_curves(run: &RunDirectory, fit: &Fit) -> Result<()> {
    let points: Vec<EpochPoint> = fit
        .history
        .iter()
        .map(|record| EpochPoint {
            epoch: record.epoch,
            train_loss: record.train_loss,
            train_accuracy: record.train_accuracy,
            validation_loss: record.validation_loss,
            validation_accuracy: record.validation_accuracy,
        })
        .collect();
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
    let mut shown = Vec::with_capacity(places.len());
    for place in places {
        let index = evaluation.indices[place];
        shown.push(Sample {
            pixels: dataset.picture(index)?.pixels(),
            truth: names.name(dataset.entry(index).label),
            predicted: names.name(evaluation.predicted[place]),
        });
    }
    run.write("samples.png", &samples::png(&shown)?)
}
