//! Multinomial logistic regression.

use std::sync::Mutex;

use anyhow::{Context, Error, Result};
use argmin::core::{CostFunction, Executor, Gradient, State, TerminationReason, TerminationStatus};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use rayon::prelude::*;

use super::linear_model::{LANES, LinearModel};
use super::{FeatureMatrix, Fitted};

/// Pictures whose gradients are taken together; their order is fixed, so the bits are.
const PART: usize = 512;

/// Steps that L-BFGS remembers, as in scipy.
const MEMORY: usize = 10;

/// Where L-BFGS stops.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogisticSettings {
    /// The Euclidean length of the gradient of the mean loss. Default 1e-4.
    pub tolerance: f64,
    /// The most iterations. Default 1000.
    pub iterations: u64,
}

impl Default for LogisticSettings {
    fn default() -> Self {
        Self {
            tolerance: 1e-4,
            iterations: 1000,
        }
    }
}

/// Multinomial logistic regression: the weights W and intercepts b of the least
/// ½|W|² / C + Σ (log Σ exp(W x + b) − (W x + b) of the label). The intercepts are not regularised. So
/// does scikit-learn's `LogisticRegression`.
///
/// The solver is L-BFGS with the line search of Moré and Thuente. A second C begins where the one
/// before ended.
pub struct LogisticRegression<'a> {
    pictures: &'a FeatureMatrix,
    labels: &'a [usize],
    classes: usize,
    settings: LogisticSettings,
    parameters: Vec<f64>,
}

impl<'a> LogisticRegression<'a> {
    /// A model that knows nothing yet.
    ///
    /// - `labels`: (pictures), below `classes`.
    ///
    /// # Panics
    /// Where there are not as many labels as pictures.
    pub fn new(
        pictures: &'a FeatureMatrix,
        labels: &'a [usize],
        classes: usize,
        settings: LogisticSettings,
    ) -> Self {
        assert_eq!(labels.len(), pictures.pictures(), "number of labels");
        let parameters = (pictures.features() + 1) * classes.next_multiple_of(LANES);
        LogisticRegression {
            pictures,
            labels,
            classes,
            settings,
            parameters: vec![0.0; parameters],
        }
    }

    /// Fits at this C, beginning where the last C ended.
    ///
    /// # Errors
    /// A loss that is not finite.
    pub fn fit(&mut self, c: f64) -> Result<Fitted> {
        let objective = Objective {
            pictures: self.pictures,
            labels: self.labels,
            classes: self.classes,
            penalty: 1.0 / (c * self.labels.len().max(1) as f64),
            last: Mutex::new(None),
        };
        let search = MoreThuenteLineSearch::new();
        let solver = LBFGS::new(search, MEMORY).with_tolerance_grad(self.settings.tolerance)?;
        let start = self.parameters.clone();
        let result = Executor::new(objective, solver)
            .configure(|state| state.param(start).max_iters(self.settings.iterations))
            .run()
            .with_context(|| format!("logistic regression at C = {c}"))?;
        let state = result.state();
        let best = state.get_best_param().context("L-BFGS found nothing")?;
        self.parameters.clone_from(best);
        Ok(Fitted {
            model: self.model(),
            converged: matches!(
                state.get_termination_status(),
                TerminationStatus::Terminated(TerminationReason::SolverConverged)
            ),
        })
    }

    fn model(&self) -> LinearModel {
        let (features, classes) = (self.pictures.features(), self.classes);
        let at = |class: usize, feature: usize| {
            let group = class / LANES * (features + 1) + feature;
            self.parameters[group * LANES + class % LANES]
        };
        let weights = (0..classes).flat_map(|class| (0..features).map(move |it| (class, it)));
        LinearModel {
            weights: weights.map(|(class, feature)| at(class, feature)).collect(),
            intercepts: (0..classes).map(|class| at(class, features)).collect(),
        }
    }
}

/// The mean loss with its penalty, over parameters (groups of classes, features and then the
/// intercept, classes of the group). The last group is filled up with classes that do not exist; their
/// probability is 0 and so is their gradient.
struct Objective<'a> {
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

impl Objective<'_> {
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
        let parts: Vec<Value> = self
            .pictures
            .parts(PART)
            .zip(labels)
            .map(|(rows, labels)| self.part(parameters, rows, labels))
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
    fn part(&self, parameters: &[f64], rows: &[f32], labels: &[usize]) -> Value {
        let features = self.pictures.features();
        let (parameters, _) = parameters.as_chunks::<LANES>();
        let mut loss = 0.0;
        let mut gradient = vec![[0.0; LANES]; parameters.len()];
        let mut scores = vec![0.0; self.classes.next_multiple_of(LANES)];
        for (row, &label) in rows.chunks_exact(features).zip(labels) {
            let groups = parameters.chunks_exact(features + 1);
            for (scores, weights) in scores.as_chunks_mut::<LANES>().0.iter_mut().zip(groups) {
                *scores = sums(weights, row);
            }
            loss += to_residuals(&mut scores, self.classes, label);
            let groups = gradient.chunks_exact_mut(features + 1);
            for (residuals, gradient) in scores.as_chunks::<LANES>().0.iter().zip(groups) {
                add(gradient, residuals, row);
            }
        }
        Value {
            loss,
            gradient: gradient.into_flattened(),
        }
    }
}

