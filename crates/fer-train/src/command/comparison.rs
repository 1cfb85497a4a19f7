//! Two models on the same pictures.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use fer_data::{Dataset, Split};
use fer_model::file::{Calibration, Model};
use fer_model::{Device, thousands};

use crate::command::arguments::describe_data;
use crate::command::evaluate::{
    EvaluateArguments, check_classes, check_division, choose_split, chosen_on, open_as_trained,
};
use crate::command::model;
use crate::command::output::{self, People, TOO_FEW};
use crate::evaluation::{Evaluation, evaluate};
use crate::metrics::{Comparison, PairedDifference, Report};
use crate::run::RunDirectory;
use crate::statistics::{
    Interval, McNemar, McNemarForm, p_value_in_words, percent_within, points_within, score_within,
};

/// Below this p-value a difference is called one.
const SIGNIFICANT: f64 = 0.05;

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
        output::data(&json)?;
    } else {
        say(&comparison, people)?;
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
    let mut judged = Vec::with_capacity(2);
    for contender in contenders {
        let division = match contender.same || !leader.same {
            true => Some(choose_split(wanted, &contender.dataset, contender.same)?),
            false => None,
        };
        if contender.same {
            let training = &contender.model.description.training;
            let own = division.flatten();
            check_division(&contender.dataset, training, own, people)?;
        }
        let same_pictures = same_pictures(leader, &pictures, contender, division)?;
        let network = &contender.model.network;
        let evaluation = evaluate(network, &contender.dataset, same_pictures, device)?;
        let report = contender.report(&evaluation, split, division, people)?;
        judged.push((report, evaluation));
    }
    let labels = pictures
        .iter()
        .map(|&index| leader.dataset.entry(index).label);
    let labels: Vec<usize> = labels.collect();
    let predicted = |place: usize| judged[place].1.predicted.as_slice();
    let names = leader.dataset.class_names();
    let difference = PairedDifference::between(names, &labels, predicted(0), predicted(1));
    let mut reports = judged.into_iter().map(|(report, _)| report);
    let [Some(first), Some(second)] = [reports.next(), reports.next()] else {
        unreachable!("two models were judged")
    };
    Ok(Comparison {
        split: split.map_or("all", Split::name).to_string(),
        n: first.n,
        difference,
        first,
        second,
    })
}

impl Contender<'_> {
    /// Its figures on what the leader calls `split`; see [`same_pictures`] for `division`.
    fn report(
        &self,
        evaluation: &Evaluation,
        split: Option<Split>,
        division: Option<Option<Split>>,
        people: People,
    ) -> Result<Report> {
        let description = &self.model.description;
        let own = division.flatten();
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
        let report = evaluation.report(&self.dataset, own, temperature, chosen.is_some())?;
        let split = division.unwrap_or(split).map_or("all", Split::name);
        Ok(Report {
            split: split.to_string(),
            ..report
        })
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

fn say(comparison: &Comparison, people: People) -> Result<()> {
    let Comparison { first, second, .. } = comparison;
    let (n, difference) = (thousands(comparison.n as usize), &comparison.difference);
    let splits = match first.split == second.split {
        true => comparison.split.clone(),
        false => format!("{} of A and {} of B, the same", first.split, second.split),
    };
    people.say(&format!("judged on   {splits} ({n} pictures)"))?;
    people.say(&format!("            {:22} B", "A"))?;
    let accuracy = |of: &Report| percent_within(of.accuracy, of.accuracy_interval);
    let macro_f1 = |of: &Report| score_within(of.macro_f1, of.macro_f1_interval);
    let (one, other) = (accuracy(first), accuracy(second));
    people.say(&format!("accuracy    {one:22} {other}"))?;
    let (one, other) = (macro_f1(first), macro_f1(second));
    people.say(&format!("macro F1    {one:22} {other}"))?;
    let table = &difference.mcnemar;
    people.say(&format!(
        "right       {} by both, {} by A alone, {} by B alone, {} by neither",
        thousands(table.both_right as usize),
        thousands(table.only_first as usize),
        thousands(table.only_second as usize),
        thousands(table.both_wrong as usize)
    ))?;
    people.say(&format!("difference  {}", in_words(difference)))?;
    people.say(&format!(
        "            macro F1 {:+.3}{}",
        difference.macro_f1,
        difference
            .macro_f1_interval
            .map_or(String::new(), |Interval { low, high }| format!(
                " ({low:+.3} to {high:+.3})"
            ))
    ))?;
    people.say(&format!("            {}", verdict(table)))?;
    say_classes(comparison, people)
}

fn in_words(difference: &PairedDifference) -> String {
    let table = &difference.mcnemar;
    let n = thousands(table.n() as usize);
    let more = thousands(table.only_first.abs_diff(table.only_second) as usize);
    let who = match table.only_first.cmp(&table.only_second) {
        std::cmp::Ordering::Less => format!("B names {more} more of {n} pictures rightly than A"),
        std::cmp::Ordering::Greater => {
            format!("B names {more} fewer of {n} pictures rightly than A")
        }
        std::cmp::Ordering::Equal => format!("both name equally many of {n} pictures rightly"),
    };
    format!(
        "{who}: {}",
        points_within(difference.accuracy, difference.accuracy_interval)
    )
}

fn verdict(table: &McNemar) -> String {
    let form = match table.form {
        McNemarForm::Exact => "exact",
        McNemarForm::ChiSquared => "chi-squared with continuity correction",
    };
    let judged = match table.p_value < SIGNIFICANT {
        true => "more than chance would do",
        false => "chance alone may do as much, so neither is shown to be better",
    };
    format!(
        "McNemar {} ({form}): {judged}",
        p_value_in_words(table.p_value)
    )
}

fn say_classes(comparison: &Comparison, people: People) -> Result<()> {
    let classes = &comparison.difference.classes;
    let names = classes.iter().map(|class| class.name.chars().count());
    let width = names.max().unwrap_or(0).max("class".len());
    people.say(&format!(
        "{:width$}  recall of A  of B   {:32}  support",
        "class", "difference"
    ))?;
    let both = comparison
        .first
        .classes
        .iter()
        .zip(&comparison.second.classes);
    for (class, (first, second)) in classes.iter().zip(both) {
        let figures = match class.too_few {
            true => format!("{TOO_FEW:52}"),
            false => format!(
                "{:11.3}  {:5.3}  {:32}",
                first.score.recall,
                second.score.recall,
                points_within(class.recall, class.recall_interval)
            ),
        };
        let support = thousands(class.support as usize);
        people.say(&format!("{:width$}  {figures}  {support:>7}", class.name))?;
    }
    Ok(())
}
