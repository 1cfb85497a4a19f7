//! What a device computes beside what this crate's kernels compute on the CPU, and how fast: one body for every
//! device that the build has. It prints tables to be pasted into an issue.
//!
//! ```sh
//! cargo test --workspace --test devices                   # the portable operations on the CPU, part of all tests
//! just test-cuda                                          # the same on a GPU, which has to be there
//! just bench-cuda                                         # how fast
//! ```

#![expect(clippy::print_stdout, reason = "it prints its tables")]

// A network on a device, with the weights that it has everywhere.
mod subject;

// What must agree.
mod agreement;

// How fast.
mod speed;

use std::process::ExitCode;

use anyhow::{Context, Result};
use candle_core::Device;
use fer_model::{Architecture, DeviceChoice};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        println!("devices: test");
        return ExitCode::SUCCESS;
    }
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all that was asked for agrees.
fn run(arguments: &[String]) -> Result<bool> {
    let asked = arguments.iter().position(|argument| argument == "--device");
    let choice: DeviceChoice = match asked {
        Some(place) => arguments
            .get(place + 1)
            .context("--device of what?")?
            .parse()?,
        None => DeviceChoice::Cpu,
    };
    let selected = choice.select()?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!(
        "device {selected}; {} {}, {cores} cores; fer {}\n",
        std::env::consts::OS,
        std::env::consts::ARCH,
        env!("CARGO_PKG_VERSION")
    );
    if arguments.iter().any(|argument| argument == "--speed") {
        println!("{}", speed::head());
        for name in Architecture::NAMES {
            println!("{}", speed::row(name, &selected.device)?);
        }
        return Ok(true);
    }
    let (table, agrees) = table(&selected.device);
    print!("{table}");
    Ok(agrees)
}

fn table(device: &Device) -> (String, bool) {
    let mut table =
        "| what | farthest from the CPU's kernels | allowed | |\n|---|--:|--:|---|\n".to_string();
    let mut agrees = true;
    for check in agreement::CHECKS {
        let row = match (check.run)(device) {
            Ok(farthest) => {
                let good = farthest <= check.allowed;
                agrees &= good;
                let word = if good { "agrees" } else { "**differs**" };
                format!(
                    "| {} | {farthest:.1e} | {:.0e} | {word} |\n",
                    check.what, check.allowed
                )
            }
            Err(error) => {
                agrees = false;
                format!(
                    "| {} | – | {:.0e} | **{error:#}** |\n",
                    check.what, check.allowed
                )
            }
        };
        table += &row;
    }
    (table, agrees)
}
