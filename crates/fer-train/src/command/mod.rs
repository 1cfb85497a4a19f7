//! The command line: what a person types, and what they are told.

mod arguments;
mod baseline;
mod beginning;
mod calibrate;
mod calibration;
mod comparison;
mod evaluate;
mod explain;
mod export;
mod follower;
mod groups;
mod inspect;
mod judged;
mod judgement;
mod launch;
mod members;
mod model;
mod origins;
mod output;
mod predict;
mod progress;
mod report;
mod results;
mod resumption;
mod robustness;
#[cfg(feature = "serve")]
mod serve;
mod session;
mod signals;
mod summary;
mod task;
mod train;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use fer_data::DataError;
use fer_model::ModelError;

use crate::command::baseline::BaselineArguments;
use crate::command::calibrate::CalibrateArguments;
use crate::command::evaluate::EvaluateArguments;
use crate::command::explain::ExplainArguments;
use crate::command::export::ExportArguments;
use crate::command::inspect::InspectArguments;
use crate::command::predict::PredictArguments;
use crate::command::report::ReportArguments;
#[cfg(feature = "serve")]
use crate::command::serve::ServeArguments;
use crate::command::summary::SummaryArguments;
use crate::command::train::TrainArguments;
use crate::distillation::DistillationError;
use crate::initial::InitialError;

/// Facial-expression recognition: trains a network on pictures of faces, tells how good it is, and
/// saves it for other programs.
///
/// Without a command it trains; without any argument it trains on built-in drawn faces.
#[derive(Parser)]
#[command(
    name = "fer-train",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    train: TrainArguments,
}

#[derive(Subcommand)]
enum Command {
    /// Train a network and leave a run directory (the default command)
    Train(TrainArguments),
    /// Say what a data set is and what is wrong with it, before any training
    Inspect(InspectArguments),
    /// Judge a saved model on data, or compare two on the same pictures
    Evaluate(EvaluateArguments),
    /// Without training it again, measure how sure a saved model must be, for predict --abstain-risk, or let
    /// it answer by more views of a picture
    Calibrate(CalibrateArguments),
    /// Train and judge traditional methods on the same splits, to compare a network with
    Baseline(BaselineArguments),
    /// Predict pictures of faces with a saved model
    Predict(PredictArguments),
    /// Show where a network looks: in a picture, or over a data set
    Explain(ExplainArguments),
    /// Write report.html in a run directory: how good the network is, and why
    Report(ReportArguments),
    /// Write a model for other programs, as an ONNX file
    Export(ExportArguments),
    /// Open a page in the browser, on this machine alone: photographs, the webcam, and HTTP for programs
    #[cfg(feature = "serve")]
    Serve(ServeArguments),
    /// Print the layer table of a network or of a saved model
    Summary(SummaryArguments),
}

/// A mistake in how the command was used; the process exits with 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Usage(String);

/// Runs the command line `arguments`, the program's name first, and says how it went: 0 done,
/// 1 failed, 2 used wrongly.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let parsed = match CommandLine::try_parse_from(&arguments) {
        Ok(parsed) => parsed,
        Err(error) => {
            if error.use_stderr() {
                output::misused(&error, &arguments);
                return ExitCode::from(2);
            }
            // A closed terminal is no reason to fail.
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
    };
    match run(parsed) {
        Ok(code) => code,
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&error);
            ExitCode::from(if is_usage(&error) { 2 } else { 1 })
        }
    }
}

fn run(line: CommandLine) -> Result<ExitCode> {
    match line.command.unwrap_or(Command::Train(line.train)) {
        Command::Train(arguments) => train::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Evaluate(arguments) => evaluate::run(&arguments),
        Command::Calibrate(arguments) => calibrate::run(&arguments),
        Command::Baseline(arguments) => baseline::run(&arguments),
        Command::Predict(arguments) => predict::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        #[cfg(feature = "serve")]
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Summary(arguments) => summary::run(&arguments),
    }
}

fn is_usage(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.is::<Usage>()
            || matches!(cause.downcast_ref(), Some(DataError::Setting { .. }))
            || matches!(cause.downcast_ref(), Some(ModelError::Setting { .. }))
            || cause.downcast_ref().is_some_and(InitialError::is_usage)
            || cause
                .downcast_ref()
                .is_some_and(DistillationError::is_usage)
    })
}
