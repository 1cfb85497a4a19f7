//! Breaks training runs in every way that a shared machine knows, and compares what comes out with a
//! run that nobody disturbed.
//! How they are asked for is told by `fer_trials`.

#![expect(clippy::unwrap_used, reason = "tests")]

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

use std::process::ExitCode;

use fer_trials::Trial;

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
    fer_trials::main("torture", TRIALS)
}
