//! Data of any size and files from strangers: what is promised of them, and what tries to break it. How
//! the trials are asked for is told by `fer_trials`.

#![expect(clippy::unwrap_used, reason = "tests")]

// Peak memory, and an allocator with a limit.
mod memory;
// An end to what hangs.
mod watch;

// Bytes that come in by any door, changed at random.
mod fuzzing;

// Pictures and tables: what is small as a file and large as anything else.
mod bombs;
mod pictures;
mod tables;

// Parquet, from a hub too, and model files.
mod hub;
mod models;
mod parquet;

// Folders: what is no file, strange names, files that change.
#[cfg(unix)]
mod folders;

// Names from outside in all that is written.
mod escaping;

// The sources themselves.
mod source_code;

// From thousands of pictures to a million.
mod size;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut trials = vec![size::MEMORY, size::SPEED, fuzzing::CHANGED];
    trials.extend(pictures::TRIALS);
    trials.extend(tables::TRIALS);
    trials.extend(parquet::TRIALS);
    trials.push(hub::REFUSED);
    trials.extend(models::TRIALS);
    #[cfg(unix)]
    {
        trials.push(size::FULL_DISK);
        trials.extend(folders::TRIALS);
    }
    trials.extend(escaping::TRIALS);
    trials.extend(source_code::TRIALS);
    fer_trials::main("strangers", &trials)
}
