//! Data of any size and files from strangers: what is promised of them, and what tries to break it. How
//! the trials are asked for is told by `fer_trials`.

#![expect(clippy::unwrap_used, reason = "tests")]

// Bytes that come in by any door, changed at random.
mod fuzzing;

// Peak memory, and a limit that ends the process.
mod memory;

// From thousands of pictures to a million.
mod size;

use std::process::ExitCode;

use fer_trials::Trial;

const TRIALS: &[Trial] = &[size::MEMORY, size::SPEED, fuzzing::CHANGED];

fn main() -> ExitCode {
    fer_trials::main("strangers", TRIALS)
}
