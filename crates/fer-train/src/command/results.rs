//! What a finished run leaves: the model, its figures, and what a person is told of them.

use std::collections::BTreeMap;

use anyhow::Result;
use fer_data::drawn::DrawnFaces;
use fer_data::{Picture, Split};
use fer_model::file::{self, Description, Preprocessing, SelfTest, TrainingSummary};
use fer_model::{Network, thousands};

use crate::command::output::{People, percent};
use crate::command::session::Session;
use crate::evaluation::{Evaluation, evaluate};
use crate::figures;
use crate::fit::Fit;
use crate::metrics::Report;

/// Writes everything that a finished run leaves, and says how good it is.
///
/// # Errors
/// A file that cannot be written, or a device that fails.
pub(crate) fn write(session: &Session<'_>, fit: &Fit, network: &dyn Network) -> Result<()> {
    let (run, people) = (session.run, session.people);
    let description = describe(session, fit, network)?;
    run.write_history(&fit.history, &fit.timings)?;
    file::save(&run.file("model.safetensors"), &fit.weights, &description)?;
    figures::write_curves(run, fit)?;
    if let Some(report) = judge(session, fit, network)? {
        say_result(&report, fit, people)?;
    } else {
        people.say(
            "result      none: no picture validates and none tests, so metrics.json is not written",
        )?;
    }
    let model = run.file("model.safetensors");
    people.say(&format!("run         {}", run.path().display()))?;
    people.say(&format!(
        "to predict  fer-train predict --model {} FACE.png",
        model.display()
    ))?;
    Ok(())
}

fn describe(session: &Session<'_>, fit: &Fit, network: &dyn Network) -> Result<Description> {
    let Session {
        config,
        settings,
        dataset,
        device,
        ..
    } = *session;
    let face = DrawnFaces::new(0).draw(0);
    let picture = Picture::from_pixels(&face.pixels, "the self-test's drawn face")?;
    let split = dataset.split_settings();
    let counts: BTreeMap<String, Vec<usize>> = Split::ALL
        .into_iter()
        .map(|split| (split.name().to_string(), dataset.counts(split)))
        .collect();
    let target = config
        .data
        .ferplus
        .is_some()
        .then_some(config.data.ferplus_target);
    Ok(Description {
        format: Description::FORMAT,
        library: Description::library_name(),
        architecture: config.model.clone(),
        classes: dataset.class_names().clone(),
        preprocessing: Preprocessing {
            resize: config.data.resize,
            ..Preprocessing::default()
        },
        training: TrainingSummary {
            data: dataset.name().to_string(),
            data_hash: dataset.hash().to_string(),
            ferplus_target: target,
            division_hash: dataset.division_hash(),
            split_rule: dataset.split_rule().to_string(),
            split_seed: split.seed,
            validation_fraction: split.validation_fraction,
            test_fraction: split.test_fraction,
            dedup: config.data.dedup,
            counts,
            seed: settings.seed,
            epochs: fit.history.len(),
            epoch: fit.epoch,
            epoch_chosen_on: fit
                .chosen_on_validation
                .then(|| Split::Validation.name().to_string()),
            batch_size: settings.batch_size,
            learning_rate: settings.learning_rate,
        },
        self_test: SelfTest::record(network, &picture, device)?,
    })
}

/// Writes the figures of validation, and of test where there is one; gives those that
/// `metrics.json` holds.
fn judge(session: &Session<'_>, fit: &Fit, network: &dyn Network) -> Result<Option<Report>> {
    let Session {
        settings,
        dataset,
        device,
        run,
        ..
    } = *session;
    let mut judged: Option<(Report, Evaluation)> = None;
    for split in [Split::Validation, Split::Test] {
        let indices = dataset.indices(split);
        if indices.is_empty() {
            continue;
        }
        let evaluation = evaluate(network, dataset, indices, device)?;
        let chosen = split == Split::Validation && fit.chosen_on_validation;
        let report = evaluation.report(dataset, Some(split), chosen)?;
        if split == Split::Validation {
            run.write_report("validation.json", &report)?;
        }
        judged = Some((report, evaluation));
    }
    let Some((report, evaluation)) = judged else {
        return Ok(None);
    };
    run.write_report("metrics.json", &report)?;
    figures::write_confusion_matrix(run, &report)?;
    figures::write_samples(run, dataset, &evaluation, settings.seed)?;
    Ok(Some(report))
}

fn say_result(report: &Report, fit: &Fit, people: People) -> Result<()> {
    let chosen = match report.chosen_on_this_split {
        true => " (these pictures chose the epoch, which flatters the figure)",
        false => "",
    };
    people.say(&format!(
        "result      {} of {} {} pictures right, macro F1 {:.3}, weights of epoch {}{chosen}",
        percent(report.accuracy),
        thousands(report.n as usize),
        report.split,
        report.macro_f1,
        fit.epoch,
    ))?;
    Ok(())
}
