use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use fer_data::audit::{Audit, Finding};
use fer_data::{Dataset, Picture, Split, audit, open};
use fer_model::thousands;

use crate::command::arguments::{ReadingArguments, say_notice};
use crate::command::output::{self, People};
use crate::config::DataConfig;
use crate::report::contact_sheet::{Row, png};
use crate::run::RunDirectory;

/// How many values of a property are named.
const NAMED: usize = 5;
/// How many findings of a kind are named; the JSON has all.
const FOUND: usize = 100;
/// Pictures of each class on the contact sheet.
const SHOWN: usize = 16;

/// What `inspect` takes.
#[derive(Args)]
pub(crate) struct InspectArguments {
    /// The pictures: a folder of faces, a manifest csv, a fer2013.csv, or the word `drawn`
    path: PathBuf,
    #[command(flatten)]
    reading: ReadingArguments,
    /// Print everything found as JSON on stdout
    #[arg(long)]
    json: bool,
    /// A directory for contact_sheet.png (pictures of each class), audit.json and skipped.csv
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(crate) fn run(arguments: &InspectArguments) -> Result<ExitCode> {
    let people = People::beside_json(arguments.json);
    if let Some(path) = &arguments.out {
        RunDirectory::check_free(path)?;
    }
    let mut config = DataConfig {
        path: arguments.path.clone(),
        ..DataConfig::default()
    };
    arguments.reading.apply(&mut config);
    let dataset = open(&config.path, &config.open_settings())?;
    let found = audit(&dataset)?;
    if arguments.json {
        output::json(&(serde_json::to_string_pretty(&found)? + "\n"))?;
    } else {
        say(&found, people)?;
    }
    if let Some(path) = &arguments.out {
        let directory = RunDirectory::create(path)?;
        directory.write_audit(&found)?;
        directory.write_skipped(dataset.skipped())?;
        directory.write("contact_sheet.png", &contact_sheet(&dataset)?)?;
        people.say(&format!("written     {}", directory.path().display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn say(found: &Audit, people: People) -> Result<()> {
    people.say(&format!(
        "data        {}, {} pictures",
        found.name,
        thousands(found.pictures)
    ))?;
    if let Some(layout) = &found.layout {
        people.say(&format!("layout      {layout}"))?;
    }
    people.say(&format!("labels      {}", found.vocabulary))?;
    people.say(&format!("split       {}", found.split_rule))?;
    say_classes(found, people)?;
    say_people(found, people)?;
    say_files(found, people)?;
    say_copies(found, people)?;
    say_near_copies(found, people)?;
    say_findings("flat", "of a single grey", &found.flat, people)?;
    say_findings("dark", "nearly black", &found.nearly_black, people)?;
    for (reason, &count) in &found.skipped_by_reason {
        people.say(&format!("left out    {}: {reason}", thousands(count)))?;
    }
    for entry in found
        .skipped
        .iter()
        .filter(|entry| entry.is_unusable())
        .take(FOUND)
    {
        people.say(&format!("            {}", entry.sentence()))?;
    }
    for notice in found.notes.iter().chain(&found.warnings) {
        say_notice(notice, people)?;
    }
    if found.warnings.is_empty() {
        people.say("nothing to warn of")?;
    }
    Ok(())
}

fn say_classes(found: &Audit, people: People) -> Result<()> {
    let names = found.classes.iter().map(|class| class.name.chars().count());
    let width = names.max().unwrap_or(0).max("class".len());
    people.say(&format!(
        "{:width$}  {:>8} {:>10} {:>8}",
        "class", "train", "validation", "test"
    ))?;
    for class in &found.classes {
        let [train, validation, test] = Split::ALL.map(|split| thousands(class.pictures.of(split)));
        people.say(&format!(
            "{:width$}  {train:>8} {validation:>10} {test:>8}",
            class.name
        ))?;
    }
    let [train, validation, test] = Split::ALL.map(|split| thousands(found.splits.of(split)));
    people.say(&format!(
        "{:width$}  {train:>8} {validation:>10} {test:>8}",
        "all"
    ))?;
    Ok(())
}

fn say_people(found: &Audit, people: People) -> Result<()> {
    if !found.subjects.is_empty() {
        let sides = Split::ALL.map(|split| {
            let there = found
                .subjects
                .iter()
                .filter(|subject| subject.pictures.of(split) > 0);
            format!("{} {split}", thousands(there.count()))
        });
        people.say(&format!(
            "people      {}: {}",
            thousands(found.subjects.len()),
            sides.join(", ")
        ))?;
    }
    for group in &found.groups {
        people.say(&format!(
            "{:<11} {}",
            group.name,
            most_frequent(&group.values)
        ))?;
    }
    Ok(())
}

/// The most frequent values with their counts, and how many more there are.
fn most_frequent(counts: &BTreeMap<String, usize>) -> String {
    let mut values: Vec<(&String, &usize)> = counts.iter().collect();
    values.sort_by_key(|(_, count)| Reverse(**count));
    let shown = values.iter().take(NAMED);
    let mut shown: Vec<String> = shown
        .map(|(value, count)| format!("{value}: {}", thousands(**count)))
        .collect();
    if values.len() > NAMED {
        shown.push(format!("{} more", values.len() - NAMED));
    }
    shown.join(", ")
}

fn say_files(found: &Audit, people: People) -> Result<()> {
    let Some(files) = &found.files else {
        return Ok(());
    };
    people.say(&format!("formats     {}", most_frequent(&files.formats)))?;
    people.say(&format!("modes       {}", most_frequent(&files.modes)))?;
    people.say(&format!("sizes       {}", most_frequent(&files.sizes)))?;
    Ok(())
}

fn say_near_copies(found: &Audit, people: People) -> Result<()> {
    let line = match found.near_copies {
        None => "not looked for among so many pictures".to_string(),
        Some(near) => format!(
            "{} pairs in one split, {} across splits, {} with different labels (exact copies included)",
            thousands(near.within),
            thousands(near.across),
            thousands(near.conflicting)
        ),
    };
    people.say(&format!("near copies {line}"))?;
    Ok(())
}

fn say_copies(found: &Audit, people: People) -> Result<()> {
    let copies = &found.copies;
    if copies.groups == 0 {
        people.say("copies      none")?;
        return Ok(());
    }
    let within =
        Split::ALL.map(|split| format!("{} in {split}", thousands(copies.within.of(split))));
    people.say(&format!(
        "copies      {} groups; beyond the first: {}",
        thousands(copies.groups),
        within.join(", ")
    ))?;
    let across = [
        (
            copies.validation_in_train,
            "validation pictures stand in train too",
        ),
        (copies.test_in_train, "test pictures stand in train too"),
        (
            copies.test_in_validation,
            "test pictures stand in validation too",
        ),
    ];
    for (count, what) in across.into_iter().filter(|(count, _)| *count > 0) {
        people.say(&format!("            {} {what}", thousands(count)))?;
    }
    if !copies.conflicting.is_empty() {
        people.say(&format!(
            "            {} groups with different labels:",
            thousands(copies.conflicting.len())
        ))?;
        for group in copies.conflicting.iter().take(FOUND) {
            let members: Vec<String> = group
                .iter()
                .map(|one| format!("{} {}", one.picture, one.class))
                .collect();
            people.say(&format!("            {}", members.join(" = ")))?;
        }
    }
    Ok(())
}

fn say_findings(name: &str, what: &str, findings: &[Finding], people: People) -> Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    people.say(&format!("{name:<11} {} {what}:", thousands(findings.len())))?;
    for finding in findings.iter().take(FOUND) {
        people.say(&format!(
            "            {} ({})",
            finding.picture, finding.class
        ))?;
    }
    Ok(())
}

/// The first pictures of each class, one row a class.
fn contact_sheet(dataset: &Dataset) -> Result<Vec<u8>> {
    let mut shown = Vec::with_capacity(dataset.class_names().len());
    for (label, name) in dataset.class_names().iter().enumerate() {
        let own = (0..dataset.len()).filter(|&index| dataset.entry(index).label == label);
        let pictures = own.take(SHOWN).map(|index| dataset.picture(index));
        shown.push((name, pictures.collect::<Result<Vec<Picture>, _>>()?));
    }
    let rows = shown.iter().map(|(name, pictures)| Row {
        label: name,
        pictures: pictures
            .iter()
            .map(|picture| picture.pixels().as_slice())
            .collect(),
    });
    Ok(png(&rows.collect::<Vec<Row>>(), SHOWN)?)
}
