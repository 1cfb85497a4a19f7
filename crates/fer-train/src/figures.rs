//! The figures of a run, made from what it found.

use anyhow::{Context, Result};
use fer_data::{Dataset, PIXELS, Picture, Situation, random::stream};
use rand::seq::SliceRandom;

use crate::evaluation::Evaluation;
use crate::fit::Fit;
use crate::metrics::Report;
use crate::report::contact_sheet::{self, Row};
use crate::report::curves::EpochPoint;
use crate::report::samples::Sample;
use crate::report::{self, confusion_matrix, curves, samples};
use crate::robustness::Robustness;
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
        let at = |strength| situation.at(strength, seed).apply(picture, index as u64);
        situation.strengths().map(at)
    });
    let rows = labels.iter().zip(&disturbed).map(|(label, pictures)| Row {
        label,
        pictures: [picture]
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
