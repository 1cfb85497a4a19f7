//! Asking a network about many pictures of a data set.

mod predictions;
mod quality;

use std::thread::available_parallelism;

use anyhow::Result;
use candle_core::Device;
use fer_data::{Batches, Dataset, Disturbance, GroupColumn, Split};
use fer_model::ops::log_probabilities;
use fer_model::{Network, Plan, batch_to_tensors, most_probable};

use crate::calibration::{fit_temperature, rescale};
use crate::metrics::{
    Copies, GroupReport, JudgedPictures, Metrics, NotFinite, ProbabilityScore, Report,
};
use crate::parallel::{Group, cut};
use crate::statistics::wilson;
use crate::unread::Unread;

/// Pictures that go through the network together.
const BATCH: usize = 256;

/// What a network made of some pictures.
pub struct Evaluation {
    /// The figures.
    pub metrics: Metrics,
    /// The pictures' indices in the data set, in the order asked.
    pub indices: Vec<usize>,
    /// The class predicted for each, the one of the highest probability.
    pub predicted: Vec<usize>,
    /// The network's log-softmax, at temperature 1: (pictures, classes) row-major.
    pub log_probabilities: Vec<f32>,
    labels: Vec<usize>,
    targets: Vec<f32>,
}

/// How many threads make batches ahead of a network on `device`: one for the CPU, whose cores the
/// network needs itself, and up to four for a GPU.
pub(crate) fn batch_threads(device: &Device) -> usize {
    match device.is_cpu() {
        true => 1,
        false => available_parallelism().map_or(1, |cores| cores.get().min(4)),
    }
}

/// Predicts the pictures `indices` and compares with their labels.
///
/// # Errors
/// A picture that cannot be read, a prediction that is not finite, or a device that fails.
pub fn evaluate(
    network: &dyn Network,
    dataset: &Dataset,
    indices: Vec<usize>,
    device: &Device,
) -> Result<Evaluation> {
    let batches = Batches::new(dataset, indices.clone(), BATCH);
    evaluate_batches(network, dataset, indices, &batches, device)
}

/// As [`evaluate`], with every picture disturbed.
///
/// # Errors
/// As [`evaluate`].
pub fn evaluate_disturbed(
    network: &dyn Network,
    dataset: &Dataset,
    indices: Vec<usize>,
    disturbance: Disturbance,
    device: &Device,
) -> Result<Evaluation> {
    let batches = Batches::new(dataset, indices.clone(), BATCH).disturbed(disturbance);
    evaluate_batches(network, dataset, indices, &batches, device)
}

/// As [`evaluate`], where each member of a group predicts its part of the pictures; all get the whole.
///
/// # Errors
/// As [`evaluate`], and a member that is gone.
pub fn evaluate_in_parts(
    group: &dyn Group,
    network: &dyn Network,
    dataset: &Dataset,
    indices: Vec<usize>,
    device: &Device,
) -> Result<Evaluation> {
    if group.size() == 1 {
        return evaluate(network, dataset, indices, device);
    }
    let counts = cut(indices.len(), group.size());
    let first = counts[..group.rank()].iter().sum();
    let part: Vec<usize> = indices[first..][..counts[group.rank()]].to_vec();
    let batches = Batches::new(dataset, part, BATCH);
    let classes = dataset.class_names().len();
    let mut own = Vec::new();
    // Figures that are not finite are an error of all, so that nobody waits for the others.
    each_batch(network, dataset, &batches, device, |_, rows| {
        own.extend_from_slice(rows);
        Ok(())
    })?;
    let counts: Vec<usize> = counts.into_iter().map(|count| count * classes).collect();
    let rows = group.gather(&own, &counts)?;
    Ok(Evaluation::of_scores(dataset, indices, &rows)?)
}

/// Predicts the pictures of `batches`, whose indices are `indices`.
fn evaluate_batches(
    network: &dyn Network,
    dataset: &Dataset,
    indices: Vec<usize>,
    batches: &Batches<'_>,
    device: &Device,
) -> Result<Evaluation> {
    let classes = dataset.class_names().len();
    let mut evaluation = Evaluation {
        metrics: Metrics::new(dataset.class_names()),
        predicted: Vec::with_capacity(indices.len()),
        log_probabilities: Vec::with_capacity(indices.len() * classes),
        labels: Vec::with_capacity(indices.len()),
        targets: Vec::with_capacity(indices.len() * classes),
        indices,
    };
    each_batch(network, dataset, batches, device, |known, rows| {
        Ok(evaluation.add(&known.0, &known.1, rows)?)
    })?;
    Ok(evaluation)
}

/// The labels and the targets of a batch.
type Known = (Vec<usize>, Vec<f32>);

/// Calls `consume` with what is known of each batch and its log-probabilities.
fn each_batch(
    network: &dyn Network,
    dataset: &Dataset,
    batches: &Batches<'_>,
    device: &Device,
    mut consume: impl FnMut(&Known, &[f32]) -> Result<()>,
) -> Result<()> {
    let classes = dataset.class_names().len();
    let plan = Plan::new(network)?;
    let mut unread = Unread::new(network.engine(), device);
    batches.ahead(batch_threads(device), |ahead| -> Result<()> {
        for batch in ahead {
            let batch = batch?;
            let known = (batch.labels.clone(), batch.targets.clone());
            let (pictures, _) = batch_to_tensors(batch, classes, device)?;
            let logits = Plan::logits(plan.as_ref(), network, &pictures)?;
            unread.push(known, Some(log_probabilities(&logits)?));
            if unread.is_full() {
                consume_all(&mut unread, &mut consume)?;
            }
        }
        consume_all(&mut unread, &mut consume)
    })
}

