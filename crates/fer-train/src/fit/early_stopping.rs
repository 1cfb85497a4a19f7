use serde::{Deserialize, Serialize};

/// The figure that tells the best epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Monitor {
    /// The higher the better.
    ValidationAccuracy,
    /// The lower the better.
    ValidationLoss,
    /// None: the last epoch is kept, and validation chooses nothing.
    Nothing,
}

impl Monitor {
    /// The figure that is watched, of an epoch's accuracy and loss on validation.
    pub(super) fn figure(self, accuracy: f64, loss: f64) -> Option<f64> {
        match self {
            Monitor::ValidationAccuracy => Some(accuracy),
            Monitor::ValidationLoss => Some(loss),
            Monitor::Nothing => None,
        }
    }

    /// Whether a value is better than another by more than `min_delta`.
    pub fn improves(self, value: f64, best: f64, min_delta: f64) -> bool {
        match self {
            Monitor::ValidationAccuracy => value > best + min_delta,
            Monitor::ValidationLoss => value < best - min_delta,
            Monitor::Nothing => true,
        }
    }
}

/// Watches one figure over the epochs: remembers the best and says when to stop, as Keras's
/// callback of this name does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EarlyStopping {
    monitor: Monitor,
    min_delta: f64,
    patience: Option<usize>,
    best: Option<(usize, f64)>,
    waited: usize,
}

impl EarlyStopping {
    /// Nothing seen yet.
    pub fn new(monitor: Monitor, min_delta: f64, patience: Option<usize>) -> Self {
        EarlyStopping {
            monitor,
            min_delta,
            patience,
            best: None,
            waited: 0,
        }
    }

    /// Takes in an epoch's figure; `true` when it is the best so far. Of equal ones the earliest
    /// stays.
    pub fn update(&mut self, epoch: usize, value: f64) -> bool {
        let better = self
            .best
            .is_none_or(|(_, best)| self.monitor.improves(value, best, self.min_delta));
        if better {
            self.best = Some((epoch, value));
            self.waited = 0;
        } else {
            self.waited += 1;
        }
        better
    }

    /// The best epoch, once one was seen.
    pub fn best_epoch(&self) -> Option<usize> {
        self.best.map(|(epoch, _)| epoch)
    }

    /// Whether `patience` epochs in a row brought no improvement.
    pub fn should_stop(&self) -> bool {
        self.patience
            .is_some_and(|patience| self.waited >= patience.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accuracy_is_better_higher_and_loss_lower_and_of_equals_the_first_stays() {
        let mut accuracy = EarlyStopping::new(Monitor::ValidationAccuracy, 0.0, None);
        let mut loss = EarlyStopping::new(Monitor::ValidationLoss, 0.0, None);
        for (epoch, value) in [(1, 0.5), (2, 0.7), (3, 0.7), (4, 0.2)] {
            accuracy.update(epoch, value);
            loss.update(epoch, value);
        }
        assert_eq!(accuracy.best_epoch(), Some(2));
        assert_eq!(loss.best_epoch(), Some(4));
        assert!(!accuracy.should_stop(), "no patience was set");
    }

    #[test]
    fn it_stops_after_patience_epochs_without_a_large_enough_improvement() {
        let mut watch = EarlyStopping::new(Monitor::ValidationAccuracy, 0.01, Some(2));
        let stops: Vec<bool> = [(1, 0.5), (2, 0.505), (3, 0.52), (4, 0.52), (5, 0.529)]
            .into_iter()
            .map(|(epoch, value)| {
                watch.update(epoch, value);
                watch.should_stop()
            })
            .collect();
        assert_eq!(stops, [false, false, false, false, true]);
        assert_eq!(watch.best_epoch(), Some(3));
    }
}
