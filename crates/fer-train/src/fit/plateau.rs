use fer_data::DataError;
use serde::{Deserialize, Serialize};

use crate::fit::Monitor;

/// When a figure that no longer improves lowers the learning rate, as PyTorch's `ReduceLROnPlateau` has
/// it with its relative threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PlateauSettings {
    /// What the rate is multiplied by, above 0 and below 1. Default 0.1.
    pub factor: f64,
    /// Epochs without an improvement that are borne: the next one lowers the rate. Default 10.
    pub patience: usize,
    /// The share of the best figure so far that counts as an improvement, at least 0. Default 1e-4.
    pub threshold: f64,
    /// Epochs after a change of rate that are not judged. Default 0.
    pub cooldown: usize,
}

impl Default for PlateauSettings {
    fn default() -> Self {
        PlateauSettings {
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            cooldown: 0,
        }
    }
}

impl PlateauSettings {
    /// Checks every range.
    ///
    /// # Errors
    /// [`DataError::Setting`], naming the first setting out of range as `training.plateau.…`.
    pub fn check(&self) -> Result<(), DataError> {
        let setting = |name, value: f64, expected| DataError::Setting {
            name,
            value: value.to_string(),
            expected,
        };
        if !(self.factor > 0.0 && self.factor < 1.0) {
            let name = "training.plateau.factor";
            return Err(setting(name, self.factor, "above 0 and below 1"));
        }
        if !(self.threshold >= 0.0 && self.threshold.is_finite()) {
            let name = "training.plateau.threshold";
            return Err(setting(name, self.threshold, "at least 0"));
        }
        Ok(())
    }
}

/// Watches one figure over the epochs and lowers the learning rate when it stays where it is. It is
/// part of a run's state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReduceOnPlateau {
    settings: PlateauSettings,
    monitor: Monitor,
    best: Option<f64>,
    waited: usize,
    cooling: usize,
    reductions: u32,
}

impl ReduceOnPlateau {
    /// Nothing seen yet. Where `monitor` is nothing, the figure is the loss.
    pub fn new(settings: PlateauSettings, monitor: Monitor) -> Self {
        let monitor = match monitor {
            Monitor::Nothing => Monitor::ValidationLoss,
            monitor => monitor,
        };
        ReduceOnPlateau {
            settings,
            monitor,
            best: None,
            waited: 0,
            cooling: 0,
            reductions: 0,
        }
    }

    /// Takes in an epoch's figure, NaN being no improvement; `true` when the rate is lowered from the
    /// next epoch on.
    pub fn update(&mut self, value: f64) -> bool {
        if self.is_better(value) {
            self.best = Some(value);
            self.waited = 0;
        } else {
            self.waited += 1;
        }
        if self.cooling > 0 {
            self.cooling -= 1;
            self.waited = 0;
        }
        let lowered = self.waited > self.settings.patience;
        if lowered {
            self.reductions += 1;
            self.cooling = self.settings.cooldown;
            self.waited = 0;
        }
        lowered
    }

    /// What the learning rate is to be multiplied by: the factor to the power of how often it was
    /// lowered.
    pub fn scale(&self) -> f64 {
        self.settings.factor.powf(f64::from(self.reductions))
    }

    fn is_better(&self, value: f64) -> bool {
        match self.best {
            None => !value.is_nan(),
            Some(best) => {
                let least = self.settings.threshold * best;
                self.monitor.improves(value, best, least)
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const SETTINGS: PlateauSettings = PlateauSettings {
        factor: 0.5,
        patience: 1,
        threshold: 0.01,
        cooldown: 0,
    };

    fn scales(settings: PlateauSettings, monitor: Monitor, values: &[f64]) -> Vec<f64> {
        let mut plateau = ReduceOnPlateau::new(settings, monitor);
        let scale = |&value: &f64| {
            let before = plateau.scale();
            let lowered = plateau.update(value);
            assert_eq!(lowered, plateau.scale() < before);
            // It goes on from what a checkpoint holds.
            let text = serde_json::to_string(&plateau).unwrap();
            plateau = serde_json::from_str(&text).unwrap();
            plateau.scale()
        };
        values.iter().map(scale).collect()
    }

    #[test]
    fn the_rate_falls_after_more_epochs_than_patience_and_only_real_steps_count() {
        let losses = [1.0, 0.995, 0.98, 0.98, 0.98, 0.98, 0.98, 0.5];
        assert_eq!(
            scales(SETTINGS, Monitor::ValidationLoss, &losses),
            [1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
        );
        let accuracies = [0.5, 0.504, 0.503, 0.6, f64::NAN, 0.4];
        assert_eq!(
            scales(SETTINGS, Monitor::ValidationAccuracy, &accuracies),
            [1.0, 1.0, 0.5, 0.5, 0.5, 0.25]
        );
    }

    #[test]
    fn epochs_after_a_change_are_not_judged() {
        let settings = PlateauSettings {
            cooldown: 2,
            ..SETTINGS
        };
        let found = scales(settings, Monitor::ValidationLoss, &[1.0; 8]);
        assert_eq!(found, [1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25]);
        assert_ne!(found, scales(SETTINGS, Monitor::ValidationLoss, &[1.0; 8]));
    }

    #[test]
    fn settings_out_of_range_are_refused_by_name() {
        assert!(PlateauSettings::default().check().is_ok());
        for factor in [0.0, 1.0, f64::NAN] {
            let settings = PlateauSettings { factor, ..SETTINGS };
            let refusal = settings.check().unwrap_err().to_string();
            assert!(refusal.starts_with("training.plateau.factor"), "{refusal}");
        }
        let threshold = -1.0;
        let settings = PlateauSettings {
            threshold,
            ..SETTINGS
        };
        let refusal = settings.check().unwrap_err().to_string();
        assert!(refusal.contains("plateau.threshold = -1"), "{refusal}");
    }
}
