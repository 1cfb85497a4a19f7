//! Runs the benchmark's networks with `fer`, or with candle as it comes: `peer EXCHANGE fer|candle`.
//!
//! Answers questions on stdin, one a line, as JSON: `train` and `infer` with the seconds of each
//! repetition, `check` with logits and losses. `fer` also makes what the other peers share: `faces`
//! draws the pictures, `model` saves the network for `fer-train predict`. EXCHANGE is the folder
//! where all of it lies; `../peers.py` asks the questions.

mod exchange;
mod ours;
mod stock;

use std::env;
use std::io::{BufRead, Write};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use candle_core::Tensor;
use serde_json::{Value, json};

use exchange::Exchange;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// One repetition on the batch of this number, with the loss or the logits.
type Step = Box<dyn FnMut(usize) -> Result<Tensor>>;

/// A way to compute the networks.
trait Side {
    /// Training steps from the shared weights.
    fn trainer(&self, network: &str, batch: usize, dropout: bool) -> Result<Step>;

    /// Logits with the shared weights.
    fn predictor(&self, network: &str, batch: usize) -> Result<Step>;

    /// Training steps over which its losses are right.
    fn right_steps(&self) -> usize;
}

fn main() -> Result<()> {
    let mut words = env::args().skip(1);
    let (Some(folder), Some(side)) = (words.next(), words.next()) else {
        bail!("usage: peer EXCHANGE fer|candle");
    };
    let exchange = Exchange::new(folder.into());
    let side: Box<dyn Side> = match side.as_str() {
        "fer" => Box::new(ours::Fer(exchange.clone())),
        "candle" => Box::new(stock::Candle(exchange.clone())),
        other => bail!("fer or candle is expected, got {other}"),
    };
    let mut last = None;
    for line in std::io::stdin().lock().lines() {
        let question: Value = serde_json::from_str(&line?)?;
        let answer = answer(&exchange, side.as_ref(), &question, &mut last)
            .unwrap_or_else(|error| json!({ "error": format!("{error:#}") }));
        let mut out = std::io::stdout().lock();
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

/// What was built for the last question, by work, network and batch.
type Last = Option<((String, String, u64), Step)>;

fn answer(
    exchange: &Exchange,
    side: &dyn Side,
    question: &Value,
    last: &mut Last,
) -> Result<Value> {
    let network = question["network"].as_str().unwrap_or_default();
    let number = |name: &str| {
        question[name]
            .as_u64()
            .with_context(|| format!("no {name}"))
    };
    match question["work"].as_str().unwrap_or_default() {
        work @ ("train" | "infer") => {
            let key = (work.to_string(), network.to_string(), number("batch")?);
            if last.as_ref().is_none_or(|(known, _)| *known != key) {
                let size = key.2 as usize;
                let step = match work {
                    "train" => side.trainer(network, size, true)?,
                    _ => side.predictor(network, size)?,
                };
                *last = Some((key, step));
            }
            let (_, step) = last.as_mut().context("nothing was built")?;
            timed(step, number("iterations")?)
        }
        "check" => check(side, network, number("batch")? as usize, number("steps")?),
        "faces" => exchange.write_faces(number("count")? as usize),
        "model" => ours::save_model(exchange, network),
        other => bail!("this worker knows no work named {other}"),
    }
}

fn timed(step: &mut Step, iterations: u64) -> Result<Value> {
    let mut seconds = Vec::new();
    for number in 0..iterations as usize {
        let start = Instant::now();
        step(number)?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    Ok(json!({ "seconds": seconds }))
}

/// Logits of the first batch, and the losses of training steps on it without dropout.
fn check(side: &dyn Side, network: &str, batch: usize, steps: u64) -> Result<Value> {
    let logits = side.predictor(network, batch)?(0)?.to_vec2::<f32>()?;
    let mut step = side.trainer(network, batch, false)?;
    let losses = (0..side.right_steps().min(steps as usize))
        .map(|_| Ok(step(0)?.to_scalar::<f32>()?))
        .collect::<Result<Vec<f32>>>()?;
    Ok(json!({ "logits": logits, "losses": losses }))
}
