use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use fer_data::ClassNames;
use fer_model::file::replace_with;

use crate::answer::Answer;
use crate::command::predict::answers::Table;
use crate::command::predict::lines;

/// Answers that are written together; in Parquet, a group of rows.
const TOGETHER: usize = 10_000;

/// What answers are written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Csv,
    JsonLines,
    Parquet,
}

impl Format {
    /// What a file's name says.
    pub(super) fn of(path: &Path) -> Result<Self> {
        let ending = path.extension().and_then(|ending| ending.to_str());
        match ending.map(str::to_ascii_lowercase).as_deref() {
            Some("csv") => Ok(Format::Csv),
            Some("jsonl" | "ndjson") => Ok(Format::JsonLines),
            Some("parquet") if cfg!(feature = "parquet") => Ok(Format::Parquet),
            Some("parquet") => {
                bail!("this build has no Parquet; build with `--features parquet`")
            }
            _ => bail!(
                "{}: expected a name that ends in .csv, .jsonl or .parquet, which says what is written",
                path.display()
            ),
        }
    }
}

/// How many answers there are, and how many of them are failures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) answers: usize,
    pub(super) failures: usize,
}

/// Writes a file of answers in one step, as its name says. A csv has the names of its columns where
/// `begins`: of those that are put together, the first.
pub(super) fn save(
    path: &Path,
    begins: bool,
    class_names: &ClassNames,
    answers: impl Iterator<Item = Result<Answer>>,
) -> Result<Counts> {
    let format = Format::of(path)?;
    let written = replace_with(path, |file| match format {
        Format::Csv => {
            let mut table = Table::new(class_names, begins);
            text(file, answers, |part| table.rows(part.iter()))
        }
        Format::JsonLines => text(file, answers, |part| lines::of(part.iter())),
        Format::Parquet => parquet(file, class_names, answers),
    });
    written.with_context(|| format!("cannot write {}", path.display()))
}

fn text(
    file: &mut File,
    answers: impl Iterator<Item = Result<Answer>>,
    mut lines: impl FnMut(&[Answer]) -> Result<String>,
) -> Result<Counts> {
    let mut file = BufWriter::new(file);
    // A table without an answer has the names of its columns all the same.
    file.write_all(lines(&[])?.as_bytes())?;
    let counts = by_parts(answers, |part| Ok(file.write_all(lines(part)?.as_bytes())?))?;
    file.flush()?;
    Ok(counts)
}

#[cfg(feature = "parquet")]
fn parquet(
    file: &mut File,
    class_names: &ClassNames,
    answers: impl Iterator<Item = Result<Answer>>,
) -> Result<Counts> {
    let mut rows = super::rows::Rows::new(file, class_names)?;
    let counts = by_parts(answers, |part| rows.add(part))?;
    rows.close()?;
    Ok(counts)
}

#[cfg(not(feature = "parquet"))]
fn parquet(
    _file: &mut File,
    _class_names: &ClassNames,
    _answers: impl Iterator<Item = Result<Answer>>,
) -> Result<Counts> {
    bail!("this build has no Parquet")
}

fn by_parts(
    mut answers: impl Iterator<Item = Result<Answer>>,
    mut write: impl FnMut(&[Answer]) -> Result<()>,
) -> Result<Counts> {
    let mut counts = Counts::default();
    loop {
        let part: Vec<Answer> = answers.by_ref().take(TOGETHER).collect::<Result<_>>()?;
        if part.is_empty() {
            return Ok(counts);
        }
        write(&part)?;
        counts.answers += part.len();
        counts.failures += part.iter().filter(|answer| answer.is_failure()).count();
    }
}
