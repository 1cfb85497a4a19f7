use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Args;

use crate::command::output::People;
use crate::figures;
use crate::report::html::FILE;
use crate::run::RunDirectory;

/// What `report` takes.
#[derive(Args)]
pub(crate) struct ReportArguments {
    /// A run directory, or one that `evaluate --out` made
    #[arg(value_name = "RUN_DIR")]
    run: PathBuf,
}

pub(crate) fn run(arguments: &ReportArguments) -> Result<ExitCode> {
    let path = &arguments.run;
    ensure!(path.is_dir(), "{} is no directory", path.display());
    let run = RunDirectory::for_results(path)?;
    figures::write_html(&run)?;
    People::Stdout.say(&format!("report      {}", run.file(FILE).display()))?;
    Ok(ExitCode::SUCCESS)
}
