//! Linear support vector machines.

use fer_data::random::stream;
use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::linear_model::{LinearModel, add, dot};
use super::{FeatureMatrix, Fitted};

/// Where dual coordinate descent stops.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SvmSettings {
    /// The largest distance between two projected gradients of a pass, both over all pictures.
    /// Default 0.01.
    pub tolerance: f64,
    /// The most passes over the pictures. Default 1000, as in scikit-learn.
    pub passes: usize,
    /// Seed of the order in which pictures are visited. Default 0.
    pub seed: u64,
}

impl Default for SvmSettings {
    fn default() -> Self {
        Self {
            tolerance: 0.01,
            passes: 1000,
            seed: 0,
        }
    }
}

/// A linear support vector machine a class, that class against the rest: the weights w of the least
/// ½|w|² + C Σ max(0, 1 − y w·x)², y being 1 for the class and −1 for all others. The intercept is the
/// weight of one more feature, which is always 1, and is regularised with the rest. So does
/// scikit-learn's `LinearSVC`.
///
/// The solver is the dual coordinate descent with shrinking of Cho-Jui Hsieh, Kai-Wei Chang, Chih-Jen
/// Lin, S. Sathiya Keerthi, S. Sundararajan, A Dual Coordinate Descent Method for Large-scale Linear
/// SVM, ICML 2008, for the squared hinge. A second C begins where the one before ended.
pub struct LinearSvm<'a> {
    pictures: &'a FeatureMatrix,
    labels: &'a [usize],
    settings: SvmSettings,
    machines: Vec<Machine>,
    /// |x|² of each picture, the constant feature included.
    squares: Vec<f64>,
}

/// One class against the rest.
struct Machine {
    class: usize,
    weights: Vec<f64>,
    intercept: f64,
    /// One multiplier a picture, from 0.
    alpha: Vec<f64>,
}

impl<'a> LinearSvm<'a> {
    /// A machine a class that knows nothing yet.
    ///
    /// - `labels`: (pictures), below `classes`.
    ///
    /// # Panics
    /// Where there are not as many labels as pictures.
    pub fn new(
        pictures: &'a FeatureMatrix,
        labels: &'a [usize],
        classes: usize,
        settings: SvmSettings,
    ) -> Self {
        assert_eq!(labels.len(), pictures.pictures(), "number of labels");
        let machine = |class| Machine {
            class,
            weights: vec![0.0; pictures.features()],
            intercept: 0.0,
            alpha: vec![0.0; labels.len()],
        };
        let square = |value: &f32| f64::from(*value) * f64::from(*value);
        LinearSvm {
            pictures,
            labels,
            settings,
            machines: (0..classes).map(machine).collect(),
            squares: pictures
                .rows()
                .map(|row| 1.0 + row.iter().map(square).sum::<f64>())
                .collect(),
        }
    }

    /// Fits every class's machine at this C, beginning where the last C ended.
    pub fn fit(&mut self, c: f64) -> Fitted {
        let problem = Problem {
            pictures: self.pictures,
            labels: self.labels,
            squares: &self.squares,
            diagonal: 0.5 / c,
            settings: self.settings,
        };
        let machines = self.machines.par_iter_mut();
        let converged: Vec<bool> = machines.map(|machine| problem.solve(machine)).collect();
        let machines = self.machines.iter();
        let weights = machines.clone().map(|machine| &machine.weights[..]);
        Fitted {
            model: LinearModel {
                weights: weights.collect::<Vec<_>>().concat(),
                intercepts: machines.map(|machine| machine.intercept).collect(),
            },
            converged: converged.into_iter().all(|converged| converged),
        }
    }
}

struct Problem<'a> {
    pictures: &'a FeatureMatrix,
    labels: &'a [usize],
    squares: &'a [f64],
    /// What the squared hinge adds to the diagonal of the dual's matrix: 1 / 2C.
    diagonal: f64,
    settings: SvmSettings,
}