fn consume_all(
    unread: &mut Unread<Known>,
    consume: &mut impl FnMut(&Known, &[f32]) -> Result<()>,
) -> Result<()> {
    let mut read = unread.read()?.into_iter();
    read.try_for_each(|(known, rows)| consume(&known, &rows))
}

impl Evaluation {
    /// What anything else than a network made of the pictures `indices`.
    ///
    /// - `log_probabilities`: (pictures, classes) row-major, each row's exponentials sum to 1.
    ///
    /// # Errors
    /// A log-probability that is not finite.
    ///
    /// # Panics
    /// Where there are not as many rows as pictures.
    pub fn of_scores(
        dataset: &Dataset,
        indices: Vec<usize>,
        log_probabilities: &[f32],
    ) -> Result<Self, NotFinite> {
        let classes = dataset.class_names().len();
        let labels: Vec<usize> = indices
            .iter()
            .map(|&index| dataset.entry(index).label)
            .collect();
        let mut targets = vec![0.0; indices.len() * classes];
        for (&index, target) in indices.iter().zip(targets.chunks_exact_mut(classes)) {
            dataset.write_target(index, target);
        }
        let mut evaluation = Evaluation {
            metrics: Metrics::new(dataset.class_names()),
            predicted: Vec::new(),
            log_probabilities: Vec::new(),
            labels: Vec::new(),
            targets: Vec::new(),
            indices,
        };
        evaluation.add(&labels, &targets, log_probabilities)?;
        Ok(evaluation)
    }

    fn add(&mut self, labels: &[usize], targets: &[f32], rows: &[f32]) -> Result<(), NotFinite> {
        self.metrics.update(labels, targets, rows)?;
        let classes = self.metrics.confusion().classes();
        let classes_seen = rows.chunks_exact(classes).map(most_probable);
        self.predicted.extend(classes_seen);
        self.log_probabilities.extend_from_slice(rows);
        self.labels.extend_from_slice(labels);
        self.targets.extend_from_slice(targets);
        Ok(())
    }

    /// The temperature under which these pictures' labels are most likely; see [`fit_temperature`].
    pub fn fit_temperature(&self) -> Option<f64> {
        let classes = self.metrics.confusion().classes();
        fit_temperature(&self.labels, &self.log_probabilities, classes)
    }

    /// The probabilities of each picture at this temperature, (pictures, classes) row-major.
    pub fn probabilities(&self, temperature: f64) -> Vec<f32> {
        let classes = self.metrics.confusion().classes();
        let rows = rescale(&self.log_probabilities, classes, temperature);
        rows.into_iter().map(f32::exp).collect()
    }

    fn score_at(&self, temperature: f64) -> Result<ProbabilityScore, NotFinite> {
        let mut metrics = self.metrics.clone();
        metrics.reset();
        let classes = metrics.confusion().classes();
        let rows = rescale(&self.log_probabilities, classes, temperature);
        metrics.update(&self.labels, &self.targets, &rows)?;
        Ok(metrics.probabilities())
    }

    /// The figures, with how many of the pictures are copies of training pictures and the accuracy
    /// without those, and by each group that the data make. `split` is `None` when the pictures are all there are; with a temperature, loss
    /// and calibration error are those of the probabilities that it gives.
    ///
    /// # Errors
    /// A picture that cannot be read.
    pub fn report(
        &self,
        dataset: &Dataset,
        split: Option<Split>,
        temperature: Option<f64>,
        chosen_on_this_split: bool,
    ) -> Result<Report> {
        let name = split.map_or("all", Split::name);
        let mut report = self.metrics.compute(name, chosen_on_this_split);
        if let Some(temperature) = temperature {
            report = report.at_temperature(temperature, self.score_at(temperature)?);
        }
        if let Some(split) = split.filter(|&split| split != Split::Train) {
            let copies = dataset.copies_of_train(split)?;
            report.copies_of_train = self.without(dataset, &copies);
        }
        report.calibration = Some(self.calibration(temperature));
        report.coverage = Some(self.risk_curve(temperature).report());
        report.votes = self.vote_agreement(dataset, temperature);
        report.groups = self.groups(dataset);
        Ok(report)
    }

    /// The figures by each column of the data that makes groups.
    fn groups(&self, dataset: &Dataset) -> Vec<GroupReport> {
        let columns = &dataset.description().groups;
        let subjects = self
            .indices
            .iter()
            .map(|&index| dataset.entry(index).subject);
        let subjects: Vec<Option<u32>> = subjects.collect();
        let judged = JudgedPictures {
            labels: &self.labels,
            predicted: &self.predicted,
            subjects: &subjects,
            classes: dataset.class_names().len(),
        };
        let report = |column: &GroupColumn| {
            let values = self.indices.iter();
            let values: Vec<Option<&str>> = values
                .map(|&index| dataset.group(&column.name, index))
                .collect();
            GroupReport::new(&column.name, &values, judged)
        };
        columns.iter().map(report).collect()
    }

    fn without(&self, dataset: &Dataset, copies: &[usize]) -> Option<Copies> {
        if copies.is_empty() {
            return None;
        }
        let others = self
            .indices
            .iter()
            .zip(&self.predicted)
            .filter(|(index, _)| copies.binary_search(index).is_err());
        let (mut right, mut count) = (0u64, 0u64);
        for (&index, &class) in others {
            count += 1;
            right += u64::from(dataset.entry(index).label == class);
        }
        let accuracy_without = if count == 0 {
            0.0
        } else {
            right as f64 / count as f64
        };
        Some(Copies {
            n: copies.len() as u64,
            accuracy_without,
            accuracy_without_interval: wilson(right, count),
        })
    }
}
