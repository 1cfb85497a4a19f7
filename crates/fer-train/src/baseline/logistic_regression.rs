//! Multinomial logistic regression.

mod objective;

use anyhow::{Context, Result};
use argmin::core::{Executor, State, TerminationReason, TerminationStatus};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;

use self::objective::Objective;
use super::linear_model::{LANES, LinearModel};
use super::{FeatureMatrix, Fitted};

/// Steps that L-BFGS remembers, as in scipy.
const MEMORY: usize = 10;

/// Where L-BFGS stops.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogisticSettings {
    /// The Euclidean length of the gradient of the mean loss. Default 3e-3.
    pub tolerance: f64,
    /// The most iterations. Default 1000.
    pub iterations: u64,
}

impl Default for LogisticSettings {
    fn default() -> Self {
        Self {
            tolerance: 3e-3,
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
        let (pictures, labels) = (self.pictures, self.labels);
        let objective = Objective::new(pictures, labels, self.classes, c);
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn classes_that_fill_up_the_last_group_learn_nothing() {
        let values = (0..6000).map(|place| ((place * place * 7) % 23) as f32 / 10.0 - 1.0);
        let pictures = FeatureMatrix::new(3, values.collect());
        let labels: Vec<usize> = (0..2000).map(|place| (place * place) % 11 % 9).collect();
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
