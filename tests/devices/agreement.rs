use anyhow::{Result, anyhow};
use candle_core::{DType, Device, Tensor};
use fer_model::Architecture;
use fer_model::explain::{Explainer, OcclusionSettings};

use crate::subject::{Subject, farthest, values};

/// Something that must agree with what the CPU's kernels compute.
pub(crate) struct Check {
    pub(crate) what: &'static str,
    /// The largest difference allowed, as a share of the largest value.
    pub(crate) allowed: f64,
    /// The largest difference found.
    pub(crate) run: fn(&Device) -> Result<f64>,
}

pub(crate) const CHECKS: [Check; 8] = [
    Check {
        what: "logits of every network",
        allowed: 1e-4,
        run: |device| {
            each_network(|name| {
                let expected = Subject::on_kernels(name)?.logits(6)?;
                Ok(farthest(
                    &Subject::portable(name, device)?.logits(6)?,
                    &expected,
                ))
            })
        },
    },
    Check {
        what: "gradients of every network, in length",
        allowed: 3e-2,
        run: |device| each_network(|name| gradients(name, device)),
    },
    Check {
        what: "losses of eight steps of Adam with dropout, every network",
        allowed: 2e-3,
        run: |device| {
            each_network(|name| {
                let expected = Subject::on_kernels(name)?.train(8, 12)?;
                Ok(farthest(
                    &Subject::portable(name, device)?.train(8, 12)?,
                    &expected,
                ))
            })
        },
    },
    Check {
        what: "logits after that training, with running statistics",
        allowed: 2e-2,
        run: |device| {
            each_network(|name| {
                let after = |subject: Subject| {
                    subject.train(8, 12)?;
                    subject.logits(6)
                };
                let expected = after(Subject::on_kernels(name)?)?;
                Ok(farthest(
                    &after(Subject::portable(name, device)?)?,
                    &expected,
                ))
            })
        },
    },
    Check {
        what: "the same training twice on the device, `vgg`",
        allowed: 1e-4,
        run: |device| {
            let once = || Subject::portable("vgg", device)?.train(4, 12);
            Ok(farthest(&once()?, &once()?))
        },
    },
    Check {
        what: "Grad-CAM and occlusion, `cnn`",
        allowed: 1e-3,
        run: explanations,
    },
    Check {
        what: "weights that go to the CPU and back",
        allowed: 0.0,
        run: |device| {
            let subject = Subject::portable("cnn", device)?;
            let before = subject.logits(3)?;
            let weights = subject.parameters.snapshot()?;
            subject.train(1, 3)?;
            subject.parameters.restore(&weights)?;
            Ok(farthest(&subject.logits(3)?, &before))
        },
    },
    Check {
        what: "what one thread computes and another reads",
        allowed: 0.0,
        run: between_threads,
    },
];

/// The largest difference of all networks.
fn each_network(of: impl Fn(&str) -> Result<f64>) -> Result<f64> {
    let mut names = Architecture::NAMES.iter();
    names.try_fold(0.0f64, |most, name| Ok(most.max(of(name)?)))
}

/// The length of the difference of all gradients as a share of theirs: a single unit that rounding switches on or off
/// moves some of them by much.
fn gradients(name: &str, device: &Device) -> Result<f64> {
    let expected = Subject::on_kernels(name)?.gradients(16)?;
    let found = Subject::portable(name, device)?.gradients(16)?;
    let length = |values: &mut dyn Iterator<Item = f32>| -> f64 {
        let squares = values.map(|value| f64::from(value).powi(2));
        squares.sum::<f64>().sqrt()
    };
    let numbers = || {
        found
            .iter()
            .zip(&expected)
            .flat_map(|((_, found), (_, expected))| found.iter().zip(expected))
    };
    let difference = length(&mut numbers().map(|(found, expected)| found - expected));
    Ok(difference / length(&mut numbers().map(|(_, expected)| *expected)))
}

/// Means of rows, each time greater by 1 and exactly so, asked for here and read by a thread that begins while the
/// device is at work. Who reads too early reads less, for memory that is used again holds an earlier number.
fn between_threads(device: &Device) -> Result<f64> {
    const SIDE: usize = 1024;
    const STEPS: u16 = 32;
    let mean = Tensor::full(1.0 / SIDE as f32, (SIDE, SIDE), device)?;
    let mut counted = Tensor::zeros((SIDE, SIDE), DType::F32, device)?;
    for _ in 0..STEPS {
        counted = (counted.matmul(&mean)? + 1.0)?;
    }
    let read = std::thread::scope(|scope| scope.spawn(|| values(&(counted + 1.0)?)).join());
    let read = read.map_err(|_| anyhow!("the thread that reads panicked"))??;
    Ok(farthest(&read, &vec![f32::from(STEPS) + 1.0; SIDE * SIDE]))
}

fn explanations(device: &Device) -> Result<f64> {
    let explained = |subject: Subject| -> Result<Vec<f32>> {
        let (pictures, _) = subject.batch(2)?;
        let explainer = Explainer::new(&subject.network)?;
        let mut maps = values(&explainer.grad_cam(&pictures, &[0, 3])?)?;
        let settings = OcclusionSettings {
            patch: 16,
            stride: 16,
        };
        maps.extend(values(&explainer.occlusion(
            &pictures,
            &[0, 3],
            &settings,
        )?)?);
        Ok(maps)
    };
    let expected = explained(Subject::on_kernels("cnn")?)?;
    Ok(farthest(
        &explained(Subject::portable("cnn", device)?)?,
        &expected,
    ))
}
