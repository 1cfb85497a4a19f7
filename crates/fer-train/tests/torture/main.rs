//! Breaks training runs in every way that a shared machine knows, and compares what comes out with a
//! run that nobody disturbed.
//!
//! ```sh
//! cargo test --workspace --test torture                    # the short form, part of all tests
//! cargo test --workspace --test torture -- --long --write  # 100 kills; the table of tests/README.md
//! cargo test --workspace --test torture -- signals         # the trials whose name has this in it
//! ```
//!
//! `--kills N` and `--seed N` ask for another number of kills and for other moments.

#![expect(clippy::unwrap_used, reason = "tests")]
#![expect(clippy::print_stdout, reason = "it prints its table")]

// What a trial works with: a small data set, runs of the command, comparing what they leave.
mod place;

// One file a kind of trouble.
mod beginning;
mod damage;
mod data;
mod disk;
mod divergence;
mod kills;
mod refusals;
mod signals;
mod steps;
mod worker;

use std::panic::catch_unwind;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, anyhow};

/// How hard the trials are.
#[derive(Clone, Copy)]
pub(crate) struct Torture {
    /// How often a process is killed.
    pub(crate) kills: usize,
    /// How often smaller troubles are repeated.
    pub(crate) rounds: usize,
    /// Decides every random moment and place.
    pub(crate) seed: u64,
    /// Whether there is time for a run of the usual size.
    pub(crate) long: bool,
}

/// A promise, and what tries to break it.
pub(crate) struct Trial {
    /// File and function.
    name: &'static str,
    promise: &'static str,
    /// Gives the counts of what was done, in words.
    run: fn(&Torture) -> Result<String>,
}

const TRIALS: &[Trial] = &[
    steps::AT_EVERY_STEP,
    kills::KILLS,
    kills::HISTORY,
    damage::BITS,
    damage::FALL_BACK,
    refusals::SETTINGS,
    refusals::MORE_EPOCHS,
    beginning::TRAINED_MODEL,
    data::OTHER_DATA,
    data::WHILE_IT_RUNS,
    signals::SIGNALS,
    signals::TERMINAL,
    signals::NOHUP,
    refusals::LOCK,
    disk::FULL,
    disk::READ_ONLY,
    divergence::STOP,
    divergence::HALVE,
    worker::PANIC,
    steps::COST,
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        TRIALS
            .iter()
            .for_each(|trial| println!("{}: test", trial.name));
        return ExitCode::SUCCESS;
    }
    let long = arguments.iter().any(|argument| argument == "--long");
    let number = |flag: &str| {
        let place = arguments.iter().position(|argument| argument == flag)?;
        arguments.get(place + 1)?.parse::<u64>().ok()
    };
    let torture = Torture {
        kills: number("--kills").map_or(if long { 100 } else { 5 }, |kills| kills as usize),
        rounds: if long { 5 } else { 1 },
        seed: number("--seed").unwrap_or(0),
        long,
    };
    let (mut table, mut failures) = (String::new(), 0);
    for trial in TRIALS.iter().filter(|trial| is_wanted(trial, &arguments)) {
        let start = Instant::now();
        let counts = catch_unwind(|| (trial.run)(&torture))
            .unwrap_or_else(|_| Err(anyhow!("a panic, told above")));
        let seconds = start.elapsed().as_secs_f64();
        match &counts {
            Ok(counts) => println!("ok      {} ({seconds:.1} s): {counts}", trial.name),
            Err(error) => println!("FAILED  {} ({seconds:.1} s): {error:#}", trial.name),
        }
        failures += usize::from(counts.is_err());
        let counts = counts.unwrap_or_else(|error| format!("**broken**: {error:#}"));
        table += &format!("| {} | `{}` | {counts} |\n", trial.promise, trial.name);
    }
    println!("\n{HEAD}{table}\n{failures} promises were broken");
    if arguments.iter().any(|argument| argument == "--write") {
        place::write_table(&format!("{HEAD}{table}"));
    }
    ExitCode::from(u8::from(failures > 0))
}

const HEAD: &str = "| promise | what tries to break it | last run |\n|---|---|---|\n";

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
