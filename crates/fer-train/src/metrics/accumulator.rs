//! From batches to a report.

use fer_data::ClassNames;
use fer_model::most_probable;
use serde::{Deserialize, Serialize};

use super::{CalibrationError, ConfusionMatrix, LogLoss, NotFinite, ProbabilityScore, Report};

/// Counts batch by batch, then reports.
///
/// The result depends on the pictures and their order alone, not on how they are cut into batches.
///
/// ```
/// use fer_data::ClassNames;
/// use fer_train::metrics::Metrics;
///
/// let mut metrics = Metrics::new(&ClassNames::new(["happy", "sad"])?);
/// // Two pictures: a happy one seen as happy, a sad one seen as happy.
/// metrics.update(&[0, 1], &[1.0, 0.0, 0.0, 1.0], &[-0.1, -2.4, -0.2, -1.7])?;
/// let report = metrics.compute("validation", true);
/// assert_eq!((report.n, report.accuracy), (2, 0.5));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    names: ClassNames,
    confusion: ConfusionMatrix,
    loss: LogLoss,
    /// Absent in checkpoints of versions that did not count it.
    #[serde(default)]
    calibration: CalibrationError,
}

impl Metrics {
    /// Nothing counted yet, over these classes in this order.
    pub fn new(names: &ClassNames) -> Self {
        Self {
            names: names.clone(),
            confusion: ConfusionMatrix::new(names.len()),
            loss: LogLoss::default(),
            calibration: CalibrationError::default(),
        }
    }

    /// Counts a batch of n pictures over c classes.
    ///
    /// - `labels`: (n), the true classes, below c;
    /// - `targets`: (n, c) row-major, what the loss is taken against, rows sum to 1;
    /// - `log_probabilities`: (n, c) row-major, the network's log-softmax. The prediction is the
    ///   first largest of a row.
    ///
    /// # Errors
    /// A log-probability that is not finite; the pictures before it are counted.
    ///
    /// # Panics
    /// Where the lengths do not fit together or a label is not below c.
    pub fn update(
        &mut self,
        labels: &[usize],
        targets: &[f32],
        log_probabilities: &[f32],
    ) -> Result<(), NotFinite> {
        let classes = self.names.len();
        assert_eq!(targets.len(), labels.len() * classes, "length of targets");
        assert_eq!(
            log_probabilities.len(),
            targets.len(),
            "length of log-probabilities"
        );
        let rows = targets
            .chunks_exact(classes)
            .zip(log_probabilities.chunks_exact(classes));
        for (&label, (targets, log_probabilities)) in labels.iter().zip(rows) {
            self.loss.add(targets, log_probabilities)?;
            let class = most_probable(log_probabilities);
            self.confusion.add(label, class);
            let probability = f64::from(log_probabilities[class]).exp();
            self.calibration.add(probability, class == label);
        }
        Ok(())
    }

    /// The share of pictures counted so far that were taken for what they are; 0 where none was
    /// counted.
    pub fn accuracy(&self) -> f64 {
        self.confusion.accuracy()
    }

    /// The mean cross-entropy of the pictures counted so far, in nats; 0 where none was counted.
    pub fn loss(&self) -> f64 {
        self.loss.mean()
    }

    /// How good the probabilities of the pictures counted so far are.
    pub fn probabilities(&self) -> ProbabilityScore {
        ProbabilityScore {
            loss: self.loss(),
            ece: self.calibration.value(),
        }
    }

    /// The counts so far.
    pub fn confusion(&self) -> &ConfusionMatrix {
        &self.confusion
    }

    /// Everything about the pictures counted so far. `chosen_on_this_split` tells whether anything
    /// about the model (its epoch, say) was chosen by its figures on these very pictures.
    pub fn compute(&self, split: &str, chosen_on_this_split: bool) -> Report {
        Report::new(
            split,
            &self.names,
            &self.confusion,
            self.probabilities(),
            chosen_on_this_split,
        )
    }

    /// Back to nothing counted.
    pub fn reset(&mut self) {
        self.confusion = ConfusionMatrix::new(self.names.len());
        self.loss = LogLoss::default();
        self.calibration = CalibrationError::default();
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const LABELS: [usize; 5] = [0, 1, 2, 2, 1];
    const TARGETS: [f32; 15] = [
        1.0, 0.0, 0.0, 0.1, 0.8, 0.1, 0.3, 0.3, 0.4, 0.0, 0.0, 1.0, 0.2, 0.7, 0.1,
    ];
    const LOG_PROBABILITIES: [f32; 15] = [
        -0.3, -1.7, -2.9, -1.1, -0.9, -1.4, -0.7, -1.3, -1.6, -1.9, -3.1, -0.2, -0.6, -2.2, -1.1,
    ];

    fn metrics() -> Metrics {
        Metrics::new(&ClassNames::new(["angry", "happy", "sad"]).unwrap())
    }

    fn whole() -> Metrics {
        let mut metrics = metrics();
        metrics
            .update(&LABELS, &TARGETS, &LOG_PROBABILITIES)
            .unwrap();
        metrics
    }

    #[test]
    fn the_prediction_is_the_first_largest_and_columns_hold_it() {
        let rows = whole().confusion().rows().to_vec();
        assert_eq!(rows, [[1, 0, 0], [1, 1, 0], [1, 0, 1]]);
        assert_eq!(most_probable(&[-2.0, -1.0, -1.0]), 1);
    }

    #[test]
    fn the_cut_into_batches_changes_no_digit() {
        for size in 1..=4 {
            let mut metrics = metrics();
            for (batch, labels) in LABELS.chunks(size).enumerate() {
                let cut = batch * size * 3..(batch * size + labels.len()) * 3;
                metrics
                    .update(labels, &TARGETS[cut.clone()], &LOG_PROBABILITIES[cut])
                    .unwrap();
            }
            assert_eq!(
                metrics.compute("test", false),
                whole().compute("test", false)
            );
        }
    }

    #[test]
    fn reset_forgets_everything() {
        let mut used = whole();
        assert_ne!(
            used.compute("test", false),
            metrics().compute("test", false)
        );
        used.reset();
        assert_eq!(
            used.compute("test", false),
            metrics().compute("test", false)
        );
        used.update(&LABELS, &TARGETS, &LOG_PROBABILITIES).unwrap();
        assert_eq!(used.compute("test", false), whole().compute("test", false));
    }

    #[test]
    fn a_diverged_network_is_an_error_that_names_the_picture() {
        let mut metrics = whole();
        let error = metrics
            .update(&[0], &[1.0, 0.0, 0.0], &[f32::NAN; 3])
            .unwrap_err();
        assert_eq!(error.picture, 5);
        assert_eq!(
            metrics.compute("test", false),
            whole().compute("test", false)
        );
    }

    #[test]
    #[should_panic(expected = "length of targets")]
    fn targets_of_another_width_panic() {
        let _ = metrics().update(&LABELS, &TARGETS[1..], &LOG_PROBABILITIES);
    }
}
