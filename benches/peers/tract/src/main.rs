//! Runs the benchmark's networks in tract: `fer-peer-tract EXCHANGE THREADS`.
//!
//! Answers questions on stdin, one a line, as JSON: `infer` with the seconds of each run, `check`
//! with logits. The networks are the ONNX files in the folder EXCHANGE, the pictures its
//! `faces.safetensors`.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use safetensors::SafeTensors;
use serde_json::{Value, json};
use tract_onnx::prelude::*;

const SIDE: usize = 48;

type Plan = TypedRunnableModel;

struct Loaded {
    network: String,
    batch: usize,
    plan: Arc<Plan>,
    inputs: Vec<Tensor>,
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().context("the exchange folder is missing")?);
    let threads: usize = arguments.next().context("no number of threads")?.parse()?;
    multithread::set_default_executor(multithread::Executor::multithread(threads));
    let mut last = None;
    for line in std::io::stdin().lock().lines() {
        let question: Value = serde_json::from_str(&line?)?;
        let answer = answer(&folder, &question, &mut last)
            .unwrap_or_else(|error| json!({ "error": format!("{error:#}") }));
        let mut out = std::io::stdout().lock();
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn answer(folder: &Path, question: &Value, last: &mut Option<Loaded>) -> Result<Value> {
    let network = question["network"].as_str().unwrap_or_default();
    let batch = question["batch"].as_u64().context("no batch")? as usize;
    let kept = last.take().filter(|last| last.network == network && last.batch == batch);
    let loaded = match kept {
        Some(loaded) => loaded,
        None => load(folder, network, batch)?,
    };
    let answer = match question["work"].as_str() {
        Some("infer") => infer(&loaded, question),
        Some("check") => check(&loaded),
        other => bail!("this worker knows no work named {}", other.unwrap_or("nothing")),
    };
    *last = Some(loaded);
    answer
}

fn load(folder: &Path, network: &str, batch: usize) -> Result<Loaded> {
    let plan = tract_onnx::onnx()
        .model_for_path(folder.join(format!("{network}.onnx")))?
        .with_input_fact(0, f32::fact([batch, 1, SIDE, SIDE]).into())?
        .into_optimized()?
        .into_runnable()?;
    let bytes = std::fs::read(folder.join("faces.safetensors"))?;
    let file = SafeTensors::deserialize(&bytes)?;
    let (words, _) = file.tensor("pictures")?.data().as_chunks::<4>();
    let pixels: Vec<f32> = words.iter().map(|word| f32::from_le_bytes(*word)).collect();
    let inputs = pixels
        .chunks_exact(batch * SIDE * SIDE)
        .map(|values| Tensor::from_shape(&[batch, 1, SIDE, SIDE], values))
        .collect::<TractResult<_>>()?;
    Ok(Loaded {
        network: network.to_string(),
        batch,
        plan,
        inputs,
    })
}

fn infer(loaded: &Loaded, question: &Value) -> Result<Value> {
    let iterations = question["iterations"].as_u64().context("no iterations")?;
    let mut seconds = Vec::new();
    for number in 0..iterations as usize {
        let input = loaded.inputs[number % loaded.inputs.len()].clone();
        let start = Instant::now();
        loaded.plan.run(tvec!(input.into()))?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    Ok(json!({ "seconds": seconds }))
}

fn check(loaded: &Loaded) -> Result<Value> {
    let outputs = loaded.plan.run(tvec!(loaded.inputs[0].clone().into()))?;
    let logits = outputs[0].to_plain_array_view::<f32>()?;
    let rows: Vec<Vec<f32>> = logits.outer_iter().map(|row| row.iter().copied().collect()).collect();
    Ok(json!({ "logits": rows }))
}
