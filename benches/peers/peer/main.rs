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

/// Repeats something so often, from the first batch on.
type Work = Box<dyn FnMut(usize) -> Result<Timed>>;

/// How long each repetition took, and the loss or the logits of the last.
struct Timed {
    seconds: Vec<f64>,
    last: Tensor,
}

/// A way to compute the networks.
trait Side {
    /// Training steps from the shared weights.
    fn trainer(&self, network: &str, batch: usize, dropout: bool) -> Result<Work>;

    /// Logits with the shared weights.
    fn predictor(&self, network: &str, batch: usize) -> Result<Work>;

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
type Last = Option<((String, String, u64), Work)>;

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
                let made = match work {
                    "train" => side.trainer(network, size, true)?,
                    _ => side.predictor(network, size)?,
                };
                *last = Some((key, made));
            }
            let (_, repeated) = last.as_mut().context("nothing was built")?;
            let timed = repeated(number("iterations")? as usize)?;
            Ok(json!({ "seconds": timed.seconds }))
        }
        "check" => check(side, network, number("batch")? as usize, number("steps")?),
        "faces" => exchange.write_faces(number("count")? as usize),
        "model" => ours::save_model(exchange, network),
        other => bail!("this worker knows no work named {other}"),
    }
}

/// Takes the time of each call of `step`, which gets the number of its repetition.
fn timed(iterations: usize, mut step: impl FnMut(usize) -> Result<Tensor>) -> Result<Timed> {
    let mut seconds = Vec::new();
    let mut last = None;
    for number in 0..iterations {
        let start = Instant::now();
        let output = step(number)?;
        seconds.push(start.elapsed().as_secs_f64());
        last = Some(output.detach());
    }
    let last = last.context("nothing is asked to be repeated")?;
    Ok(Timed { seconds, last })
}

/// Logits of the first batch, and the losses of training steps on it without dropout.
fn check(side: &dyn Side, network: &str, batch: usize, steps: u64) -> Result<Value> {
    let logits = side.predictor(network, batch)?(1)?.last;
    let mut train = side.trainer(network, batch, false)?;
    let losses = (0..side.right_steps().min(steps as usize))
        .map(|_| Ok(train(1)?.last.to_scalar::<f32>()?))
        .collect::<Result<Vec<f32>>>()?;
    Ok(json!({ "logits": logits.to_vec2::<f32>()?, "losses": losses }))
}
