//! What is answered so far of many pictures, on disk: who is stopped goes on from there.
//!
//! Lines of JSON: first the question; then the answers of some files and, once they are all there, how
//! many files are done. What stands behind the last such line was cut off and is answered again.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::command::predict::lines;
use crate::command::predict::question::Question;

/// A line that closes the answers of some files.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Done {
    files_done: usize,
}

/// The file, open for one process alone.
pub(super) struct Journal {
    file: File,
    path: PathBuf,
    done: usize,
}

impl Journal {
    /// Begins a journal at `path`, or goes on with the one that is there.
    ///
    /// # Errors
    /// A file that cannot be written, that another process writes, or that answers something else.
    pub(super) fn open(path: &Path, question: &Question) -> Result<Self> {
        let cannot = || format!("cannot write {}", path.display());
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(path).with_context(cannot)?;
        match file.try_lock() {
            Ok(()) => (),
            Err(TryLockError::WouldBlock) => {
                bail!("{} is written by another process", path.display())
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(cannot),
        }
        let mut journal = Journal {
            file,
            path: path.to_path_buf(),
            done: 0,
        };
        journal.go_on(question)?;
        Ok(journal)
    }

    fn go_on(&mut self, question: &Question) -> Result<()> {
        let cannot = || format!("cannot read {}", self.path.display());
        let mut lines = Lines::new(&self.file).with_context(cannot)?;
        let mut end = 0;
        match lines.next().transpose().with_context(cannot)? {
            Some(first) => {
                let found: Question = serde_json::from_str(&first)
                    .with_context(|| format!("{} holds no answers", self.path.display()))?;
                differ(&self.path, &found, question)?;
                end = lines.read;
            }
            None => self.done = 0,
        }
        while let Some(line) = lines.next().transpose().with_context(cannot)? {
            if let Ok(done) = serde_json::from_str::<Done>(&line) {
                self.done = done.files_done;
                end = lines.read;
            }
        }
        ensure!(
            self.done <= question.files,
            "{}: {} of {} files are done",
            self.path.display(),
            self.done,
            question.files
        );
        self.file.set_len(end)?;
        self.file.seek(SeekFrom::End(0))?;
        if end == 0 {
            let line = serde_json::to_string(question)? + "\n";
            self.file.write_all(line.as_bytes()).with_context(cannot)?;
        }
        Ok(())
    }

    /// How many files are answered.
    pub(super) fn done(&self) -> usize {
        self.done
    }

    /// Adds the answers of the next files.
    ///
    /// # Errors
    /// A disk that is full; what was added before stays.
    pub(super) fn add(&mut self, answers: &[Vec<Answer>]) -> Result<()> {
        let files_done = self.done + answers.len();
        let mut text = lines::of(answers.iter().flatten())?;
        text += &serde_json::to_string(&Done { files_done })?;
        text.push('\n');
        self.file
            .write_all(text.as_bytes())
            .with_context(|| format!("cannot write {}", self.path.display()))?;
        self.done = files_done;
        Ok(())
    }

    /// The answers in order.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub(super) fn answers(&self) -> Result<impl Iterator<Item = Result<Answer>>> {
        let cannot = || format!("cannot read {}", self.path.display());
        let lines = Lines::new(&self.file).with_context(cannot)?.skip(1);
        let path = self.path.clone();
        Ok(lines.filter_map(move |line| {
            let answer = |line: String| match serde_json::from_str::<Done>(&line) {
                Ok(_) => Ok(None),
                Err(_) => serde_json::from_str(&line).map(Some),
            };
            line.map_err(anyhow::Error::from)
                .and_then(|line| Ok(answer(line)?))
                .with_context(|| format!("cannot read {}", path.display()))
                .transpose()
        }))
    }

    /// Takes the file away, once its answers are elsewhere.
    ///
    /// # Errors
    /// A file that cannot be removed.
    pub(super) fn remove(self) -> Result<()> {
        fs::remove_file(&self.path)
            .with_context(|| format!("cannot remove {}", self.path.display()))
    }
}

