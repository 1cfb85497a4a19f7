use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{self, Write};

use anyhow::Result;
use fer_data::printable;

/// Where the lines for people go: to stdout, or to stderr where stdout carries data alone.
#[derive(Clone, Copy)]
pub(crate) enum People {
    Stdout,
    Stderr,
    /// Of several processes one alone speaks.
    Nobody,
}

impl People {
    /// Beside JSON people read stderr.
    pub(crate) fn beside_json(json: bool) -> Self {
        if json { People::Stderr } else { People::Stdout }
    }

    /// Says one line, with what would steer a terminal or begin another line written out. That nobody reads on, as after `head` or when the terminal was closed, is no
    /// failure: work goes on.
    pub(crate) fn say(self, line: &str) -> io::Result<()> {
        let line = printable(line);
        let said = match self {
            People::Stdout => writeln!(io::stdout(), "{line}"),
            People::Stderr => writeln!(io::stderr(), "{line}"),
            People::Nobody => Ok(()),
        };
        match said {
            Err(error) if is_gone(&error) => Ok(()),
            said => said,
        }
    }
}

/// Whether a reader went away: a pipe without an end, or a terminal that was closed.
fn is_gone(error: &io::Error) -> bool {
    /// What a system answers who writes to a closed terminal (`EIO`).
    const CLOSED_TERMINAL: i32 = 5;
    error.kind() == io::ErrorKind::BrokenPipe
        || (cfg!(unix) && error.raw_os_error() == Some(CLOSED_TERMINAL))
}

/// Writes data to stdout as they are.
pub(crate) fn data(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Writes a JSON text to stdout, with what would steer a terminal written as JSON writes any letter.
pub(crate) fn json(text: &str) -> Result<()> {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        let mut buffer = [0; 4];
        match printable(letter.encode_utf8(&mut buffer)) {
            Cow::Owned(_) if letter != '\n' => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    shown += &format!("\\u{unit:04x}");
                }
            }
            _ => shown.push(letter),
        }
    }
    data(&shown)
}

/// Tells on stderr what went wrong and what led to it.
pub(crate) fn complain(error: &anyhow::Error) {
    let mut out = io::stderr().lock();
    // There is nobody left to tell when stderr is closed.
    let _ = writeln!(out, "error: {}", indented(&chain(error)));
}

/// A message as a terminal may show it: a line of it that is not the first is indented, so that no name
/// can pass for a message of its own.
fn indented(message: &str) -> String {
    let lines: Vec<_> = message.lines().map(printable).collect();
    lines.join("\n       ")
}

/// Tells how the command was used wrongly. It names what was typed, which may be the names of files that a
/// pattern of the shell stands for.
pub(crate) fn misused(error: &clap::Error, arguments: &[OsString]) {
    let mut words = arguments.iter().map(|word| word.to_string_lossy());
    // A closed terminal is no reason to fail differently.
    let _ = match words.any(|word| printable(&word) != word) {
        true => writeln!(io::stderr(), "{}", indented(&error.render().to_string())),
        false => error.print(),
    };
}

/// An error and what led to it, each said once: some errors name their cause themselves.
pub(crate) fn chain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

/// Whether the reader of our output went away, as `head` does.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<io::Error>();
        io.is_some_and(|io| io.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// What is said in place of the figures of a class that has fewer than ten pictures.
pub(crate) const TOO_FEW: &str = "too few to say";

/// A share as a percentage with one decimal.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn what_would_steer_a_terminal_is_written_out() {
        assert_eq!(
            indented("a\u{1b}[31mb\nerror: c"),
            "a\\u{1b}[31mb\n       error: c"
        );
    }

    #[test]
    fn a_cause_that_was_named_already_is_not_named_again() {
        let error = anyhow!("no such file").context("cannot read a.csv: no such file");
        assert_eq!(chain(&error), "cannot read a.csv: no such file");
        let error = anyhow!("row 3 is broken").context("a.csv");
        assert_eq!(chain(&error), "a.csv: row 3 is broken");
    }
}
