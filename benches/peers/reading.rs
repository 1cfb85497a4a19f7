//! Reads FER2013 as a csv or as a folder of pictures, and says how long each round took:
//! `reading csv FILE [ROUNDS]` or `reading folder FOLDER [ROUNDS]`. `reading.py` does the same work
//! with pandas, numpy and OpenCV.
#![expect(clippy::print_stdout, reason = "its result is one line of JSON")]

use std::error::Error;
use std::path::Path;
use std::time::Instant;
use std::{env, process};

use fer_data::{Layout, OpenSettings, open};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Rounds where the command names no number.
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (work, path, rounds) = match words[..] {
        [work @ ("csv" | "folder"), path] => (work, path, ROUNDS),
        [work @ ("csv" | "folder"), path, rounds] => (work, path, rounds.parse()?),
        _ => {
            println!("usage: reading csv FILE [ROUNDS] | reading folder FOLDER [ROUNDS]");
            process::exit(2);
        }
    };
    let settings = OpenSettings {
        layout: (work == "folder").then_some(Layout::Classes),
        ..OpenSettings::default()
    };
    let mut seconds = Vec::new();
    let mut pictures = 0;
    for _ in 0..rounds {
        let start = Instant::now();
        let dataset = open(Path::new(path), &settings)?;
        seconds.push(start.elapsed().as_secs_f64());
        pictures = dataset.len();
    }
    println!(
        r#"{{"work": "{work}", "engine": "fer", "pictures": {pictures}, "seconds": {seconds:?}}}"#
    );
    Ok(())
}
