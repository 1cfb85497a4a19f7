//! Two models on the same pictures.

mod lines;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use fer_data::{Dataset, Split};
use fer_model::file::{Calibration, Model};
use fer_model::{Device, thousands};

use crate::command::arguments::describe_data;
use crate::command::evaluate::EvaluateArguments;
use crate::command::judged::{
    check_classes, check_division, choose_split, chosen_on, open_as_trained, say_other,
};
use crate::command::model;
use crate::command::output::{self, People};
use crate::evaluation::{Evaluation, evaluate};
use crate::metrics::{Comparison, PairedDifference, Report};
use crate::run::RunDirectory;

/// One of the two models, with the data as it wants them.
struct Contender<'a> {
    /// What the lines call it.
    letter: char,
    path: &'a Path,
    model: Model,
    dataset: Dataset,
    /// Whether it was trained on these data.
    same: bool,
}

/// Judges both models on the same pictures and says how they differ.
pub(super) fn run(arguments: &EvaluateArguments, paths: [&Path; 2]) -> Result<ExitCode> {
    let people = People::beside_json(arguments.json);
    let (selected, engine) = arguments.device.select(people)?;
    let device = &selected.device;
    let load = |path| model::load(Some(path), device, engine);
    let [first, second] = [load(paths[0])?, load(paths[1])?];
    ensure!(
        first.description.classes == second.description.classes,
        "{} names the classes {}, {} the classes {}: only models of the same classes can be compared",
        paths[0].display(),
        first.description.classes.names().join(" "),
        paths[1].display(),
        second.description.classes.names().join(" "),
    );
    let open = |letter, path, model: Model| -> Result<Contender<'_>> {
        let (dataset, same) = open_as_trained(&arguments.data, &model.description)?;
        check_classes(&model.description.classes, &dataset)?;
        Ok(Contender {
            letter,
            path,
            model,
            dataset,
            same,
        })
    };
    let contenders = [open('A', paths[0], first)?, open('B', paths[1], second)?];
    let run = arguments.out.as_deref().map(RunDirectory::for_results);
    let run = run.transpose()?;
    let comparison = compare(arguments, &contenders, device, people)?;
    let json = serde_json::to_string_pretty(&comparison)? + "\n";
    if let Some(run) = &run {
        run.write("comparison.json", json.as_bytes())?;
    }
    if arguments.json {
        output::json(&json)?;
    } else {
        lines::say(&comparison, people)?;
    }
    if let Some(run) = &run {
        people.say(&format!("results     {}", run.path().display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn compare(
    arguments: &EvaluateArguments,
    contenders: &[Contender<'_>; 2],
    device: &Device,
    people: People,
) -> Result<Comparison> {
    // The data of a model that was trained on them decide which pictures judge.
    let leads = usize::from(contenders[1].same && !contenders[0].same);
    let leader = &contenders[leads];
    for contender in contenders {
        people.say(&format!(
            "{:<11} {}",
            contender.letter,
            contender.path.display()
        ))?;
    }
    describe_data(&leader.dataset, people)?;
    let wanted = arguments.split.as_deref();
    let split = choose_split(wanted, &leader.dataset, leader.same)?;
    let pictures = indices(&leader.dataset, split);
    ensure!(
        !pictures.is_empty(),
        "{} has no {} pictures",
        leader.dataset.name(),
        split.map_or("", Split::name)
    );
    let judge = |contender: &Contender<'_>| {
        let division = match contender.same || !leader.same {
            true => Some(choose_split(wanted, &contender.dataset, contender.same)?),
            false => None,
        };
        let own = same_pictures(leader, &pictures, contender, division)?;
        contender.judge(own, split, division, device, people)
    };
    let (first, first_answers) = judge(&contenders[0])?;
    let (second, second_answers) = judge(&contenders[1])?;
    let label = |&index: &usize| leader.dataset.entry(index).label;
    let labels: Vec<usize> = pictures.iter().map(label).collect();
    let difference = PairedDifference::between(
        leader.dataset.class_names(),
        &labels,
        &first_answers.predicted,
        &second_answers.predicted,
    );
    Ok(Comparison {
        split: split.map_or("all", Split::name).to_string(),
        n: first.n,
        difference,
        first,
        second,
    })
}

impl Contender<'_> {
    /// Its figures and its answers on these pictures, which the leader calls `split`; see
    /// [`same_pictures`] for `division`.
    fn judge(
        &self,
        pictures: Vec<usize>,
        split: Option<Split>,
        division: Option<Option<Split>>,
        device: &Device,
        people: People,
    ) -> Result<(Report, Evaluation)> {
        let description = &self.model.description;
        let own = division.flatten();
        if self.same {
            check_division(&self.dataset, &description.training, own, people)?;
        } else {
            say_other(&self.dataset, &description.training, people)?;
        }
        let chosen = match self.same {
            true => chosen_on(description, own),
            false => None,
        };
        if let Some(chosen) = chosen {
            let letter = self.letter;
            people.say(&format!(
                "note        of {letter}: some of these pictures {chosen}"
            ))?;
        }
        let calibration = description.calibration.as_ref();
        let temperature = calibration.map(|Calibration { temperature, .. }| *temperature);
        let network = self.model.answering()?;
        let evaluation = evaluate(&*network, &self.dataset, pictures, device)?;
        let mut report = evaluation.report(&self.dataset, own, temperature, chosen.is_some())?;
        report.split = division.unwrap_or(split).map_or("all", Split::name).into();
        Ok((report, evaluation))
    }
}

fn indices(dataset: &Dataset, split: Option<Split>) -> Vec<usize> {
    match split {
        Some(split) => dataset.indices(split),
        None => (0..dataset.len()).collect(),
    }
}

/// The leader's pictures as the contender's data number them. `division` is the part of its own data
/// that the contender is to be judged on, which must hold these pictures and no others; `None` for data
/// that did not train it while they did train the leader.
fn same_pictures(
    leader: &Contender<'_>,
    pictures: &[usize],
    contender: &Contender<'_>,
    division: Option<Option<Split>>,
) -> Result<Vec<usize>> {
    let candidates = indices(&contender.dataset, division.flatten());
    let by_origin: BTreeMap<String, usize> = candidates
        .iter()
        .map(|&index| (contender.dataset.origin(index), index))
        .collect();
    let found = pictures.iter().filter_map(|&index| {
        let other = *by_origin.get(&leader.dataset.origin(index))?;
        let label = leader.dataset.entry(index).label;
        (contender.dataset.entry(other).label == label).then_some(other)
    });
    let found: Vec<usize> = found.collect();
    let has_others = division.is_some() && candidates.len() > pictures.len();
    let rule = |contender: &Contender<'_>| {
        let settings = contender.dataset.split_settings();
        format!("{}, seed {}", contender.dataset.split_rule(), settings.seed)
    };
    ensure!(
        found.len() == pictures.len() && !has_others,
        "the two would be judged on different pictures: {} on {} ({}), {} on {} ({}), of which {} with the same label are common; compare models that were trained on the same division, or judge on data that trained neither",
        leader.letter,
        thousands(pictures.len()),
        rule(leader),
        contender.letter,
        thousands(candidates.len()),
        rule(contender),
        thousands(found.len())
    );
    Ok(found)
}
