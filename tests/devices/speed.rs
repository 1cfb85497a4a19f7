use std::fmt::Write as _;
use std::time::Instant;

use anyhow::Result;
use candle_core::{Device, Tensor};
use fer_model::ops::{AdamSettings, Engine, Mode, cross_entropy};
use fer_model::{Architecture, Network, Plan, Tape};
use fer_train::fit::Optimiser;

use crate::subject::Subject;

/// Pictures that are trained on together, and predicted together.
const TRAINED: usize = 128;
const PREDICTED: usize = 256;

/// Seconds that each is measured for, after as much to warm up as the first round takes.
const SECONDS: f64 = 3.0;

/// Pictures a second, on the CPU's kernels and on the device.
pub(crate) fn table(device: &Device) -> Result<String> {
    let mut table = format!(
        "| network | training, {TRAINED} pictures: the CPU's kernels | device | times | device in bf16 | times | \
         predicting, {PREDICTED} pictures: the CPU's kernels | device | times |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|\n"
    );
    for name in Architecture::NAMES {
        let kernels = Subject::on_kernels(name)?;
        let other = Subject::portable(name, device)?;
        let short = Subject::new(name, Engine::Bf16, device)?;
        let own = [training(&kernels)?, predicting(&kernels)?];
        let times = |other: f64, own: f64| format!("{other:.0} | {:.2}", other / own);
        writeln!(
            table,
            "| `{name}` | {:.0} | {} | {} | {:.0} | {} |",
            own[0],
            times(training(&other)?, own[0]),
            times(training(&short)?, own[0]),
            own[1],
            times(predicting(&other)?, own[1])
        )?;
    }
    Ok(table)
}

fn training(subject: &Subject) -> Result<f64> {
    let (pictures, targets) = subject.batch(TRAINED)?;
    let engine = subject.network.engine();
    let mut adam = Optimiser::new(&subject.parameters, AdamSettings::default(), engine)?;
    let tape = Tape::new(&subject.network)?;
    let mut step = 0;
    pictures_a_second(subject, TRAINED, || {
        let logits = tape.forward(&pictures, Mode::Train { seed: 1, step })?;
        let loss = cross_entropy(&logits, &targets, engine)?;
        adam.step(&tape.backward(&loss)?, 1e-4)?;
        step += 1;
        Ok(())
    })
}

fn predicting(subject: &Subject) -> Result<f64> {
    let (pictures, _) = subject.batch(PREDICTED)?;
    let plan = Plan::new(&subject.network)?;
    pictures_a_second(subject, PREDICTED, || {
        let _logits: Tensor = match &plan {
            Some(plan) => plan.forward(&pictures)?,
            None => subject.network.forward(&pictures, Mode::Predict)?,
        };
        Ok(())
    })
}

/// Of rounds of so many pictures. A device is asked for several rounds before it is waited for.
fn pictures_a_second(
    subject: &Subject,
    pictures: usize,
    mut round: impl FnMut() -> Result<()>,
) -> Result<f64> {
    const TOGETHER: usize = 8;
    round()?;
    subject.device.synchronize()?;
    let (start, mut rounds) = (Instant::now(), 0);
    while start.elapsed().as_secs_f64() < SECONDS {
        for _ in 0..TOGETHER {
            round()?;
        }
        subject.device.synchronize()?;
        rounds += TOGETHER;
    }
    Ok((rounds * pictures) as f64 / start.elapsed().as_secs_f64())
}
