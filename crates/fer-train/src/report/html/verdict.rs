//! The verdict in a sentence, and the figures that stand below it.

use serde::Serialize;

use super::Contents;
use crate::baseline::AgainstNetwork;
use crate::metrics::Report;
use crate::statistics::Interval;

/// What the page begins with.
#[derive(Serialize)]
pub(super) struct Verdict<'a> {
    /// What the page is about.
    title: String,
    /// What the pictures are to the network, for the sentence.
    pictures: &'static str,
    accuracy: Option<f64>,
    interval: Option<Interval>,
    n: u64,
    split: &'a str,
    /// What people call the data; absent where nothing says it.
    data: Option<&'a str>,
    /// The share of the most frequent class: what a network reaches that always names it.
    majority: f64,
    /// The name of that class.
    majority_name: &'a str,
    /// What flatters the figure.
    chosen: Option<&'static str>,
    /// The classes of which there are too few pictures.
    too_few: Vec<&'a str>,
    facts: Vec<Fact>,
}

#[derive(Serialize)]
struct Fact {
    name: &'static str,
    value: String,
    detail: String,
}

impl<'a> Verdict<'a> {
    pub(super) fn new(contents: &'a Contents) -> Self {
        let report = contents.metrics.as_ref();
        let most = report.and_then(|report| {
            report
                .classes
                .iter()
                .max_by_key(|class| class.score.support)
        });
        let n = report.map_or(0, |report| report.n);
        Verdict {
            title: title(contents),
            pictures: report.map_or("", |report| seen(contents, &report.split)),
            accuracy: report.map(|report| report.accuracy),
            interval: report.and_then(|report| report.accuracy_interval),
            n,
            split: report.map_or("", |report| &report.split),
            data: contents.audit.as_ref().map(|audit| audit.name.as_str()),
            majority: most.map_or(0.0, |class| class.score.support as f64 / n.max(1) as f64),
            majority_name: most.map_or("", |class| &class.name),
            chosen: report.and_then(|report| chosen(contents, report)),
            too_few: report.map_or_else(Vec::new, |report| {
                let classes = report.classes.iter();
                let few = classes.filter(|class| class.too_few && class.score.support > 0);
                few.map(|class| class.name.as_str()).collect()
            }),
            facts: facts(contents),
        }
    }
}

fn title(contents: &Contents) -> String {
    match (&contents.description, &contents.config, &contents.baselines) {
        (Some(description), _, _) => format!(
            "{} on {}",
            description.architecture.name(),
            description.training.data
        ),
        (None, Some(config), _) => format!("A run of {}", config.model.name()),
        (None, None, Some(baselines)) => baselines.data.clone(),
        (None, None, None) => "A network for apparent expressions".into(),
    }
}

/// What pictures of this split are to the network, after their number: of other data than its own nothing is
/// known.
fn seen(contents: &Contents, split: &str) -> &'static str {
    let training = contents.description.as_ref().map(|it| &it.training);
    let own = training.zip(contents.audit.as_ref());
    let own = own.is_some_and(|(training, audit)| {
        let data = audit.data_hash.as_ref();
        let division = audit.division_hash.as_ref();
        audit.name == training.data
            && data.is_none_or(|hash| *hash == training.data_hash)
            && division.is_none_or(|hash| *hash == training.division_hash)
    });
    match split {
        _ if !own => "pictures",
        "test" | "validation" => "pictures that it was not trained on",
        "train" => "pictures that it was trained on",
        _ => "pictures",
    }
}

/// What was chosen by the figures on these pictures, in whole sentences.
fn chosen(contents: &Contents, report: &Report) -> Option<&'static str> {
    if !report.chosen_on_this_split {
        return None;
    }
    let description = contents.description.as_ref();
    let epoch = description.and_then(|it| it.training.epoch_chosen_on.as_deref());
    Some(
        match (description.is_some(), epoch == Some(&*report.split)) {
            (true, true) => {
                "Chosen on this split: these pictures also chose the epoch whose weights were kept, which \
             flatters all figures on them."
            }
            (true, false) => {
                "Chosen on this split: these pictures also chose the temperature, which flatters loss and \
             calibration error."
            }
            (false, _) => {
                "Chosen on this split: these pictures also chose the epoch or the temperature, which \
             flatters the figures on them."
            }
        },
    )
}

fn facts(contents: &Contents) -> Vec<Fact> {
    let Some(report) = &contents.metrics else {
        return Vec::new();
    };
    let decimals = |interval: Option<Interval>| interval.map_or(String::new(), |it| it.decimals());
    let percents = |interval: Option<Interval>| interval.map_or(String::new(), |it| it.percent());
    let mut facts = vec![
        Fact {
            name: "macro F1",
            value: format!("{:.3}", report.macro_f1),
            detail: decimals(report.macro_f1_interval),
        },
        Fact {
            name: "balanced accuracy",
            value: format!("{:.1} %", 100.0 * report.balanced_accuracy),
            detail: percents(report.balanced_accuracy_interval),
        },
        Fact {
            name: "calibration error",
            value: format!("{:.1} %", 100.0 * report.ece),
            detail: format!("at temperature {:.2}", report.temperature),
        },
    ];
    if let Some(copies) = &report.copies_of_train {
        facts.push(Fact {
            name: "without copies of training pictures",
            value: format!("{:.1} %", 100.0 * copies.accuracy_without),
            detail: percents(copies.accuracy_without_interval),
        });
    }
    facts.extend(beside_best(contents));
    facts
}

/// How far the network is ahead of the best of the traditional methods.
fn beside_best(contents: &Contents) -> Option<Fact> {
    let baselines = contents.baselines.as_ref()?;
    let AgainstNetwork::Compared(network) = baselines.against_network.as_ref()? else {
        return None;
    };
    if network.accuracy != contents.metrics.as_ref()?.accuracy {
        return None;
    }
    let differences = network.differences.iter();
    let nearest = differences.min_by(|one, other| {
        one.difference
            .accuracy
            .total_cmp(&other.difference.accuracy)
    })?;
    let interval = nearest.difference.accuracy_interval;
    Some(Fact {
        name: "points ahead of the best traditional method",
        value: format!("{:+.1}", 100.0 * nearest.difference.accuracy),
        detail: match interval {
            Some(interval) => format!("{}, against {}", interval.points(), nearest.baseline),
            None => format!("against {}", nearest.baseline),
        },
    })
}
