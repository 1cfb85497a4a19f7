//! Predicting pictures: photographs whose faces are found first, or faces that are cut out already.

mod answers;
mod drawing;
mod files;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use fer_data::face::FaceFinder;
use fer_model::Classifier;
use rayon::prelude::*;

use crate::answer::{Answer, Reader, Seen};
use crate::command::arguments::DeviceArguments;
use crate::command::model;
use crate::command::output::{self, People, percent};
use crate::command::predict::answers::Table;
use crate::command::predict::drawing::Copies;
use crate::command::progress;

/// Pictures that are decoded and predicted together.
const TOGETHER: usize = 32;

/// What `predict` takes.
#[derive(Args)]
pub(crate) struct PredictArguments {
    /// The saved model [default: the built-in one]
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
    /// Photographs, folders of them, or patterns such as 'holiday/*.jpg': PNG, JPEG, BMP, GIF, WebP,
    /// TIFF or PNM. Each face in them is predicted; what is 64×64 or smaller is taken for a face
    #[arg(required = true, value_name = "IMAGE|DIR")]
    images: Vec<PathBuf>,
    /// Take every picture for one face that is cut out already, and look for none
    #[arg(long)]
    no_detect: bool,
    /// Answer `unsure` where the model is not sure enough to be wrong in no more than this share of its
    /// answers, as on its validation pictures; such as 0.05 [default: it always answers]
    #[arg(long, value_name = "SHARE")]
    abstain_risk: Option<f64>,
    /// Print one JSON array on stdout, an element a face, and everything else on stderr
    #[arg(long)]
    json: bool,
    /// Print a table on stdout, a row a face, and everything else on stderr
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Write a copy of each picture into this directory, with its faces and their answers drawn in
    #[arg(long, value_name = "DIR")]
    draw: Option<PathBuf>,
    #[command(flatten)]
    device: DeviceArguments,
}

pub(crate) fn run(arguments: &PredictArguments) -> Result<ExitCode> {
    let people = People::beside_json(arguments.json || arguments.csv);
    let files = files::named(&arguments.images)?;
    let selected = arguments.device.device.select()?;
    let engine = arguments.device.engine.select()?;
    let model = model::load(arguments.model.as_deref(), &selected.device, engine)?;
    let classifier = Classifier::new(model, &selected.device)?;
    let threshold = match arguments.abstain_risk {
        Some(risk) => threshold(&classifier, risk)?,
        None => 0.0,
    };
    let finder = (!arguments.no_detect).then(FaceFinder::new);
    let reader = Reader::new(finder, classifier.resize());
    let mut copies = arguments
        .draw
        .as_deref()
        .map(Copies::in_folder)
        .transpose()?;
    let mut table = arguments.csv.then(|| Table::new(classifier.class_names()));
    let mut elements = Vec::new();
    let mut failed = false;
    let bar = progress::over_pictures(files.len());
    for files in files.chunks(TOGETHER) {
        let answered = predict(&classifier, threshold, &reader, files)?;
        if let Some(copies) = &mut copies {
            copies.draw(files, &answered)?;
        }
        if let Some(table) = &mut table {
            output::data(&table.rows(answered.iter().flatten())?)?;
        }
        let quiet = arguments.json || arguments.csv;
        bar.suspend(|| say(answered.iter().flatten(), quiet, people))?;
        failed |= answered.iter().flatten().any(Answer::is_failure);
        if arguments.json {
            elements.extend(answered.into_iter().flatten());
        }
        bar.inc(files.len() as u64);
    }
    bar.finish_and_clear();
    if arguments.json {
        output::data(&(serde_json::to_string_pretty(&elements)? + "\n"))?;
    }
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// How sure the model must be to keep this risk; says on stderr what that comes to.
fn threshold(classifier: &Classifier, risk: f64) -> Result<f64> {
    let step = classifier.at_risk(risk).context("--abstain-risk")?;
    People::Stderr.say(&format!(
        "unsure      below {}: on validation {} was answered, and {} of that was wrong",
        percent(step.threshold),
        percent(step.coverage),
        percent(step.risk)
    ))?;
    Ok(step.threshold)
}

/// The answers for each file, at least one a file, in order.
fn predict(
    classifier: &Classifier,
    threshold: f64,
    reader: &Reader,
    files: &[PathBuf],
) -> Result<Vec<Vec<Answer>>> {
    let look = |file: &PathBuf| reader.look(file);
    let seen: Vec<Result<Vec<Seen>, String>> = files.par_iter().map(look).collect();
    let pictures: Vec<_> = seen
        .iter()
        .flatten()
        .flatten()
        .map(|seen| seen.picture.clone())
        .collect();
    let mut predictions = classifier.predict_many(&pictures)?.into_iter();
    let answers = |(file, seen): (&PathBuf, Result<Vec<Seen>, String>)| {
        let path = Some(shown(file));
        match seen {
            Err(error) => vec![Answer::Failed { path, error }],
            Ok(faces) if faces.is_empty() => vec![Answer::no_face(path)],
            Ok(faces) => faces
                .into_iter()
                .zip(predictions.by_ref())
                .map(|(seen, prediction)| {
                    Answer::predicted(path.clone(), seen.bounds, &prediction, threshold)
                })
                .collect(),
        }
    };
    Ok(files.iter().zip(seen).map(answers).collect())
}

fn shown(file: &Path) -> String {
    file.display().to_string()
}

/// Tells people; beside data only what failed.
fn say<'a>(answers: impl Iterator<Item = &'a Answer>, quiet: bool, people: People) -> Result<()> {
    for answer in answers {
        if answer.is_failure() {
            People::Stderr.say(&answer.line())?;
        } else if !quiet {
            people.say(&answer.line())?;
        }
    }
    Ok(())
}