/// Refuses answers to another question, naming what is another.
fn differ(path: &Path, found: &Question, asked: &Question) -> Result<()> {
    let pairs = [
        (
            "the number of files",
            &found.files.to_string(),
            &asked.files.to_string(),
        ),
        ("the names of the files", &found.names, &asked.names),
        ("the model", &found.model, &asked.model),
        ("the engine", &found.engine, &asked.engine),
        ("the settings", &found.settings, &asked.settings),
    ];
    for (what, was, is) in pairs {
        ensure!(
            was == is,
            "{} was begun with other arguments: {what} was {was} and is {is}; delete it, or name another file with --out",
            path.display()
        );
    }
    Ok(())
}

/// Whole lines from the start of a file, and how many bytes they are.
struct Lines<'a> {
    reader: BufReader<&'a File>,
    read: u64,
}

impl<'a> Lines<'a> {
    fn new(file: &'a File) -> std::io::Result<Self> {
        let mut reader = BufReader::with_capacity(1 << 18, file);
        reader.rewind()?;
        Ok(Lines { reader, read: 0 })
    }
}

impl Iterator for Lines<'_> {
    type Item = std::io::Result<String>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = Vec::new();
        match self.reader.read_until(b'\n', &mut line) {
            Err(error) => Some(Err(error)),
            // The last line is whole only with its end.
            Ok(_) if line.pop() != Some(b'\n') => None,
            Ok(length) => {
                self.read += length as u64;
                Some(String::from_utf8(line).map_err(std::io::Error::other))
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn question() -> Question {
        Question {
            files: 4,
            names: "a".into(),
            model: "b".into(),
            engine: "plain".into(),
            settings: "c".into(),
        }
    }

    fn answers(names: &[&str]) -> Vec<Vec<Answer>> {
        let answer = |name: &&str| vec![Answer::no_face(Some(name.to_string()))];
        names.iter().map(answer).collect()
    }

    fn names(journal: &Journal) -> Vec<String> {
        let answers = journal.answers().unwrap();
        answers
            .map(|answer| match answer.unwrap() {
                Answer::Failed { path, .. } => path.unwrap(),
                Answer::Predicted { .. } => unreachable!("no face"),
            })
            .collect()
    }

    #[test]
    fn cut_anywhere_it_goes_on_behind_the_files_that_are_done() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("answers");
        let mut journal = Journal::open(&path, &question()).unwrap();
        journal.add(&answers(&["1", "2"])).unwrap();
        let first = fs::metadata(&path).unwrap().len();
        journal.add(&answers(&["3", "4"])).unwrap();
        drop(journal);
        let whole = fs::read(&path).unwrap();
        for length in 0..=whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let Ok(mut journal) = Journal::open(&path, &question()) else {
                panic!("cut to {length} bytes");
            };
            let done = journal.done();
            let expected = match length as u64 {
                length if length < first => 0,
                length if length < whole.len() as u64 => 2,
                _ => 4,
            };
            assert_eq!(done, expected, "cut to {length} bytes");
            journal
                .add(&answers(&["1", "2", "3", "4"][done..]))
                .unwrap();
            assert_eq!(names(&journal), ["1", "2", "3", "4"]);
        }
    }

    #[test]
    fn another_question_and_a_second_process_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("answers");
        let journal = Journal::open(&path, &question()).unwrap();
        let said = Journal::open(&path, &question()).err().unwrap().to_string();
        assert!(said.contains("another process"), "{said}");
        drop(journal);
        let other = Question {
            model: "d".into(),
            ..question()
        };
        let said = Journal::open(&path, &other).err().unwrap().to_string();
        assert!(said.contains("the model was b and is d"), "{said}");
        fs::write(&path, "a picture\n").unwrap();
        let said = Journal::open(&path, &question()).err().unwrap().to_string();
        assert!(said.contains("holds no answers"), "{said}");
        Journal::open(&path, &question()).err().unwrap();
    }
}
