//! What logistic regression makes least, and its gradient.

use std::sync::Mutex;

use anyhow::{Error, Result};
use argmin::core::{CostFunction, Gradient};
use rayon::prelude::*;

use crate::baseline::FeatureMatrix;
use crate::baseline::linear_model::LANES;

/// Pictures whose gradients are taken together; their order is fixed, so the bits are. A multiple of
/// [`ROWS`].
const PART: usize = 512;

/// The mean loss with its penalty, over parameters (groups of classes, features and then the
/// intercept, classes of the group). The last group is filled up with classes that do not exist; their
/// probability is 0 and so is their gradient.
pub(super) struct Objective<'a> {
    pictures: &'a FeatureMatrix,
    labels: &'a [usize],
    classes: usize,
    /// The weight of ½|W|².
    penalty: f64,
    /// L-BFGS asks for loss and gradient one after the other; both come of one pass.
    last: Mutex<Option<(Vec<f64>, Value)>>,
}

#[derive(Clone)]
struct Value {
    loss: f64,
    gradient: Vec<f64>,
}

impl CostFunction for Objective<'_> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, parameters: &Vec<f64>) -> Result<f64, Error> {
        self.at(parameters, |value| value.loss)
    }
}

impl Gradient for Objective<'_> {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, parameters: &Vec<f64>) -> Result<Vec<f64>, Error> {
        self.at(parameters, |value| value.gradient.clone())
    }
}

impl<'a> Objective<'a> {
    pub(super) fn new(
        pictures: &'a FeatureMatrix,
        labels: &'a [usize],
        classes: usize,
        c: f64,
    ) -> Self {
        Objective {
            pictures,
            labels,
            classes,
            penalty: 1.0 / (c * labels.len().max(1) as f64),
            last: Mutex::new(None),
        }
    }

    fn at<T>(&self, parameters: &[f64], of: impl FnOnce(&Value) -> T) -> Result<T> {
        let mut last = self
            .last
            .lock()
            .map_err(|error| Error::msg(error.to_string()))?;
        match &*last {
            Some((known, value)) if known == parameters => Ok(of(value)),
            _ => {
                let value = self.value(parameters);
                anyhow::ensure!(value.loss.is_finite(), "the loss is {}", value.loss);
                let asked = of(&value);
                *last = Some((parameters.to_vec(), value));
                Ok(asked)
            }
        }
    }

    fn value(&self, parameters: &[f64]) -> Value {
        let features = self.pictures.features();
        let labels = self.labels.par_chunks(PART);
        let narrow: Vec<f32> = parameters.iter().map(|&it| it as f32).collect();
        let narrow = narrow.as_chunks::<LANES>().0;
        let parts: Vec<Value> = self
            .pictures
            .parts(PART)
            .zip(labels)
            .map(|(rows, labels)| self.part(narrow, rows, labels))
            .collect();
        let share = 1.0 / self.labels.len().max(1) as f64;
        let mut value = Value {
            loss: 0.0,
            gradient: vec![0.0; parameters.len()],
        };
        for part in parts {
            value.loss += share * part.loss;
            let gradients = value.gradient.iter_mut().zip(part.gradient);
            gradients.for_each(|(sum, part)| *sum += share * part);
        }
        let groups = (features + 1) * LANES;
        let gradients = value.gradient.chunks_exact_mut(groups);
        for (gradient, parameters) in gradients.zip(parameters.chunks_exact(groups)) {
            let weights = gradient.iter_mut().zip(&parameters[..features * LANES]);
            for (gradient, weight) in weights {
                value.loss += 0.5 * self.penalty * weight * weight;
                *gradient += self.penalty * weight;
            }
        }
        value
    }

    /// Loss and gradient of some pictures, summed.
    fn part(&self, parameters: &[Lanes<f32>], rows: &[f32], labels: &[usize]) -> Value {
        let features = self.pictures.features();
        let nothing = vec![0.0; features];
        let mut loss = 0.0;
        let mut gradient = vec![[0.0; LANES]; parameters.len()];
        let mut scores = vec![[[0.0; LANES]; ROWS]; self.classes.div_ceil(LANES)];
        let blocks = rows.chunks(ROWS * features).zip(labels.chunks(ROWS));
        for (rows, labels) in blocks {
            let mut block: Block<'_> = [&nothing; ROWS];
            for (to, row) in block.iter_mut().zip(rows.chunks_exact(features)) {
                *to = row;
            }
            let groups = parameters.chunks_exact(features + 1);
            for (scores, weights) in scores.iter_mut().zip(groups) {
                *scores = sums(weights, block);
            }
            for place in 0..ROWS {
                loss += match labels.get(place) {
                    Some(&label) => to_residuals(&mut scores, place, self.classes, label),
                    None => no_residuals(&mut scores, place),
                };
            }
            let groups = gradient.chunks_exact_mut(features + 1);
            for (residuals, gradient) in scores.iter().zip(groups) {
                add(gradient, residuals, block);
            }
        }
        Value {
            loss,
            gradient: gradient.into_flattened(),
        }
    }
}

