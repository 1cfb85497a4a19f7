use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use candle_core::Device;
use clap::Args;
use fer_model::export::{OPSET, OnnxDescription, onnx};
use fer_model::file::{Model, replace};
use fer_model::ops::Engine;

use crate::command::output::People;
use crate::command::{Usage, model};

/// What `export` takes.
#[derive(Args)]
pub(crate) struct ExportArguments {
    /// A saved model [default: the built-in one]
    model: Option<PathBuf>,
    /// Where to write it as an ONNX file, which takes grey values from 0 to 255 and gives logits and
    /// calibrated probabilities
    #[arg(long, value_name = "FILE")]
    onnx: PathBuf,
}

pub(crate) fn run(arguments: &ExportArguments) -> Result<ExitCode> {
    if let Some(path) = &arguments.model {
        refuse_overwriting(path, &arguments.onnx)?;
    }
    let model = model::load(arguments.model.as_deref(), &Device::Cpu, Engine::detect())?;
    let bytes = onnx(&model)?;
    let path = &arguments.onnx;
    replace(path, &bytes).with_context(|| format!("cannot write {}", path.display()))?;
    for line in lines(&model, path, bytes.len())? {
        People::Stdout.say(&line)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The model itself is not what an ONNX file may replace.
fn refuse_overwriting(model: &Path, onnx: &Path) -> Result<()> {
    let same = match (fs::canonicalize(model), fs::canonicalize(onnx)) {
        (Ok(model), Ok(onnx)) => model == onnx,
        _ => false,
    };
    if same {
        let words = format!(
            "--onnx {} is the model itself, which would be lost; name another file",
            onnx.display()
        );
        return Err(Usage(words).into());
    }
    Ok(())
}

fn lines(model: &Model, path: &Path, bytes: usize) -> Result<[String; 4]> {
    let description = OnnxDescription::of(&model.description)?;
    let classes: Vec<&str> = description.classes.iter().collect();
    let [channels, height, width] = model.network.input();
    Ok([
        format!(
            "onnx        {}, {:.1} MB, opset {OPSET}",
            path.display(),
            bytes as f64 / 1e6
        ),
        format!(
            "input       pictures: uint8 (batch, {channels}, {height}, {width}), grey values from 0 to 255, which the graph divides itself"
        ),
        format!(
            "outputs     logits, probabilities (temperature {:.3}): float32 (batch, {})",
            description.temperature,
            classes.len()
        ),
        format!("classes     {}", classes.join(", ")),
    ])
}
