use std::io::{self, Write};

use anyhow::Result;

/// Where the lines for people go: to stdout, or to stderr where stdout carries data alone.
#[derive(Clone, Copy)]
pub(crate) enum People {
    Stdout,
    Stderr,
}

impl People {
    /// Beside JSON people read stderr.
    pub(crate) fn beside_json(json: bool) -> Self {
        if json { People::Stderr } else { People::Stdout }
    }

    /// Says one line.
    pub(crate) fn say(self, line: &str) -> io::Result<()> {
        match self {
            People::Stdout => writeln!(io::stdout(), "{line}"),
            People::Stderr => writeln!(io::stderr(), "{line}"),
        }
    }
}

/// Writes data to stdout as they are.
pub(crate) fn data(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Tells on stderr what went wrong and what led to it.
pub(crate) fn complain(error: &anyhow::Error) {
    let mut out = io::stderr().lock();
    // There is nobody left to tell when stderr is closed.
    let _ = writeln!(out, "error: {error:#}");
}

/// Whether the reader of our output went away, as `head` does.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<io::Error>();
        io.is_some_and(|io| io.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// A share as a percentage with one decimal.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}
