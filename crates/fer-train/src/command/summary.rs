use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use candle_core::Device;
use clap::Args;
use fer_data::Expression;
use fer_model::{Architecture, file, layer_table};

use crate::command::output;

/// What `summary` takes.
#[derive(Args)]
pub(crate) struct SummaryArguments {
    /// A saved model
    #[arg(conflicts_with = "arch")]
    model: Option<PathBuf>,
    /// A network by name, with the eight classes [default: cnn]
    #[arg(long, value_name = "NAME", value_parser = Architecture::NAMES)]
    arch: Option<String>,
}

pub(crate) fn run(arguments: &SummaryArguments) -> Result<ExitCode> {
    let table = match &arguments.model {
        Some(path) => {
            let description = file::load(path, &Device::Cpu)?.description;
            let head = format!(
                "{} trained on {}\n",
                path.display(),
                description.training.data
            );
            let classes = format!("Classes: {}\n", description.classes);
            head + &classes + &layer_table(&description.architecture, description.classes.len())
        }
        None => {
            let architecture = match &arguments.arch {
                Some(name) => Architecture::named(name)?,
                None => Architecture::default(),
            };
            layer_table(&architecture, Expression::ALL.len())
        }
    };
    output::data(&table)?;
    Ok(ExitCode::SUCCESS)
}