/// The weighted sums of a row for the classes of a group; the last weights are the intercepts.
fn sums(weights: &[[f64; LANES]], row: &[f32]) -> [f64; LANES] {
    let mut sums = weights[row.len()];
    for (weights, &value) in weights.iter().zip(row) {
        for lane in 0..LANES {
            sums[lane] += weights[lane] * f64::from(value);
        }
    }
    sums
}

/// Adds the row times each class's residual to a group's gradient.
fn add(gradient: &mut [[f64; LANES]], residuals: &[f64; LANES], row: &[f32]) {
    for (gradient, &value) in gradient.iter_mut().zip(row) {
        for lane in 0..LANES {
            gradient[lane] += residuals[lane] * f64::from(value);
        }
    }
    for lane in 0..LANES {
        gradient[row.len()][lane] += residuals[lane];
    }
}

/// Turns scores into probabilities, less 1 for the label, and gives the loss. Past `classes` all are 0.
fn to_residuals(scores: &mut [f64], classes: usize, label: usize) -> f64 {
    let (scores, beyond) = scores.split_at_mut(classes);
    beyond.fill(0.0);
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let of_label = scores[label] - largest;
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - largest).exp();
        sum += *score;
    }
    scores.iter_mut().for_each(|score| *score /= sum);
    scores[label] -= 1.0;
    sum.ln() - of_label
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn pictures() -> (FeatureMatrix, Vec<usize>) {
        let values = (0..6000).map(|place| ((place * place * 7) % 23) as f32 / 10.0 - 1.0);
        let labels = (0..2000).map(|place| (place * place) % 11 % 9);
        (FeatureMatrix::new(3, values.collect()), labels.collect())
    }

    fn objective<'a>(pictures: &'a FeatureMatrix, labels: &'a [usize]) -> Objective<'a> {
        Objective {
            pictures,
            labels,
            classes: 9,
            penalty: 0.3,
            last: Mutex::new(None),
        }
    }

    #[test]
    fn the_gradient_is_that_of_finite_differences() {
        let (pictures, labels) = pictures();
        let objective = objective(&pictures, &labels);
        let mut parameters: Vec<f64> = (0..2 * 4 * LANES)
            .map(|place| ((place * 5) % 13) as f64 / 10.0 - 0.5)
            .collect();
        let gradient = objective.value(&parameters).gradient;
        for place in 0..parameters.len() {
            let exists = place / (4 * LANES) * LANES + place % LANES < 9;
            if !exists {
                parameters[place] = 0.0;
                continue;
            }
            let step = 1e-5;
            parameters[place] += step;
            let above = objective.value(&parameters).loss;
            parameters[place] -= 2.0 * step;
            let below = objective.value(&parameters).loss;
            parameters[place] += step;
            let difference = (above - below) / (2.0 * step);
            assert!((gradient[place] - difference).abs() < 1e-8, "{place}");
        }
    }

    #[test]
    fn classes_that_fill_up_the_last_group_learn_nothing() {
        let (pictures, labels) = pictures();
        let mut regression = LogisticRegression::new(&pictures, &labels, 9, Default::default());
        let fitted = regression.fit(1.0).unwrap();
        assert!(fitted.converged);
        assert_eq!(fitted.model.intercepts.len(), 9);
        let groups: Vec<&[f64]> = regression.parameters.chunks_exact(LANES).collect();
        assert!(
            groups[4..]
                .iter()
                .all(|group| group[1..].iter().all(|&it| it == 0.0))
        );
        assert!(fitted.model.weights.iter().all(|&weight| weight != 0.0));
    }

    #[test]
    fn without_features_the_shares_of_the_labels_are_learned() {
        let pictures = FeatureMatrix::new(1, vec![0.0; 10]);
        let labels = [0, 0, 0, 0, 0, 1, 1, 1, 2, 2];
        let settings = LogisticSettings {
            tolerance: 1e-9,
            ..LogisticSettings::default()
        };
        let fitted = LogisticRegression::new(&pictures, &labels, 3, settings).fit(1.0);
        let intercepts = fitted.unwrap().model.intercepts;
        assert!((intercepts[0] - intercepts[2] - 2.5_f64.ln()).abs() < 1e-6);
        assert!((intercepts[1] - intercepts[2] - 1.5_f64.ln()).abs() < 1e-6);
    }
}
