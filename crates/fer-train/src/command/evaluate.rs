use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Args;
use fer_data::Split;
use fer_model::thousands;

use crate::command::Usage;
use crate::command::arguments::{DataArguments, DeviceArguments, describe_data};
use crate::command::judged::{
    check_classes, check_division, choose_split, chosen_on, open_as_trained, say_other,
};
use crate::command::judgement::Judgement;
use crate::command::origins::{Finding, Origins};
use crate::command::output::{self, People, TOO_FEW, percent};
use crate::command::{comparison, groups, model, robustness};
use crate::evaluation::evaluate;
use crate::figures;
use crate::metrics::Report;
use crate::robustness::Trial;
use crate::run::{RunDirectory, report_json};
use crate::statistics::{percent_within, score_within};

/// What `evaluate` takes.
#[derive(Args)]
pub(crate) struct EvaluateArguments {
    /// The saved model [default: the built-in one]
    model: Option<PathBuf>,
    /// A second saved model: both are judged on the same pictures and compared
    #[arg(value_name = "MODEL2")]
    pub(super) second: Option<PathBuf>,
    #[command(flatten)]
    pub(super) data: DataArguments,
    /// The pictures to judge on: train, validation, test or all [default: test or else validation
    /// of the data it was trained on, all of other data]
    #[arg(long, value_name = "SPLIT", value_parser = ["train", "validation", "test", "all"])]
    pub(super) split: Option<String>,
    /// Judge it under blur, noise, darkness, low contrast, rotation and low resolution and with eyes
    /// or mouth covered, each at five strengths
    #[arg(long, conflicts_with_all = ["second", "groups"])]
    robustness: bool,
    /// Say the figures by group of this column of the data alone, such as age; may be repeated
    /// [default: every column that makes groups]
    #[arg(long = "group", value_name = "COLUMN", conflicts_with = "second")]
    groups: Vec<String>,
    /// A directory for the figures, one row a picture, what is hard and the report, or for the
    /// situations or the comparison of two models: a run, or one to be made
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Print the figures as JSON on stdout, and everything else on stderr
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) device: DeviceArguments,
}

