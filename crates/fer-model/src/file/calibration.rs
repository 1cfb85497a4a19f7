use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

/// How sure a network's answers are made: its logits are divided by a temperature before the
/// softmax, which leaves the most probable class what it is.
///
/// Chuan Guo, Geoff Pleiss, Yu Sun, Kilian Q. Weinberger: On Calibration of Modern Neural Networks,
/// ICML 2017.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// What the logits are divided by, 0.01 to 100: above 1 makes answers less sure, below 1 surer.
    pub temperature: f64,
    /// Where the temperature comes from.
    pub origin: TemperatureOrigin,
}

/// Where a temperature comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TemperatureOrigin {
    /// This network's answers for pictures of its data set gave it.
    Fitted {
        /// The split of those pictures.
        split: String,
        /// How many they were.
        pictures: usize,
        /// Whether they also chose the epoch whose weights these are.
        chose_epoch: bool,
    },
    /// It was found with another network and carried over to this one.
    CarriedOver {
        /// In words, with which network and which pictures; empty where nobody said.
        from: String,
    },
}

impl Calibration {
    /// Whether the temperature is one that logits can be divided by and still say something: 0.01 to
    /// 100.
    pub fn is_usable(&self) -> bool {
        (0.01..=100.0).contains(&self.temperature)
    }

    /// The split of this network's data whose pictures gave the temperature, if it was fitted on
    /// them: figures on these are flattered.
    pub fn fitted_on(&self) -> Option<&str> {
        match &self.origin {
            TemperatureOrigin::Fitted { split, .. } => Some(split),
            TemperatureOrigin::CarriedOver { .. } => None,
        }
    }

    /// Logits, f32 of shape (pictures, classes), divided by the temperature.
    ///
    /// # Errors
    /// A device that fails.
    pub fn apply(&self, logits: &Tensor) -> Result<Tensor> {
        logits / self.temperature
    }
}