/// One number a class of a group.
type Lanes<T> = [T; LANES];

/// Pictures that share each load of a weight.
const ROWS: usize = 4;

type Block<'a> = [&'a [f32]; ROWS];

/// Features whose products are summed in 32 bits, before the sum joins the others in 64.
const SPAN: usize = 64;

/// The weighted sums of each row for the classes of a group; the last weights are the intercepts.
fn sums(weights: &[Lanes<f32>], block: Block<'_>) -> [Lanes<f64>; ROWS] {
    let features = block[0].len();
    let mut sums = [weights[features].map(f64::from); ROWS];
    for start in (0..features).step_by(SPAN) {
        let end = features.min(start + SPAN);
        let [first, second, third, fourth] = block.map(|row| &row[start..end]);
        let mut spans = [[0.0_f32; LANES]; ROWS];
        let rows = first.iter().zip(second).zip(third).zip(fourth);
        for (weights, (((first, second), third), fourth)) in weights[start..end].iter().zip(rows) {
            for (span, value) in spans.iter_mut().zip([first, second, third, fourth]) {
                for lane in 0..LANES {
                    span[lane] += weights[lane] * value;
                }
            }
        }
        for (sums, span) in sums.iter_mut().zip(spans) {
            for lane in 0..LANES {
                sums[lane] += f64::from(span[lane]);
            }
        }
    }
    sums
}

/// Adds each row times its residuals to a group's gradient.
fn add(gradient: &mut [Lanes<f64>], residuals: &[Lanes<f64>; ROWS], block: Block<'_>) {
    let features = block[0].len();
    for residuals in residuals {
        for lane in 0..LANES {
            gradient[features][lane] += residuals[lane];
        }
    }
    let residuals = residuals.map(|lanes| lanes.map(|residual| residual as f32));
    let [first, second, third, fourth] = block;
    let rows = first.iter().zip(second).zip(third).zip(fourth);
    for (gradient, (((first, second), third), fourth)) in gradient.iter_mut().zip(rows) {
        let mut sum = [0.0_f32; LANES];
        for (residuals, value) in residuals.iter().zip([first, second, third, fourth]) {
            for lane in 0..LANES {
                sum[lane] += residuals[lane] * value;
            }
        }
        for lane in 0..LANES {
            gradient[lane] += f64::from(sum[lane]);
        }
    }
}

/// Turns the scores of row `place` into probabilities, less 1 for the label, and gives the loss. Past
/// `classes` all are 0.
fn to_residuals(
    scores: &mut [[Lanes<f64>; ROWS]],
    place: usize,
    classes: usize,
    label: usize,
) -> f64 {
    let row: Vec<f64> = scores.iter().flat_map(|group| group[place]).collect();
    let row = &row[..classes];
    let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = row.iter().map(|score| (score - largest).exp()).sum();
    let loss = sum.ln() - (row[label] - largest);
    for (class, residual) in scores
        .iter_mut()
        .flat_map(|group| &mut group[place])
        .enumerate()
    {
        *residual = match row.get(class) {
            Some(score) => (score - largest).exp() / sum - f64::from(u8::from(class == label)),
            None => 0.0,
        };
    }
    loss
}

/// What a row that is not there adds.
fn no_residuals(scores: &mut [[Lanes<f64>; ROWS]], place: usize) -> f64 {
    scores
        .iter_mut()
        .for_each(|group| group[place] = [0.0; LANES]);
    0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pictures() -> (FeatureMatrix, Vec<usize>) {
        let values = (0..6000).map(|place| ((place * place * 7) % 23) as f32 / 10.0 - 1.0);
        let labels = (0..2000).map(|place| (place * place) % 11 % 9);
        (FeatureMatrix::new(3, values.collect()), labels.collect())
    }

    #[test]
    fn the_gradient_is_that_of_finite_differences() {
        let (pictures, labels) = pictures();
        let objective = Objective::new(&pictures, &labels, 9, 1.0 / 600.0);
        let mut parameters: Vec<f64> = (0..2 * 4 * LANES)
            .map(|place| ((place * 5) % 13) as f64 / 16.0 - 0.5)
            .collect();
        let gradient = objective.value(&parameters).gradient;
        for place in 0..parameters.len() {
            let exists = place / (4 * LANES) * LANES + place % LANES < 9;
            if !exists {
                parameters[place] = 0.0;
                continue;
            }
            // Parameters act in 32 bits, where this step is exact.
            let step = 1.0 / 256.0;
            parameters[place] += step;
            let above = objective.value(&parameters).loss;
            parameters[place] -= 2.0 * step;
            let below = objective.value(&parameters).loss;
            parameters[place] += step;
            let difference = (above - below) / (2.0 * step);
            assert!((gradient[place] - difference).abs() < 1e-5, "{place}");
        }
    }
}
