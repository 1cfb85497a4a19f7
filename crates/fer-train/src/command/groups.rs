//! The figures by group of people, in lines.

use anyhow::Result;
use fer_data::Dataset;
use fer_model::thousands;

use crate::command::Usage;
use crate::command::output::People;
use crate::metrics::{Group, GroupGap, GroupReport, LEAST_PICTURES_OF_GROUP};
use crate::statistics::{Exchanged, p_value_in_words, percent_within, points_within, score_within};

/// How many groups that are too small are named.
const NAMED: usize = 5;

/// Refuses a column that the data do not have.
pub(super) fn check_columns(asked: &[String], dataset: &Dataset) -> Result<(), Usage> {
    let columns = dataset.description().groups.iter();
    let columns: Vec<&str> = columns.map(|column| column.name.as_str()).collect();
    let Some(unknown) = asked.iter().find(|&name| !columns.contains(&name.as_str())) else {
        return Ok(());
    };
    let known = match columns.is_empty() {
        true => "none: a manifest csv's further columns make them, or a csv of the people beside a folder of people".to_string(),
        false => columns.join(", "),
    };
    Err(Usage(format!(
        "--group {unknown}: the data have no such column; those that make groups are {known}"
    )))
}

/// Leaves the columns that were asked for; all where none was.
pub(super) fn keep(groups: &mut Vec<GroupReport>, asked: &[String]) {
    groups.retain(|group| asked.is_empty() || asked.contains(&group.column));
}

/// Says the figures by one column.
pub(super) fn say(report: &GroupReport, people: People) -> Result<()> {
    let (small, judged): (Vec<&Group>, Vec<&Group>) =
        report.groups.iter().partition(|group| group.too_few);
    let title = format!("by {}", report.column);
    if judged.is_empty() {
        people.say(&format!(
            "{title:<11} no group has {LEAST_PICTURES_OF_GROUP} pictures: {}",
            named(&small)
        ))?;
        return Ok(());
    }
    say_table(&title, &judged, people)?;
    if !small.is_empty() {
        people.say(&format!(
            "too few     under {LEAST_PICTURES_OF_GROUP} pictures: {}",
            named(&small)
        ))?;
    }
    if report.unknown > 0 {
        let unknown = thousands(report.unknown as usize);
        people.say(&format!("unknown     {unknown}"))?;
    }
    if let Some(gap) = &report.gap {
        people.say(&format!("gap         {}", describe(gap)))?;
    }
    Ok(())
}

fn say_table(title: &str, judged: &[&Group], people: People) -> Result<()> {
    let names = judged.iter().map(|group| group.value.chars().count());
    let width = names.max().unwrap_or(0).max(title.chars().count());
    people.say(&format!(
        "{title:width$}  {:>7}  {:20}  macro F1",
        "n", "accuracy"
    ))?;
    for group in judged {
        let Some(figures) = &group.figures else {
            continue;
        };
        people.say(&format!(
            "{:width$}  {:>7}  {:20}  {}",
            group.value,
            thousands(group.n as usize),
            percent_within(figures.accuracy, Some(figures.accuracy_interval)),
            score_within(figures.macro_f1, Some(figures.macro_f1_interval))
        ))?;
    }
    Ok(())
}

fn describe(gap: &GroupGap) -> String {
    let shuffled = match gap.exchanged {
        Exchanged::Pictures => "pictures",
        Exchanged::Subjects => "whole subjects",
        Exchanged::WithinSubjects => "each subject's pictures",
    };
    format!(
        "{} from {} to {}; {} in {} permutations of {shuffled}",
        points_within(gap.accuracy_difference, None),
        gap.lowest,
        gap.highest,
        p_value_in_words(gap.p_value),
        thousands(gap.test.permutations as usize)
    )
}

/// The first of these groups with their numbers of pictures, and how many more there are.
fn named(groups: &[&Group]) -> String {
    let shown = groups.iter().take(NAMED);
    let mut shown: Vec<String> = shown
        .map(|group| format!("{}: {}", group.value, thousands(group.n as usize)))
        .collect();
    if groups.len() > NAMED {
        shown.push(format!("{} more", groups.len() - NAMED));
    }
    shown.join(", ")
}
