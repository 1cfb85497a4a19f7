//! Takes the built-in model to classes of one's own, a folder each:
//! `cargo run -p fer-train --example fine_tune -- FOLDER MODEL`.

#![expect(clippy::print_stdout, reason = "a program of its own")]

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use fer_data::{OpenSettings, Split, open};
use fer_model::Device;
use fer_model::file::{self, Description, SelfTest, TrainingSummary};
use fer_model::ops::Engine;
use fer_train::evaluation::evaluate;
use fer_train::fit::{FitSettings, Silent, Trainer};
use fer_train::initial::{InitSettings, Initial};
use fer_train::recipe::Recipe;

fn main() -> Result<()> {
    let paths: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [folder, model] = paths.as_slice() else {
        bail!("usage: fine_tune FOLDER MODEL");
    };
    let accuracy = fine_tune(folder, model)?;
    println!("{:.1} % of the test pictures right", 100.0 * accuracy);
    Ok(())
}

/// Trains on the pictures of `folder`, saves the model at `path` and gives its accuracy on test.
pub(crate) fn fine_tune(folder: &Path, path: &Path) -> Result<f64> {
    let device = Device::Cpu;
    let dataset = open(folder, &OpenSettings::default())?;
    let classes = dataset.class_names();

    // All the layers but the last few stay as they are, and cost nothing on the way back.
    let initial = Initial::open(&InitSettings {
        model: InitSettings::BUILTIN.into(),
        freeze: ["conv1", "conv2", "conv3", "conv4", "residual1"]
            .map(String::from)
            .to_vec(),
        ..InitSettings::default()
    })?;
    let transfer = initial.transfer(initial.architecture(), classes)?;
    let parameters = transfer.parameters(7, &device)?;
    let network =
        initial
            .architecture()
            .build(classes.len(), Engine::detect(), parameters.builder())?;

    let settings = FitSettings {
        epochs: 8,
        learning_rate: 0.002,
        least_steps: None,
        ..Recipe::FineTune.config()?.training
    };
    let trainer = Trainer {
        network: &network,
        teachers: None,
        parameters: &parameters,
        dataset: &dataset,
        settings: &settings.check()?,
        device: &device,
    };
    let fit = trainer.run(&mut Silent)?;

    let description = Description {
        library: Description::library_name(),
        classes: classes.clone(),
        training: TrainingSummary {
            data: dataset.name().into(),
            data_hash: dataset.hash().into(),
            epochs: fit.history.len(),
            epoch: fit.epoch,
            initial: Some(transfer.summary().clone()),
            ..TrainingSummary::default()
        },
        calibration: None,
        abstention: None,
        judged: None,
        self_test: SelfTest::record(&network, &dataset.picture(0)?, &device)?,
        ..initial.description().clone()
    };
    file::save(path, &fit.weights, &description)?;
    let judged = evaluate(&network, &dataset, dataset.indices(Split::Test), &device)?;
    Ok(judged.metrics.accuracy())
}
