//! What the comparison of two models tells people.

use std::cmp::Ordering;

use anyhow::Result;
use fer_model::thousands;

use crate::command::output::{People, TOO_FEW};
use crate::metrics::{Comparison, PairedDifference, Report};
use crate::statistics::{
    Interval, McNemar, McNemarForm, p_value_in_words, percent_within, points_within, score_within,
};

/// Below this p-value a difference is called one.
const SIGNIFICANT: f64 = 0.05;

pub(super) fn say(comparison: &Comparison, people: People) -> Result<()> {
    let Comparison { first, second, .. } = comparison;
    let (n, difference) = (thousands(comparison.n as usize), &comparison.difference);
    let splits = match first.split == second.split {
        true => comparison.split.clone(),
        false => format!("{} of A and {} of B, the same", first.split, second.split),
    };
    people.say(&format!("judged on   {splits} ({n} pictures)"))?;
    say_figures(first, second, people)?;
    let table = &difference.mcnemar;
    people.say(&format!(
        "right       {} by both, {} by A alone, {} by B alone, {} by neither",
        thousands(table.both_right as usize),
        thousands(table.only_first as usize),
        thousands(table.only_second as usize),
        thousands(table.both_wrong as usize)
    ))?;
    people.say(&format!("difference  {}", in_words(difference)))?;
    let signed = |Interval { low, high }| format!(" ({low:+.3} to {high:+.3})");
    let interval = difference.macro_f1_interval.map_or(String::new(), signed);
    people.say(&format!(
        "            macro F1 {:+.3}{interval}",
        difference.macro_f1
    ))?;
    people.say(&format!("            {}", verdict(table)))?;
    say_classes(comparison, people)
}

fn say_figures(first: &Report, second: &Report, people: People) -> Result<()> {
    let accuracy = |of: &Report| percent_within(of.accuracy, of.accuracy_interval);
    let macro_f1 = |of: &Report| score_within(of.macro_f1, of.macro_f1_interval);
    for (name, one, other) in [
        ("", "A".to_string(), "B".to_string()),
        ("accuracy", accuracy(first), accuracy(second)),
        ("macro F1", macro_f1(first), macro_f1(second)),
    ] {
        people.say(&format!("{name:<11} {one:22} {other}"))?;
    }
    Ok(())
}

fn in_words(difference: &PairedDifference) -> String {
    let table = &difference.mcnemar;
    let n = thousands(table.n() as usize);
    let more = thousands(table.only_first.abs_diff(table.only_second) as usize);
    let who = match table.only_first.cmp(&table.only_second) {
        Ordering::Less => format!("B names {more} more of {n} pictures rightly than A"),
        Ordering::Greater => {
            format!("B names {more} fewer of {n} pictures rightly than A")
        }
        Ordering::Equal => format!("both name equally many of {n} pictures rightly"),
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
