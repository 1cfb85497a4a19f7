use std::io::{self, IsTerminal};
use std::process::ExitCode;

use anyhow::Result;
use fer_model::thousands;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::ExplainArguments;
use crate::command::arguments::describe_data;
use crate::command::judged::{
    check_classes, check_division, choose_split, open_as_trained, say_other,
};
use crate::command::model;
use crate::command::origins::{Finding, Origins};
use crate::command::output::{self, People};
use crate::figures::{write_explanation, write_html};
use crate::insight::{
    Agreement, ByMethod, ClassExplanation, Explanation, Importance, InsightSettings, OrderCurves,
    Subject, explain,
};
use crate::run::RunDirectory;

pub(super) fn run(arguments: &ExplainArguments) -> Result<ExitCode> {
    let people = People::beside_json(arguments.json);
    let (selected, engine) = arguments.device.select(people)?;
    let model = model::load(arguments.model.as_deref(), &selected.device, engine)?;
    let (dataset, same) = open_as_trained(&arguments.data, &model.description)?;
    check_classes(&model.description.classes, &dataset)?;
    describe_data(&dataset, people)?;
    let split = choose_split(arguments.split.as_deref(), &dataset, same)?;
    if same {
        check_division(&dataset, &model.description.training, split, people)?;
    } else {
        say_other(&dataset, &model.description.training, people)?;
    }
    let run = match &arguments.out {
        Some(path) => Some(RunDirectory::for_results(path)?),
        None => None,
    };
    let origins = Origins {
        description: &model.description,
        dataset: &dataset,
        finding: Finding::Regions,
    };
    if let Some(run) = &run {
        origins.check(run)?;
    }
    let subject = Subject {
        network: &model.network,
        architecture: &model.description.architecture,
        dataset: &dataset,
        split,
        device: &selected.device,
    };
    let bar = bar();
    let insight = explain(&subject, &settings(arguments), &mut |done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    let explanation = match &run {
        Some(run) => {
            origins.write(run)?;
            let explanation = write_explanation(run, &dataset, &insight)?;
            write_html(run)?;
            explanation
        }
        None => insight.explanation,
    };
    if arguments.json {
        output::json(&(serde_json::to_string_pretty(&explanation)? + "\n"))?;
    } else {
        say(&explanation, people)?;
    }
    if let Some(run) = run {
        let path = run.file("explanation.json");
        people.say(&format!("written     {}", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn settings(arguments: &ExplainArguments) -> InsightSettings {
    let defaults = InsightSettings::default();
    InsightSettings {
        pictures: arguments.pictures,
        random_networks: arguments
            .random_networks
            .unwrap_or(defaults.random_networks),
        seed: arguments.data.reading.seed.unwrap_or(defaults.seed),
        ..defaults
    }
}

/// A bar on a terminal, and nothing elsewhere.
fn bar() -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("explaining  {wide_bar} {pos}/{len} maps, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::stderr()).with_style(style)
}

fn say(explanation: &Explanation, people: People) -> Result<()> {
    people.say(&format!(
        "explained   {} pictures of {} that are taken for what they are",
        thousands(explanation.n as usize),
        explanation.split
    ))?;
    people.say("            1: as much as the face has on the whole; *: named by EMFACS")?;
    say_regions(
        explanation,
        "occlusion",
        |methods| &methods.occlusion,
        people,
    )?;
    say_regions(explanation, "Grad-CAM", |methods| &methods.grad_cam, people)?;
    if let Some(agreement) = &explanation.agreement {
        for (name, both) in [
            ("occlusion", &agreement.occlusion),
            ("Grad-CAM", &agreement.grad_cam),
        ] {
            let beside = both
                .random
                .as_ref()
                .map(|random| format!("; random weights: {}", in_words(random)));
            people.say(&format!(
                "EMFACS      {name}: {}{}",
                in_words(&both.network),
                beside.unwrap_or_default()
            ))?;
        }
    }
    say_curves(explanation, people)
}

fn in_words(agreement: &Agreement) -> String {
    format!(
        "rank correlation {:.2}, average precision {:.2}, overlap {:.2}",
        agreement.rank_correlation, agreement.average_precision, agreement.overlap
    )
}

fn say_regions(
    explanation: &Explanation,
    method: &str,
    of: impl Fn(&ByMethod<Importance>) -> &Importance,
    people: People,
) -> Result<()> {
    let names = explanation
        .classes
        .iter()
        .map(|class| class.name.chars().count());
    let width = names.max().unwrap_or(0).max(method.len());
    let heads: Vec<String> = explanation
        .regions
        .iter()
        .map(|name| format!("{name:>7}"))
        .collect();
    people.say(&format!(
        "{method:width$} {} outside pictures",
        heads.join("")
    ))?;
    for class in &explanation.classes {
        let Some(importance) = &class.importance else {
            people.say(&format!(
                "{:width$} none is taken for what it is",
                class.name
            ))?;
            continue;
        };
        let importance = of(importance);
        people.say(&format!(
            "{:width$} {} {:>7.2} {:>8}",
            class.name,
            cells(class, &importance.regions, &explanation.regions),
            importance.outside,
            thousands(class.n as usize)
        ))?;
    }
    Ok(())
}

/// The densities of a class, marked where EMFACS names the region.
fn cells(class: &ClassExplanation, densities: &[f64], regions: &[String]) -> String {
    let cell = |(density, region): (&f64, &String)| {
        let mark = if class.emfacs.contains(region) {
            "*"
        } else {
            " "
        };
        format!("{density:>6.2}{mark}")
    };
    densities.iter().zip(regions).map(cell).collect()
}

fn say_curves(explanation: &Explanation, people: People) -> Result<()> {
    let curves = &explanation.curves;
    let areas = |area: fn(&OrderCurves) -> f64| {
        let [occlusion, grad_cam, random] =
            [&curves.occlusion, &curves.grad_cam, &curves.random].map(area);
        format!("occlusion {occlusion:.3}, Grad-CAM {grad_cam:.3}, random order {random:.3}")
    };
    let deletion = areas(|order| order.deletion.area);
    let insertion = areas(|order| order.insertion.area);
    people.say(&format!("deletion    {deletion} (area; less is better)"))?;
    people.say(&format!("insertion   {insertion} (area; more is better)"))?;
    Ok(())
}
