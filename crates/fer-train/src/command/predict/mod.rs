//! Predicting pictures: photographs whose faces are found first, or faces that are cut out already; a
//! few for people to read, or any number of them on many machines.

mod files;
mod shard;

mod answers;
mod drawing;
mod lines;

mod journal;
mod question;
#[cfg(feature = "parquet")]
mod rows;
mod saved;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use fer_data::face::FaceFinder;
use fer_model::{Classifier, thousands};
use rayon::prelude::*;

use crate::answer::{Answer, Reader, Seen};
use crate::command::Usage;
use crate::command::arguments::DeviceArguments;
use crate::command::model;
use crate::command::output::{self, People, percent};
use crate::command::predict::answers::Table;
use crate::command::predict::drawing::Copies;
use crate::command::predict::files::Named;
use crate::command::predict::journal::Journal;
use crate::command::predict::question::Question;
use crate::command::predict::shard::Shard;
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
    #[arg(required_unless_present = "list", value_name = "IMAGE|DIR")]
    images: Vec<PathBuf>,
    /// A file with further names of pictures, one a line; - for stdin
    #[arg(long, value_name = "FILE")]
    list: Option<PathBuf>,
    /// Answer one of N equal parts of the pictures, such as 3/16: what the parts print, or write as csv or
    /// JSON lines, is one after the other what all of it at once would be
    #[arg(long, value_name = "I/N", conflicts_with = "json")]
    shard: Option<Shard>,
    /// Take every picture for one face that is cut out already, and look for none
    #[arg(long)]
    no_detect: bool,
    /// Answer `unsure` where the model is not sure enough to be wrong in no more than this share of its
    /// answers, as on its validation pictures; such as 0.05 [default: it always answers]
    #[arg(long, value_name = "SHARE")]
    abstain_risk: Option<f64>,
    #[command(flatten)]
    output: OutputArguments,
    #[command(flatten)]
    device: DeviceArguments,
}

/// What becomes of the answers; without any of these, lines for people.
#[derive(Args)]
struct OutputArguments {
    /// Print one JSON array on stdout, an element a face, and everything else on stderr
    #[arg(long)]
    json: bool,
    /// Print JSON lines on stdout, an object a face, and everything else on stderr
    #[arg(long, conflicts_with = "json")]
    jsonl: bool,
    /// Print a table on stdout, a row a face, and everything else on stderr
    #[arg(long, conflicts_with_all = ["json", "jsonl"])]
    csv: bool,
    /// Write the answers into this file, whose name ends in .csv, .jsonl or .parquet, once they are
    /// complete. The same command goes on where it was stopped
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "jsonl", "csv", "draw"])]
    out: Option<PathBuf>,
    /// Write a copy of each picture into this directory, with its faces and their answers drawn in
    #[arg(long, value_name = "DIR")]
    draw: Option<PathBuf>,
}

impl OutputArguments {
    /// Whether people are told of what failed alone.
    fn is_data(&self) -> bool {
        self.json || self.jsonl || self.csv || self.out.is_some()
    }
}

