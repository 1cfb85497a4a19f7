use std::collections::BTreeMap;

use anyhow::{Context, Result};
use candle_core::{Device, Tensor, Var};
use fer_data::DataError;
use fer_model::Parameters;
use fer_model::ops::{Engine, average_towards};
use serde::{Deserialize, Serialize};

use crate::fit::together::{self, Together};

/// A moving average of the weights over the steps (Polyak & Juditsky 1992), which is judged and kept
/// in their place.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AveragingSettings {
    /// What a step leaves of the average, 0 to below 1. After step t it is at most
    /// (1 + t) / (10 + t), so that the average forgets where it began. Default 0.999.
    pub decay: f64,
}

impl Default for AveragingSettings {
    fn default() -> Self {
        AveragingSettings { decay: 0.999 }
    }
}

impl AveragingSettings {
    pub(crate) fn check(&self) -> Result<(), DataError> {
        if (0.0..1.0).contains(&self.decay) {
            return Ok(());
        }
        Err(DataError::Setting {
            name: "training.averaging.decay",
            value: self.decay.to_string(),
            expected: "at least 0 and below 1",
        })
    }

    /// The share of the way that the average goes after `step` steps.
    fn share(&self, step: u64) -> f64 {
        let step = step as f64;
        1.0 - self.decay.min((1.0 + step) / (10.0 + step))
    }
}

/// The average of every variable, running statistics included: those of the normalisations are
/// averaged as the weights are, so that they fit them. What is frozen is its own average.
pub(super) struct Average {
    settings: AveragingSettings,
    engine: Engine,
    moving: Vec<Member>,
    frozen: Vec<(String, Tensor)>,
}

/// Variables and their average, in the shape of their whole.
struct Member {
    vars: Together,
    average: Var,
}

impl Average {
    /// Begins with the values as they are.
    pub(super) fn new(
        parameters: &Parameters,
        settings: AveragingSettings,
        engine: Engine,
    ) -> Result<Self> {
        let is_frozen = |(name, _): &(String, Var)| parameters.is_frozen(name);
        let (frozen, moving): (Vec<_>, Vec<_>) = parameters.vars().into_iter().partition(is_frozen);
        let moving = Together::divide(moving, engine)?.into_iter().map(|vars| {
            let average = Var::from_tensor(&vars.joined(value)?.copy()?)?;
            Ok(Member { vars, average })
        });
        let frozen = frozen
            .into_iter()
            .map(|(name, var)| Ok((name, value("", &var)?.copy()?)));
        Ok(Average {
            settings,
            engine,
            moving: moving.collect::<Result<_>>()?,
            frozen: frozen.collect::<Result<_>>()?,
        })
    }

    /// Takes in the values after `step` steps.
    pub(super) fn update(&self, step: u64) -> Result<()> {
        let share = self.settings.share(step);
        let Some(Member { average, .. }) = self.moving.first() else {
            return Ok(());
        };
        together::in_pool(average.device(), || {
            for Member { vars, average } in &self.moving {
                average_towards(average, &vars.joined(value)?, share, self.engine)?;
            }
            Ok(())
        })
    }

    /// Copies of the averages by name, on the CPU.
    pub(super) fn snapshot(&self) -> Result<BTreeMap<String, Tensor>> {
        let mut averages = BTreeMap::new();
        for Member { vars, average } in &self.moving {
            let average = average.as_tensor().to_device(&Device::Cpu)?.detach();
            for (name, part) in vars.parts(&average)? {
                averages.insert(name, part.copy()?);
            }
        }
        for (name, value) in &self.frozen {
            averages.insert(name.clone(), value.to_device(&Device::Cpu)?);
        }
        Ok(averages)
    }

    /// Goes to averages that were copied; what is frozen stays what it is.
    pub(super) fn restore(&self, averages: &BTreeMap<String, Tensor>) -> Result<()> {
        for Member { vars, average } in &self.moving {
            let kept = vars.joined(|name, var| {
                let average = averages
                    .get(name)
                    .with_context(|| format!("the average of {name} is missing"))?;
                Ok(average.to_device(var.device())?)
            })?;
            average.set(&kept.copy()?)?;
        }
        Ok(())
    }
}

fn value(_name: &str, var: &Var) -> Result<Tensor> {
    Ok(var.as_tensor().detach())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_average_forgets_its_beginning_and_comes_back_from_a_copy() {
        let parameters = Parameters::new(1, &Device::Cpu);
        parameters.builder().get(1, "w").unwrap();
        let (_, var) = parameters.vars().remove(0);
        let set = |value: f32| var.set(&Tensor::new(&[value], &Device::Cpu).unwrap());
        set(8.0).unwrap();
        let settings = AveragingSettings { decay: 0.9 };
        let average = Average::new(&parameters, settings, Engine::detect()).unwrap();
        let mut expected = 8.0f64;
        for step in 1..200u64 {
            let value = 1.0 / step as f64;
            set(value as f32).unwrap();
            average.update(step).unwrap();
            let decay = ((1.0 + step as f64) / (10.0 + step as f64)).min(0.9);
            expected = decay * expected + (1.0 - decay) * value;
        }
        let found = average.snapshot().unwrap();
        let value = |values: &BTreeMap<String, Tensor>| values["w"].to_vec1::<f32>().unwrap()[0];
        assert!((f64::from(value(&found)) - expected).abs() < 1e-6);
        average.update(1).unwrap();
        assert_ne!(value(&average.snapshot().unwrap()), value(&found));
        average.restore(&found).unwrap();
        assert_eq!(value(&average.snapshot().unwrap()), value(&found));
        assert!(average.restore(&BTreeMap::new()).is_err());
    }
}
