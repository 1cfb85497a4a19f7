use std::collections::BTreeMap;
use std::fs;

use anyhow::Result;
use candle_core::Tensor;
use fer_data::drawn::DrawnFaces;
use fer_data::{Picture, Split};
use fer_model::file::{
    self, Abstention, Calibration, Description, Judged, Preprocessing, SelfTest, TrainingSummary,
    WeightFormat,
};
use fer_model::{Agreement, Network, Sequential, answering, thousands};

use crate::command::calibration::{LEAST_PICTURES, abstention, calibrate, what_was_chosen};
use crate::command::judgement::Judgement;
use crate::command::origins::found_out;
use crate::command::output::{People, percent};
use crate::command::session::Session;
use crate::command::task::Task;
use crate::distillation::Teachers;
use crate::evaluation::{Evaluation, evaluate};
use crate::figures;
use crate::fit::Fit;
use crate::metrics::Report;
use crate::report::html;
use crate::report::model_card::ModelCard;
use crate::run::RunDirectory;
use crate::statistics::{percent_within, score_within};

/// What a run found out: the answers for the pictures that judge, and the temperature.
struct Findings {
    calibration: Option<Calibration>,
    abstention: Option<Abstention>,
    /// The figures on validation and on test, as far as there are such pictures.
    reports: Vec<Report>,
    /// The answers that the last of them counts.
    evaluation: Option<Evaluation>,
}

/// Writes everything that a finished run leaves, and says how good it is. All figures are those of
/// the weights as they are saved.
///
/// # Errors
/// A file that cannot be written, or a device that fails.
pub(crate) fn write(session: &Session<'_>, fit: &Fit, network: &dyn Network) -> Result<()> {
    let (run, people) = (session.run, session.people);
    run.write_history(&fit.history, &fit.timings)?;
    figures::write_curves(run, fit)?;
    let halved = match session.task.config.output.weights {
        WeightFormat::F32 => None,
        WeightFormat::F16 => Some(halve(session, fit)?),
    };
    let (weights, saved): (_, &dyn Network) = match &halved {
        None => (&fit.weights, network),
        Some((weights, network)) => (weights, network),
    };
    let views = session.task.config.output.views;
    let findings = judge(session, fit, &*answering(saved, views)?)?;
    let agreement = match halved.is_some() {
        true => agreement(session, &findings, &*answering(network, views)?)?,
        false => None,
    };
    let description = describe(session, fit, saved, &findings)?;
    save(run, weights, &description)?;
    let card = ModelCard {
        description: &description,
        reports: &findings.reports,
        config: session.task.config,
        agreement,
    };
    run.write("MODEL_CARD.md", card.markdown()?.as_bytes())?;
    figures::write_html(run)?;
    say_result(&findings, fit, agreement, people)?;
    let model = run.file("model.safetensors");
    people.say(&format!("run         {}", run.path().display()))?;
    let report = run.file(html::FILE);
    people.say(&format!("report      {}", report.display()))?;
    people.say(&format!(
        "to predict  fer-train predict --model {} FACE.png",
        model.display()
    ))?;
    Ok(())
}

/// Saves the model. What other commands found out about another model that lay in its place goes with
/// that model.
fn save(
    run: &RunDirectory,
    weights: &BTreeMap<String, Tensor>,
    description: &Description,
) -> Result<()> {
    let path = run.file("model.safetensors");
    // A model that cannot be read was another one.
    let before = fs::read(&path).ok();
    file::save(&path, weights, description)?;
    if before.is_some() && before != fs::read(&path).ok() {
        for name in found_out().chain([html::DESCRIPTION]) {
            run.remove(name)?;
        }
    }
    Ok(())
}

/// The weights in 16 bits, and the network that they make.
fn halve(session: &Session<'_>, fit: &Fit) -> Result<(BTreeMap<String, Tensor>, Sequential)> {
    let weights = file::halve(&fit.weights)?;
    let network = file::network(
        &session.task.config.model,
        session.task.dataset.class_names().len(),
        &weights,
        session.task.device,
        session.task.engine,
    )?;
    Ok((weights, network))
}

/// How far the saved answers are from those of `network`, the one in 32 bits.
fn agreement(
    session: &Session<'_>,
    findings: &Findings,
    network: &dyn Network,
) -> Result<Option<Agreement>> {
    let Some(saved) = &findings.evaluation else {
        return Ok(None);
    };
    let whole = evaluate(
        network,
        session.task.dataset,
        saved.indices.clone(),
        session.task.device,
    )?;
    let calibration = findings.calibration.as_ref();
    let temperature = calibration.map_or(1.0, |calibration| calibration.temperature);
    let (saved, whole) = (
        saved.probabilities(temperature),
        whole.probabilities(temperature),
    );
    let classes = session.task.dataset.class_names().len();
    Ok(Some(Agreement::between(
        saved.chunks_exact(classes),
        whole.chunks_exact(classes),
    )))
}

