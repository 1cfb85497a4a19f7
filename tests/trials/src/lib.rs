//! Promises that the project makes, each with a function that tries to break it: a test binary without
//! libtest's harness, whose trials count what they did.
//!
//! ```sh
//! cargo test --workspace --test NAME                      # the short form, part of all tests
//! cargo test --workspace --test NAME -- --long --write    # the long form; the table of tests/README.md
//! cargo test --workspace --test NAME -- signals           # the trials whose name has this in it
//! ```
//!
//! `--kills N` and `--seed N` ask for another number of kills and for other random moments.

#![expect(clippy::print_stdout, reason = "it prints its table")]

mod again;
mod hub;
#[cfg(unix)]
mod small_disk;

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};

pub use again::{again, is_again};
pub use hub::{Answer, COMMIT, Hub, Request};
#[cfg(unix)]
pub use small_disk::SmallDisk;

/// How hard the trials are.
#[derive(Clone, Copy)]
pub struct Effort {
    /// How often a process is killed.
    pub kills: usize,
    /// How often smaller troubles are repeated.
    pub rounds: usize,
    /// Decides every random moment and place.
    pub seed: u64,
    /// Whether there is time for the usual size.
    pub long: bool,
}

/// A promise, and what tries to break it.
pub struct Trial {
    /// File and function.
    pub name: &'static str,
    /// What the project promises, in words for the table.
    pub promise: &'static str,
    /// Gives the counts of what was done, in words; an error where the promise is broken.
    pub run: fn(&Effort) -> Result<String>,
}

/// Runs the trials that the command line names, prints their table and with `--write` puts it between
/// the marks `<!-- table: start -->` and `<!-- table: end -->` of `tests/README.md`.
pub fn main(table: &str, trials: &[Trial]) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    if has("--list") {
        trials
            .iter()
            .for_each(|trial| println!("{}: test", trial.name));
        return ExitCode::SUCCESS;
    }
    let effort = effort(&arguments);
    let (mut rows, mut failures) = (String::new(), 0);
    for trial in trials.iter().filter(|trial| is_wanted(trial, &arguments)) {
        let start = Instant::now();
        let counts = catch_unwind(|| (trial.run)(&effort))
            .unwrap_or_else(|_| Err(anyhow!("a panic, told above")));
        let seconds = start.elapsed().as_secs_f64();
        match &counts {
            Ok(counts) => println!("ok      {} ({seconds:.1} s): {counts}", trial.name),
            Err(error) => println!("FAILED  {} ({seconds:.1} s): {error:#}", trial.name),
        }
        failures += usize::from(counts.is_err());
        let counts = counts.unwrap_or_else(|error| format!("**broken**: {error:#}"));
        rows += &format!("| {} | `{}` | {counts} |\n", trial.promise, trial.name);
    }
    println!("\n{HEAD}{rows}\n{failures} promises were broken");
    if has("--write")
        && let Err(error) = write(table, &format!("{HEAD}{rows}"))
    {
        println!("the table was not written: {error:#}");
        failures += 1;
    }
    ExitCode::from(u8::from(failures > 0))
}

const HEAD: &str = "| promise | what tries to break it | last run |\n|---|---|---|\n";

fn effort(arguments: &[String]) -> Effort {
    let long = arguments.iter().any(|argument| argument == "--long");
    let number = |flag: &str| {
        let place = arguments.iter().position(|argument| argument == flag)?;
        arguments.get(place + 1)?.parse::<u64>().ok()
    };
    Effort {
        kills: number("--kills").map_or(if long { 100 } else { 5 }, |kills| kills as usize),
        rounds: if long { 5 } else { 1 },
        seed: number("--seed").unwrap_or(0),
        long,
    }
}

/// Words that are no flags choose trials by name, as they do for any test.
fn is_wanted(trial: &Trial, arguments: &[String]) -> bool {
    let mut words = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--kills" | "--seed" | "--test-threads" | "--color" | "--format" | "--skip" => {
                arguments.next();
            }
            flag if flag.starts_with('-') => (),
            word => words.push(word),
        }
    }
    words.is_empty() || words.iter().any(|word| trial.name.contains(word))
}

fn write(table: &str, rows: &str) -> Result<()> {
    let (start, end) = (
        format!("<!-- {table}: start -->\n"),
        format!("<!-- {table}: end -->"),
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let page = fs::read_to_string(&path)?;
    let (before, rest) = page.split_once(&start).context("no start mark")?;
    let (_, after) = rest.split_once(&end).context("no end mark")?;
    fs::write(path, format!("{before}{start}{rows}{end}{after}"))?;
    Ok(())
}