pub(crate) fn run(arguments: &PredictArguments) -> Result<ExitCode> {
    if let Some(out) = &arguments.output.out {
        saved::Format::of(out).map_err(|error| Usage(error.to_string()))?;
    }
    let Named {
        mut files,
        incomplete,
    } = files::named(&arguments.images)?;
    if let Some(list) = &arguments.list {
        files.extend(files::listed(list)?);
    }
    let shard = arguments.shard.unwrap_or(Shard::WHOLE);
    let files = &files[shard.range(files.len())];
    let selected = arguments.device.device.select()?;
    let engine = arguments.device.engine.select()?;
    let model = model::load(arguments.model.as_deref(), &selected.device, engine)?;
    let classifier = Classifier::new(model, &selected.device)?;
    let threshold = match arguments.abstain_risk {
        Some(risk) => threshold(&classifier, risk)?,
        None => 0.0,
    };
    let finder = (!arguments.no_detect).then(FaceFinder::new);
    let predictor = Predictor {
        reader: Reader::new(finder, classifier.resize()),
        classifier,
        threshold,
    };
    let failed = match &arguments.output.out {
        Some(out) => {
            let question = Question {
                files: files.len(),
                names: question::names(files),
                model: question::model(arguments.model.as_deref())?,
                engine: format!("{engine} on {}", selected.name),
                settings: question::settings(!arguments.no_detect, threshold),
            };
            save(&predictor, files, out, shard, &question)?
        }
        None => print(&predictor, files, shard, &arguments.output)?,
    };
    Ok(if failed || incomplete {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Answers on stdout, as lines for people or as data, and in drawn copies; returns whether any failed.
fn print(
    predictor: &Predictor,
    files: &[PathBuf],
    shard: Shard,
    asked: &OutputArguments,
) -> Result<bool> {
    let people = People::beside_json(asked.is_data());
    let mut copies = asked.draw.as_deref().map(Copies::in_folder).transpose()?;
    let class_names = predictor.classifier.class_names();
    let mut table = asked.csv.then(|| Table::new(class_names, shard.is_first()));
    let mut elements = Vec::new();
    let mut failed = false;
    let bar = progress::over_pictures(files.len());
    for files in files.chunks(TOGETHER) {
        let answered = predictor.predict(files)?;
        if let Some(copies) = &mut copies {
            copies.draw(files, &answered)?;
        }
        let answers = || answered.iter().flatten();
        if let Some(table) = &mut table {
            output::data(&table.rows(answers())?)?;
        } else if asked.jsonl {
            output::json(&lines::of(answers())?)?;
        }
        bar.suspend(|| say(answers(), asked.is_data(), people))?;
        failed |= answers().any(Answer::is_failure);
        if asked.json {
            elements.extend(answered.into_iter().flatten());
        }
        bar.inc(files.len() as u64);
    }
    bar.finish_and_clear();
    if asked.json {
        output::json(&(serde_json::to_string_pretty(&elements)? + "\n"))?;
    }
    Ok(failed)
}

/// Answers in a file, by way of a journal beside it that a stopped command goes on with; returns whether
/// any failed.
fn save(
    predictor: &Predictor,
    files: &[PathBuf],
    out: &Path,
    shard: Shard,
    question: &Question,
) -> Result<bool> {
    let name = out.file_name().unwrap_or_default().to_string_lossy();
    let mut journal = Journal::open(&out.with_file_name(format!("{name}.journal")), question)?;
    let bar = progress::over_pictures(files.len());
    if journal.done() > 0 {
        let (done, all) = (thousands(journal.done()), thousands(files.len()));
        People::Stdout.say(&format!("goes on     after {done} of {all} files"))?;
        bar.inc(journal.done() as u64);
    }
    for files in files[journal.done()..].chunks(TOGETHER) {
        let answered = predictor.predict(files)?;
        journal.add(&answered)?;
        bar.suspend(|| say(answered.iter().flatten(), true, People::Stdout))?;
        bar.inc(files.len() as u64);
    }
    bar.finish_and_clear();
    let class_names = predictor.classifier.class_names();
    let counts = saved::save(out, shard.is_first(), class_names, journal.answers()?)?;
    journal.remove()?;
    People::Stdout.say(&format!(
        "saved       {}: {} answers of {} files, {} of them errors",
        out.display(),
        thousands(counts.answers),
        thousands(files.len()),
        thousands(counts.failures)
    ))?;
    Ok(counts.failures > 0)
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

/// What answers.
struct Predictor {
    reader: Reader,
    classifier: Classifier,
    threshold: f64,
}

impl Predictor {
    /// The answers for each file, at least one a file, in order.
    fn predict(&self, files: &[PathBuf]) -> Result<Vec<Vec<Answer>>> {
        let look = |file: &PathBuf| self.reader.look(file);
        let seen: Vec<Result<Vec<Seen>, String>> = files.par_iter().map(look).collect();
        let pictures: Vec<_> = seen
            .iter()
            .flatten()
            .flatten()
            .map(|seen| seen.picture.clone())
            .collect();
        let mut predictions = self.classifier.predict_many(&pictures)?.into_iter();
        let answers = |(file, seen): (&PathBuf, Result<Vec<Seen>, String>)| {
            let path = Some(shown(file));
            match seen {
                Err(error) => vec![Answer::Failed { path, error }],
                Ok(faces) if faces.is_empty() => vec![Answer::no_face(path)],
                Ok(faces) => faces
                    .into_iter()
                    .zip(predictions.by_ref())
                    .map(|(seen, prediction)| {
                        let bounds = seen.bounds;
                        Answer::predicted(path.clone(), bounds, &prediction, self.threshold)
                    })
                    .collect(),
            }
        };
        Ok(files.iter().zip(seen).map(answers).collect())
    }
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
