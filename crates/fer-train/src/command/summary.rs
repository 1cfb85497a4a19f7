use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use candle_core::Device;
use clap::Args;
use fer_data::Expression;
use fer_model::ops::Engine;
use fer_model::{Architecture, file, layer_table, thousands};

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
    let text = match &arguments.model {
        Some(path) => {
            let description = file::load(path, &Device::Cpu, Engine::detect())?.description;
            let head = format!(
                "{} trained on {}\n",
                path.display(),
                description.training.data
            );
            let classes = format!("Classes: {}\n", description.classes);
            head + &classes + &table(&description.architecture, description.classes.len())?
        }
        None => {
            let architecture = match &arguments.arch {
                Some(name) => Architecture::named(name)?,
                None => Architecture::default(),
            };
            table(&architecture, Expression::ALL.len())?
        }
    };
    output::data(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Keras's table, and what Keras does not say: the work of one picture.
fn table(architecture: &Architecture, classes: usize) -> Result<String> {
    let layers = architecture.layers(classes)?;
    let products = layers.iter().map(|layer| layer.multiply_adds).sum();
    Ok(format!(
        "{} Multiply-adds of one picture: {}\n",
        layer_table(architecture, classes)?,
        thousands(products)
    ))
}
