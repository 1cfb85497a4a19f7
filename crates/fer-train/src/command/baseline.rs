use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};
use clap::Args;
use fer_data::{Dataset, FerPlusTarget, Split};
use fer_model::thousands;

use crate::baseline::{AgainstNetwork, Baseline, Baselines, FILE, NetworkDifference, Task};
use crate::command::Usage;
use crate::command::arguments::{DataArguments, describe_data, open_by_recipe};
use crate::command::output::{self, People, percent};
use crate::config::{Config, DataConfig};
use crate::figures;
use crate::predictions::{self, Predictions};
use crate::recipe::Recipe;
use crate::run::RunDirectory;
use crate::statistics::Interval;

/// What `baseline` takes.
#[derive(Args)]
pub(crate) struct BaselineArguments {
    #[command(flatten)]
    data: DataArguments,
    /// The pictures to judge on: train, validation or test [default: test, or else validation]
    #[arg(long, value_name = "SPLIT", value_parser = ["train", "validation", "test"])]
    split: Option<String>,
    /// The directory for baselines.json, that of a run or a new one. A run's data are read and
    /// divided as it did, and its network is compared where predictions.csv lies there
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print the figures as JSON on stdout, and everything else on stderr
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &BaselineArguments) -> Result<ExitCode> {
    let Some(path) = &arguments.data.data else {
        return Err(Usage("baseline needs --data PATH (or --data drawn)".into()).into());
    };
    let people = People::beside_json(arguments.json);
    let out = arguments.out.as_deref();
    let directory = out.map(RunDirectory::for_results).transpose()?;
    let network = directory.as_ref().map(network).transpose()?.flatten();
    let dataset = open_as_trained(&arguments.data, path, out)?;
    describe_data(&dataset, people)?;
    let split = choose_split(arguments.split.as_deref(), &dataset)?;
    let task = Task::new(&dataset, split, dataset.split_settings().seed)?;
    let mut baselines = train(&task, &dataset, split, people)?;
    if let Some(network) = &network {
        let against = task.compare(&baselines, network);
        say_network(&against, &baselines, people)?;
        baselines.against_network = Some(against);
    }
    say_notes(&baselines, people)?;
    let text = serde_json::to_string_pretty(&baselines)? + "\n";
    if let Some(directory) = &directory {
        directory.write(FILE, text.as_bytes())?;
        figures::write_html(directory)?;
        people.say(&format!("written     {}", directory.file(FILE).display()))?;
    }
    if arguments.json {
        output::json(&text)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What the network of the directory said, if it was judged.
fn network(directory: &RunDirectory) -> Result<Option<Predictions>> {
    let path = directory.file(predictions::FILE);
    match path.is_file() {
        true => Ok(Some(Predictions::open(&path)?)),
        false => Ok(None),
    }
}

/// Opens the data as the run in `out` did where flags leave that open; else as `train` does. Votes
/// become labels unless another target is asked for: these methods learn no shares.
fn open_as_trained(arguments: &DataArguments, path: &Path, out: Option<&Path>) -> Result<Dataset> {
    let of_run = out.map(|out| out.join("config.toml"));
    let of_run = match of_run.filter(|path| path.is_file()) {
        Some(config) => Some(Config::read(&config)?.data),
        None => None,
    };
    let (mut config, share) = match of_run.filter(|config| config.path == path) {
        Some(config) => (config, None),
        None if path == Path::new("drawn") => (DataConfig::default(), None),
        None => {
            let config = Recipe::Quick.config()?.data;
            let share = config.split.validation_fraction;
            let share = share.filter(|_| arguments.reading.validation_fraction.is_none());
            (config, share)
        }
    };
    config.ferplus_target = FerPlusTarget::Majority;
    arguments.apply(&mut config);
    config.split.check()?;
    open_by_recipe(&mut config, share)
}

fn choose_split(word: Option<&str>, dataset: &Dataset) -> Result<Split> {
    if let Some(word) = word {
        return Ok(word.parse()?);
    }
    let judging = [Split::Test, Split::Validation];
    let mut judging = judging.into_iter();
    match judging.find(|&split| !dataset.indices(split).is_empty()) {
        Some(split) => Ok(split),
        None => bail!(
            "{} has neither test nor validation pictures to judge on; --split train judges on those \
             that train",
            dataset.name()
        ),
    }
}

/// Trains and judges each method, and says how good it is as soon as that is known.
fn train(task: &Task<'_>, dataset: &Dataset, split: Split, people: People) -> Result<Baselines> {
    people.say(&format!(
        "judged on   {} ({} pictures), trained on {}",
        split.name(),
        thousands(dataset.indices(split).len()),
        thousands(dataset.indices(Split::Train).len())
    ))?;
    people.say(&row("method", "accuracy", "macro F1", "C", "seconds"))?;
    let mut started = Instant::now();
    task.run(|baseline| {
        let seconds = started.elapsed().as_secs_f64();
        started = Instant::now();
        let Baseline { name, report, .. } = baseline;
        let chosen = baseline.regularisation.as_ref();
        let chosen = chosen.map_or(String::new(), |chosen| chosen.c.to_string());
        people.say(&row(
            name,
            &accuracy(report.accuracy, report.accuracy_interval),
            &macro_f1(report.macro_f1, report.macro_f1_interval),
            &chosen,
            &format!("{seconds:.1}"),
        ))?;
        Ok(())
    })
}

/// A line of the table.
fn row(name: &str, accuracy: &str, macro_f1: &str, c: &str, seconds: &str) -> String {
    let line = format!("{name:29}  {accuracy:20}  {macro_f1:19}  {c:>7}  {seconds:>7}");
    line.trim_end().to_string()
}

fn accuracy(share: f64, interval: Option<Interval>) -> String {
    let interval = interval.map(|it| format!(" ({})", it.percent()));
    format!("{}{}", percent(share), interval.unwrap_or_default())
}

fn macro_f1(score: f64, interval: Option<Interval>) -> String {
    let interval = interval.map(|it| format!(" ({})", it.decimals()));
    format!("{score:.3}{}", interval.unwrap_or_default())
}

fn say_network(against: &AgainstNetwork, baselines: &Baselines, people: People) -> Result<()> {
    let network = match against {
        AgainstNetwork::Compared(network) => network,
        AgainstNetwork::NotCompared(reason) => {
            people.say(&format!("network     not compared: {reason}"))?;
            return Ok(());
        }
    };
    people.say(&row(
        "the network",
        &accuracy(network.accuracy, network.accuracy_interval),
        &macro_f1(network.macro_f1, network.macro_f1_interval),
        "",
        "",
    ))?;
    for difference in &network.differences {
        people.say(&sentence(difference, baselines.n))?;
    }
    Ok(())
}

/// `against linear SVM on HOG the network names 612 more of 3,199 rightly: +19.1 points (+17.6 to
/// +20.7), p < 0.001`.
fn sentence(against: &NetworkDifference, pictures: u64) -> String {
    let difference = &against.difference;
    let (ours, theirs) = (
        difference.mcnemar.only_second,
        difference.mcnemar.only_first,
    );
    let count = thousands(ours.abs_diff(theirs) as usize);
    let count = match ours.cmp(&theirs) {
        std::cmp::Ordering::Greater => format!("{count} more"),
        std::cmp::Ordering::Less => format!("{count} fewer"),
        std::cmp::Ordering::Equal => "as many".to_string(),
    };
    let interval = difference.accuracy_interval;
    let interval = interval.map_or(String::new(), |it| format!(" ({})", it.points()));
    let p = match difference.mcnemar.p_value {
        p if p < 0.001 => "p < 0.001".to_string(),
        p => format!("p = {p:.3}"),
    };
    format!(
        "against {} the network names {count} of {} rightly: {:+.1} points{interval}, {p}",
        against.baseline,
        thousands(pictures as usize),
        100.0 * difference.accuracy
    )
}

/// What a reader of the figures must know.
fn say_notes(baselines: &Baselines, people: People) -> Result<()> {
    match &baselines.chosen_on {
        None => people.say("note        C is fixed: no picture validates")?,
        Some(split) if *split == baselines.split => {
            people.say("note        these pictures chose C, which flatters the figures")?;
        }
        Some(split) => people.say(&format!("note        C was chosen on {split}"))?,
    }
    for method in &baselines.methods {
        let chosen = method.regularisation.as_ref();
        if chosen.is_some_and(|chosen| !chosen.converged) {
            people.say(&format!(
                "note        the solver of {} stopped short of its tolerance",
                method.name
            ))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use fer_data::ClassNames;

    use super::*;
    use crate::metrics::PairedDifference;

    fn said(better: usize, worse: usize) -> Option<String> {
        let names = ClassNames::new(["happy", "sad"]).ok()?;
        let labels = vec![0; 1000];
        let wrong = |from: usize, count: usize| -> Vec<usize> {
            let is_wrong = |place: usize| (from..from + count).contains(&place);
            (0..1000)
                .map(|place| usize::from(is_wrong(place)))
                .collect()
        };
        let (baseline, network) = (wrong(0, better), wrong(500, worse));
        let against = NetworkDifference {
            baseline: "linear SVM on HOG".into(),
            difference: PairedDifference::between(&names, &labels, &baseline, &network),
        };
        Some(sentence(&against, 1000))
    }

    #[test]
    fn a_person_reads_who_is_ahead_by_how_much_and_how_sure_that_is() {
        let ahead = said(250, 30).unwrap_or_default();
        assert!(
            ahead.starts_with(
                "against linear SVM on HOG the network names 220 more of 1,000 rightly: +22.0 points (+"
            ) && ahead.ends_with("), p < 0.001"),
            "{ahead}"
        );
        let behind = said(10, 30).unwrap_or_default();
        assert!(
            behind.contains("20 fewer of 1,000 rightly: -2.0 points (-"),
            "{behind}"
        );
        assert!(behind.contains("p = 0.003"), "{behind}");
        let equal = said(10, 10).unwrap_or_default();
        assert!(equal.contains("as many of 1,000"), "{equal}");
        assert!(equal.contains("p = 1.000"), "{equal}");
    }
}