impl Problem<'_> {
    /// Tells whether the tolerance was reached.
    fn solve(&self, machine: &mut Machine) -> bool {
        let mut draw = stream(self.settings.seed, "linear svm", machine.class as u64);
        let mut active: Vec<usize> = (0..self.labels.len()).collect();
        // A multiplier at 0 whose gradient lies above this is left out of the next passes.
        let mut bound = f64::INFINITY;
        for _ in 0..self.settings.passes {
            active.shuffle(&mut draw);
            let span = self.pass(machine, &mut active, bound);
            if span.largest - span.smallest > self.settings.tolerance {
                bound = match span.largest > 0.0 {
                    true => span.largest,
                    false => f64::INFINITY,
                };
                continue;
            }
            if active.len() == self.labels.len() {
                return true;
            }
            active = (0..self.labels.len()).collect();
            bound = f64::INFINITY;
        }
        false
    }

    /// Visits every active picture once, and leaves those out that are settled.
    fn pass(&self, machine: &mut Machine, active: &mut Vec<usize>, bound: f64) -> Span {
        let mut span = Span {
            smallest: f64::INFINITY,
            largest: f64::NEG_INFINITY,
        };
        active.retain(|&picture| {
            let row = self.pictures.row(picture);
            let side = if self.labels[picture] == machine.class {
                1.0
            } else {
                -1.0
            };
            let alpha = machine.alpha[picture];
            let decision = dot(&machine.weights, row) + machine.intercept;
            let gradient = side * decision - 1.0 + self.diagonal * alpha;
            if alpha == 0.0 && gradient > bound {
                return false;
            }
            let projected = if alpha == 0.0 {
                gradient.min(0.0)
            } else {
                gradient
            };
            span.smallest = span.smallest.min(projected);
            span.largest = span.largest.max(projected);
            let step = gradient / (self.squares[picture] + self.diagonal);
            let next = (alpha - step).max(0.0);
            if next != alpha {
                machine.alpha[picture] = next;
                add(&mut machine.weights, (next - alpha) * side, row);
                machine.intercept += (next - alpha) * side;
            }
            true
        });
        span
    }
}

/// The projected gradients of a pass.
struct Span {
    smallest: f64,
    largest: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two classes along a line, at −1 and 1.
    fn fitted(c: f64) -> Fitted {
        let pictures = FeatureMatrix::new(1, vec![-1.0, 1.0]);
        let settings = SvmSettings {
            tolerance: 1e-10,
            ..SvmSettings::default()
        };
        LinearSvm::new(&pictures, &[0, 1], 2, settings).fit(c)
    }

    #[test]
    fn two_points_have_the_solution_of_the_book() {
        // ½w² + 2C (1 − w)² is least at w = 4C / (1 + 4C).
        for c in [0.01, 1.0, 100.0] {
            let Fitted { model, converged } = fitted(c);
            let expected = 4.0 * c / (1.0 + 4.0 * c);
            assert!(converged);
            assert!((model.weights[1] - expected).abs() < 1e-9, "{model:?}");
            assert!((model.weights[0] + expected).abs() < 1e-9, "{model:?}");
            assert!(
                model.intercepts.iter().all(|it| it.abs() < 1e-9),
                "{model:?}"
            );
        }
    }

    #[test]
    fn a_c_that_follows_another_ends_where_it_would_alone() {
        let values = (0..60).map(|place| ((place * place * 7) % 23) as f32 / 10.0 - 1.0);
        let pictures = FeatureMatrix::new(3, values.collect());
        let labels: Vec<usize> = (0..20).map(|place| place % 3).collect();
        let settings = SvmSettings {
            tolerance: 1e-11,
            passes: 100_000,
            ..SvmSettings::default()
        };
        let new = || LinearSvm::new(&pictures, &labels, 3, settings);
        let alone = new().fit(1.0);
        let mut after = new();
        let first = after.fit(0.01);
        let after = after.fit(1.0);
        assert!(alone.converged && after.converged);
        let distance = |a: &Fitted, b: &Fitted| {
            let pairs = a.model.weights.iter().zip(&b.model.weights);
            pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
        };
        assert!(distance(&alone, &after) < 1e-8);
        assert!(distance(&alone, &first) > 1e-2);
    }

    #[test]
    fn too_few_passes_are_said() {
        let pictures = FeatureMatrix::new(1, vec![-1.0, 1.0, 0.5]);
        let settings = SvmSettings {
            tolerance: 1e-12,
            passes: 1,
            ..SvmSettings::default()
        };
        assert!(
            !LinearSvm::new(&pictures, &[0, 1, 0], 2, settings)
                .fit(1.0)
                .converged
        );
    }
}
