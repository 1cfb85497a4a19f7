use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use fer_data::{Expression, printable, printable_path};
use fer_model::{Architecture, layer_table, thousands};

use crate::command::output;
use crate::initial::{InitSettings, Initial};

/// What `summary` takes.
#[derive(Args)]
pub(crate) struct SummaryArguments {
    /// A saved model, or the one that comes along (the word builtin)
    #[arg(conflicts_with = "arch")]
    model: Option<PathBuf>,
    /// List the tensors with their shapes in place of the layers: the names that train --freeze takes
    #[arg(long)]
    tensors: bool,
    /// A network by name, with the eight classes [default: cnn]
    #[arg(long, value_name = "NAME", value_parser = Architecture::NAMES)]
    arch: Option<String>,
}

pub(crate) fn run(arguments: &SummaryArguments) -> Result<ExitCode> {
    let text = match &arguments.model {
        Some(path) => {
            let settings = InitSettings {
                model: path.clone(),
                ..InitSettings::default()
            };
            let model = Initial::open(&settings)?;
            let description = model.description();
            let head = format!(
                "{} trained on {}\n",
                printable_path(path),
                printable(&description.training.data)
            );
            let classes = format!("Classes: {}\n", description.classes);
            let count = description.classes.len();
            head + &classes + &arguments.table(&description.architecture, count)?
        }
        None => {
            let architecture = match &arguments.arch {
                Some(name) => Architecture::named(name)?,
                None => Architecture::default(),
            };
            arguments.table(&architecture, Expression::ALL.len())?
        }
    };
    output::data(&text)?;
    Ok(ExitCode::SUCCESS)
}

impl SummaryArguments {
    fn table(&self, architecture: &Architecture, classes: usize) -> Result<String> {
        match self.tensors {
            true => tensors(architecture, classes),
            false => layers(architecture, classes),
        }
    }
}

/// Names and shapes, in the order of the names.
fn tensors(architecture: &Architecture, classes: usize) -> Result<String> {
    let tensors = architecture.tensors(classes)?;
    let widest = tensors.keys().map(String::len).max().unwrap_or(0);
    let line = |(name, shape): (&String, &Vec<usize>)| format!("{name:widest$}  {shape:?}\n");
    Ok(tensors.iter().map(line).collect())
}

/// Keras's table, and what Keras does not say: the work of one picture.
fn layers(architecture: &Architecture, classes: usize) -> Result<String> {
    let layers = architecture.layers(classes)?;
    let products = layers.iter().map(|layer| layer.multiply_adds).sum();
    Ok(format!(
        "{} Multiply-adds of one picture: {}\n",
        layer_table(architecture, classes)?,
        thousands(products)
    ))
}