pub(crate) fn run(arguments: &EvaluateArguments) -> Result<ExitCode> {
    if arguments.data.data.is_none() {
        return Err(Usage("evaluate needs --data PATH (or --data drawn)".into()).into());
    }
    if let Some((first, second)) = arguments.model.as_ref().zip(arguments.second.as_ref()) {
        return comparison::run(arguments, [first, second]);
    }
    let people = People::beside_json(arguments.json);
    let (selected, engine) = arguments.device.select(people)?;
    let model = model::load(arguments.model.as_deref(), &selected.device, engine)?;
    let (dataset, same) = open_as_trained(&arguments.data, &model.description)?;
    check_classes(&model.description.classes, &dataset)?;
    groups::check_columns(&arguments.groups, &dataset)?;
    describe_data(&dataset, people)?;

    let split = choose_split(arguments.split.as_deref(), &dataset, same)?;
    if same {
        check_division(&dataset, &model.description.training, split, people)?;
    } else {
        say_other(&dataset, &model.description.training, people)?;
    }
    let indices = match split {
        Some(split) => dataset.indices(split),
        None => (0..dataset.len()).collect(),
    };
    ensure!(
        !indices.is_empty(),
        "{} has no {} pictures",
        dataset.name(),
        split.map_or("", Split::name)
    );
    let chosen = if same {
        chosen_on(&model.description, split)
    } else {
        None
    };
    let origins = Origins {
        description: &model.description,
        dataset: &dataset,
        finding: match arguments.robustness {
            true => Finding::Situations,
            false => Finding::Figures,
        },
    };
    if arguments.robustness {
        let trial = Trial {
            network: &*model.answering()?,
            dataset: &dataset,
            indices: &indices,
            device: &selected.device,
            seed: arguments.data.reading.seed.unwrap_or(0),
        };
        let wanted = robustness::Wanted {
            split,
            chosen,
            json: arguments.json,
            out: arguments.out.as_deref(),
            origins,
        };
        robustness::run(&trial, &wanted)?;
        return Ok(ExitCode::SUCCESS);
    }
    let calibration = model.description.calibration.as_ref();
    let temperature = calibration.map(|calibration| calibration.temperature);
    let run = arguments.out.as_deref().map(RunDirectory::for_results);
    let run = run.transpose()?;
    if let Some(run) = &run {
        origins.check(run)?;
    }
    let evaluation = evaluate(&*model.answering()?, &dataset, indices, &selected.device)?;
    let report = evaluation.report(&dataset, split, temperature, chosen.is_some())?;
    let judgement = Judgement::new(&dataset, &evaluation, &report, same)?;
    if let Some(run) = &run {
        judgement.write(run, model.description.training.seed)?;
        origins.write(run)?;
        figures::write_html(run)?;
    }
    let mut shown = report.clone();
    groups::keep(&mut shown.groups, &arguments.groups);
    if arguments.json {
        output::json(&report_json(&shown)?)?;
    } else {
        say(&shown, people)?;
        judgement.say_hardest(people)?;
        if let Some(chosen) = chosen {
            people.say(&format!("note: some of these pictures {chosen}"))?;
        }
    }
    if let Some(run) = &run {
        people.say(&format!("results     {}", run.path().display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn say(report: &Report, people: People) -> Result<()> {
    people.say(&format!(
        "judged on   {} ({} pictures)",
        report.split,
        thousands(report.n as usize)
    ))?;
    let accuracy = percent_within(report.accuracy, report.accuracy_interval);
    people.say(&format!("accuracy    {accuracy}"))?;
    if let Some(copies) = &report.copies_of_train {
        people.say(&format!(
            "            {} without the {} exact copies of train pictures",
            percent_within(copies.accuracy_without, copies.accuracy_without_interval),
            thousands(copies.n as usize)
        ))?;
    }
    say_probabilities(report, people)?;
    say_averages(report, people)?;
    say_classes(report, people)?;
    for group in &report.groups {
        groups::say(group, people)?;
    }
    Ok(())
}

fn say_averages(report: &Report, people: People) -> Result<()> {
    let macro_f1 = score_within(report.macro_f1, report.macro_f1_interval);
    let weighted_f1 = score_within(report.weighted_f1, report.weighted_f1_interval);
    let balanced = percent_within(report.balanced_accuracy, report.balanced_accuracy_interval);
    people.say(&format!("macro F1    {macro_f1}"))?;
    people.say(&format!("weighted F1 {weighted_f1}"))?;
    people.say(&format!("balanced    {balanced}"))?;
    if let Some(bootstrap) = report.bootstrap {
        people.say(&format!(
            "in brackets 95 % intervals: Wilson's of shares, a bootstrap's of F1 and balanced accuracy ({} resamples, seed {})",
            thousands(bootstrap.resamples as usize),
            bootstrap.seed
        ))?;
    }
    Ok(())
}

fn say_classes(report: &Report, people: People) -> Result<()> {
    let names = report
        .classes
        .iter()
        .map(|class| class.name.chars().count());
    let width = names.max().unwrap_or(0).max("class".len());
    people.say(&format!(
        "{:width$}  {:19}  {:19}  {:19}  support",
        "class", "precision", "recall", "f1"
    ))?;
    for class in &report.classes {
        let score = &class.score;
        let figures = match class.too_few {
            true => [TOO_FEW.to_string(), String::new(), String::new()],
            false => [
                score_within(score.precision, class.precision_interval),
                score_within(score.recall, class.recall_interval),
                score_within(score.f1, class.f1_interval),
            ],
        };
        let [precision, recall, f1] = figures;
        people.say(&format!(
            "{:width$}  {precision:19}  {recall:19}  {f1:19}  {:>7}",
            class.name,
            thousands(score.support as usize)
        ))?;
    }
    Ok(())
}

fn say_probabilities(report: &Report, people: People) -> Result<()> {
    people.say(&format!("loss        {:.4}", report.loss))?;
    people.say(&format!(
        "ECE         {} (expected calibration error)",
        percent(report.ece)
    ))?;
    if let Some(without) = &report.uncalibrated {
        people.say(&format!(
            "            at temperature {:.3}; without it loss {:.4}, ECE {}",
            report.temperature,
            without.loss,
            percent(without.ece)
        ))?;
    }
    Ok(())
}