fn describe(
    session: &Session<'_>,
    fit: &Fit,
    network: &dyn Network,
    findings: &Findings,
) -> Result<Description> {
    let Task {
        config,
        settings,
        dataset,
        device,
        ..
    } = *session.task;
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
            views: config.output.views,
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
            initial: session
                .task
                .transfer
                .map(|transfer| transfer.summary().clone()),
            distillation: session.task.teachers.map(Teachers::summary),
        },
        calibration: findings.calibration.clone(),
        abstention: findings.abstention.clone(),
        judged: findings.reports.last().map(|report| Judged {
            split: report.split.clone(),
            pictures: report.n as usize,
            accuracy: report.accuracy,
            macro_f1: report.macro_f1,
            chosen_on_this_split: report.chosen_on_this_split,
        }),
        self_test: SelfTest::record(network, &picture, device)?,
    })
}

/// Judges the network on validation, which gives the temperature, and on test where there is one, and
/// writes the figures. `metrics.json` holds the last.
fn judge(session: &Session<'_>, fit: &Fit, network: &dyn Network) -> Result<Findings> {
    let run = session.run;
    let Task {
        config,
        settings,
        dataset,
        device,
        ..
    } = *session.task;
    let evaluate_split = |split| match dataset.indices(split) {
        indices if indices.is_empty() => Ok(None),
        indices => evaluate(network, dataset, indices, device).map(Some),
    };
    let validation = evaluate_split(Split::Validation)?;
    let calibration = calibrate(
        &config.calibration,
        validation.as_ref(),
        fit.chosen_on_validation,
    );
    let abstention = abstention(
        &config.calibration,
        validation.as_ref(),
        calibration.as_ref(),
        dataset.class_names(),
        config.output.views,
    )?;
    let temperature = calibration
        .as_ref()
        .map(|calibration| calibration.temperature);
    let mut reports = Vec::new();
    if let Some(evaluation) = &validation {
        let chosen = what_validation_chose(fit, calibration.as_ref()).is_some();
        let report = evaluation.report(dataset, Some(Split::Validation), temperature, chosen)?;
        run.write_report("validation.json", &report)?;
        reports.push(report);
    }
    let test = evaluate_split(Split::Test)?;
    if let Some(evaluation) = &test {
        reports.push(evaluation.report(dataset, Some(Split::Test), temperature, false)?);
    }
    let evaluation = test.or(validation);
    if let Some((evaluation, report)) = evaluation.as_ref().zip(reports.last()) {
        Judgement::new(dataset, evaluation, report, true)?.write(run, settings.seed)?;
    }
    Ok(Findings {
        calibration,
        abstention,
        reports,
        evaluation,
    })
}

fn what_validation_chose(fit: &Fit, calibration: Option<&Calibration>) -> Option<&'static str> {
    let fitted = calibration.is_some_and(|calibration| calibration.fitted_on().is_some());
    what_was_chosen(fit.chosen_on_validation, fitted)
}

fn say_result(
    findings: &Findings,
    fit: &Fit,
    agreement: Option<Agreement>,
    people: People,
) -> Result<()> {
    let Some(report) = findings.reports.last() else {
        people.say(
            "result      none: no picture validates and none tests, so metrics.json is not written",
        )?;
        return Ok(());
    };
    let chosen = match report.chosen_on_this_split {
        true => what_validation_chose(fit, findings.calibration.as_ref()),
        false => None,
    };
    let chosen = chosen.map_or(String::new(), |chosen| {
        format!(" (these pictures {chosen})")
    });
    people.say(&format!(
        "result      {} of {} {} pictures right, macro F1 {}, weights of epoch {}{chosen}",
        percent_within(report.accuracy, report.accuracy_interval),
        thousands(report.n as usize),
        report.split,
        score_within(report.macro_f1, report.macro_f1_interval),
        fit.epoch,
    ))?;
    if let Some(without) = report.uncalibrated {
        people.say(&format!(
            "calibration temperature {:.3}: expected calibration error {}, without it {}",
            report.temperature,
            percent(report.ece),
            percent(without.ece)
        ))?;
    }
    let validated = Split::Validation.name();
    if findings.calibration.is_none() && findings.reports.iter().any(|it| it.split == validated) {
        people.say(&format!(
            "calibration none: it takes at least {LEAST_PICTURES} validation pictures, not all of them right"
        ))?;
    }
    if let Some(agreement) = agreement {
        people.say(&format!(
            "16 bits     name the class that 32 bits do for {} of {} pictures; probabilities differ by {:.5} at most",
            thousands(agreement.equal),
            thousands(agreement.pictures),
            agreement.largest_difference
        ))?;
    }
    Ok(())
}
