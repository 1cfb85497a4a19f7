use std::time::Instant;

use anyhow::Result;
use candle_core::Device;
use fer_model::Plan;
use fer_model::ops::Engine;

use crate::subject::{Subject, Training};

/// Pictures that are trained on together, and predicted together.
const TRAINED: usize = 128;
const PREDICTED: usize = 256;

/// Seconds that each is measured for at least, after a round to warm up.
const SECONDS: f64 = 3.0;

/// The first lines of the table: pictures a second, on the CPU's kernels and on the device.
pub(crate) fn head() -> String {
    format!(
        "| network | training, {TRAINED} pictures: the CPU's kernels | device | times | device in bf16 | times | \
         predicting, {PREDICTED} pictures: the CPU's kernels | device | times |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|"
    )
}

/// The line of one network.
pub(crate) fn row(name: &str, device: &Device) -> Result<String> {
    let kernels = Subject::on_kernels(name)?;
    let other = Subject::portable(name, device)?;
    let short = Subject::new(name, Engine::Bf16, device)?;
    let [trained, predicted] = [training(&kernels)?, predicting(&kernels)?];
    let times = |other: f64, own: f64| format!("{other:.0} | {:.2}", other / own);
    Ok(format!(
        "| `{name}` | {trained:.0} | {} | {} | {predicted:.0} | {} |",
        times(training(&other)?, trained),
        times(training(&short)?, trained),
        times(predicting(&other)?, predicted)
    ))
}

fn training(subject: &Subject) -> Result<f64> {
    let mut training = Training::new(subject, TRAINED)?;
    pictures_a_second(subject, TRAINED, || training.step().map(drop))
}

fn predicting(subject: &Subject) -> Result<f64> {
    let (pictures, _) = subject.batch(PREDICTED)?;
    let plan = Plan::new(&subject.network)?;
    pictures_a_second(subject, PREDICTED, || {
        Plan::logits(plan.as_ref(), &subject.network, &pictures).map(drop)?;
        Ok(())
    })
}

/// Of rounds of so many pictures. A GPU is asked for several rounds before it is waited for.
fn pictures_a_second(
    subject: &Subject,
    pictures: usize,
    mut round: impl FnMut() -> Result<()>,
) -> Result<f64> {
    let together = if subject.device.is_cpu() { 1 } else { 8 };
    round()?;
    subject.device.synchronize()?;
    let (start, mut rounds) = (Instant::now(), 0);
    while start.elapsed().as_secs_f64() < SECONDS {
        for _ in 0..together {
            round()?;
        }
        subject.device.synchronize()?;
        rounds += together;
    }
    Ok((rounds * pictures) as f64 / start.elapsed().as_secs_f64())
}
