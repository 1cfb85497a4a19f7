//! A network beside the methods.

use std::path::Path;

use fer_data::ClassNames;
use fer_model::thousands;

use super::{AgainstNetwork, Baselines, NetworkDifference, NetworkFigures, Task};
use crate::metrics::{ConfusionMatrix, PairedDifference, ScoreIntervals, macro_f1};
use crate::predictions::Predictions;
use crate::statistics::{Bootstrap, wilson};

impl Task<'_> {
    /// Compares each method with a network by what it said of the pictures that judge; of others, says
    /// why they cannot be compared.
    pub fn compare(&self, baselines: &Baselines, network: &Predictions) -> AgainstNetwork {
        let truth: Vec<(String, usize)> = self.truth().collect();
        match mismatch(&truth, &baselines.class_names, network) {
            Some(reason) => AgainstNetwork::NotCompared(reason),
            None => AgainstNetwork::Compared(figures(baselines, network)),
        }
    }
}

fn figures(baselines: &Baselines, network: &Predictions) -> NetworkFigures {
    let names = &baselines.class_names;
    let pictures = &network.pictures;
    let labels: Vec<usize> = pictures.iter().map(|picture| picture.label).collect();
    let predicted: Vec<usize> = pictures.iter().map(|picture| picture.predicted).collect();
    let mut confusion = ConfusionMatrix::new(names.len());
    for (&label, &predicted) in labels.iter().zip(&predicted) {
        confusion.add(label, predicted);
    }
    let intervals = ScoreIntervals::new(&confusion, &Bootstrap::default());
    let methods = baselines.methods.iter();
    NetworkFigures {
        accuracy: confusion.accuracy(),
        accuracy_interval: wilson(confusion.correct(), confusion.total()),
        macro_f1: macro_f1(&confusion),
        macro_f1_interval: intervals.map(|found| found.macro_f1),
        differences: methods
            .map(|method| {
                let first = &method.predicted;
                let difference = PairedDifference::between(names, &labels, first, &predicted);
                NetworkDifference {
                    baseline: method.name.clone(),
                    difference,
                }
            })
            .collect(),
    }
}

/// Why the network's pictures are not these (name and label each, in order); `None` where they are.
fn mismatch(
    truth: &[(String, usize)],
    names: &ClassNames,
    network: &Predictions,
) -> Option<String> {
    if network.class_names != *names {
        return Some(format!(
            "the network's classes are {}, those of the data {names}",
            network.class_names
        ));
    }
    if network.pictures.len() != truth.len() {
        return Some(format!(
            "the network was judged on {} pictures, the methods on {}",
            thousands(network.pictures.len()),
            thousands(truth.len())
        ));
    }
    let mut pairs = network.pictures.iter().zip(truth).enumerate();
    pairs.find_map(|(place, (theirs, (origin, label)))| {
        let place = place + 1;
        if !is_same(&theirs.picture, origin) {
            return Some(format!(
                "picture {place} is {} for the network and {origin} for the methods",
                theirs.picture
            ));
        }
        let (found, expected) = (names.name(theirs.label), names.name(*label));
        (found != expected)
            .then(|| format!("{origin} is {found} for the network and {expected} for the methods"))
    })
}

/// Whether two names are of one picture, maybe seen from different working directories.
fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (Path::new(one), Path::new(other));
    one.ends_with(other) || other.ends_with(one)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use fer_data::Split;

    use super::*;
    use crate::predictions::JudgedPicture;

    fn names() -> ClassNames {
        ClassNames::new(["happy", "sad"]).unwrap()
    }

    fn truth() -> Vec<(String, usize)> {
        vec![("a.png".into(), 0), ("b.png".into(), 1)]
    }

    fn network() -> Predictions {
        let picture = |(picture, label): (String, usize)| JudgedPicture {
            picture,
            split: Split::Test,
            label,
            predicted: 0,
            copy_of_train: false,
            votes_entropy: None,
            probabilities: vec![0.75, 0.25],
        };
        Predictions {
            class_names: names(),
            pictures: truth().into_iter().map(picture).collect(),
        }
    }

    #[test]
    fn the_same_pictures_with_the_same_labels_can_be_compared() {
        assert_eq!(mismatch(&truth(), &names(), &network()), None);
        let mut elsewhere = network();
        elsewhere.pictures[0].picture = "/data/faces/a.png".into();
        assert_eq!(mismatch(&truth(), &names(), &elsewhere), None);
    }

    #[test]
    fn other_classes_pictures_or_labels_cannot_and_the_first_that_differs_is_named() {
        let changed = |change: fn(&mut Predictions)| {
            let mut network = network();
            change(&mut network);
            mismatch(&truth(), &names(), &network).unwrap()
        };
        let said = changed(|it| it.class_names = ClassNames::new(["sad", "happy"]).unwrap());
        assert!(said.contains("classes are sad happy"), "{said}");
        let said = changed(|it| {
            it.pictures.pop();
        });
        assert!(
            said.contains("judged on 1 pictures, the methods on 2"),
            "{said}"
        );
        let said = changed(|it| it.pictures[1].picture = "c.png".into());
        assert!(said.contains("picture 2 is c.png"), "{said}");
        let said = changed(|it| it.pictures[1].label = 0);
        assert!(
            said.contains("b.png is happy for the network and sad"),
            "{said}"
        );
    }
}
