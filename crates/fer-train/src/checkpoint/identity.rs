use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use candle_core::Device;
use fer_data::{ClassNames, Dataset};
use fer_model::Architecture;
use fer_model::ops::Engine;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::Config;

/// Settings that a resumed run may change: how far it goes, how it is watched over, what becomes of
/// the trained weights, where decoded pictures lie, and where the data, the model it began with and its teachers
/// are, which digests tell.
const FREE: [&str; 15] = [
    "calibration",
    "checkpoint",
    "data.ferplus",
    "data.label_map",
    "data.layout",
    "data.memory",
    "data.path",
    "data.spill_folder",
    "data.strict",
    "data.vocabulary",
    "distillation.teachers",
    "init.model",
    "output",
    "training.divergence",
    "training.epochs",
];

/// What makes two runs the same but for how far they are. Holds no path, date or host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// What trains, such as `fer-train 0.1.0`.
    pub library: String,
    /// The kind of device that computes: `cpu`, `cuda` or `metal`.
    pub device: String,
    /// What computes on the CPU.
    pub engine: String,
    /// The settings that decide the result, by their names in `config.toml`, in JSON.
    pub settings: BTreeMap<String, String>,
    /// The classes in the order of the outputs.
    pub classes: ClassNames,
    /// What people call the data.
    pub data: String,
    /// SHA-256 of the pictures with their labels, in hexadecimal.
    pub data_hash: String,
    /// SHA-256 of which picture stands in which split, in hexadecimal.
    pub division_hash: String,
}

impl Identity {
    /// Of a run with this configuration on these data.
    ///
    /// # Errors
    /// A configuration that cannot be written.
    pub fn new(
        config: &Config,
        dataset: &Dataset,
        device: &Device,
        engine: Engine,
    ) -> Result<Self> {
        let device = match device {
            Device::Cpu => "cpu",
            Device::Cuda(_) => "cuda",
            Device::Metal(_) => "metal",
        };
        Ok(Identity {
            library: format!("{} {}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")),
            device: device.into(),
            engine: engine.to_string(),
            settings: Self::settings(config)?,
            classes: dataset.class_names().clone(),
            data: dataset.name().into(),
            data_hash: dataset.hash().into(),
            division_hash: dataset.division_hash(),
        })
    }

    /// The settings of a configuration that decide the result, by name, in JSON.
    ///
    /// # Errors
    /// A configuration that cannot be written.
    pub fn settings(config: &Config) -> Result<BTreeMap<String, String>> {
        let mut settings = BTreeMap::new();
        flatten("", &serde_json::to_value(config)?, &mut settings);
        if config.training.has_an_end() {
            let epochs = config.training.epochs;
            settings.insert("training.epochs".into(), epochs.to_string());
        }
        Ok(settings)
    }

    /// How the settings of `config` differ from those of this run, each with both values. A setting
    /// that the run did not know yet is the same where it has its default.
    ///
    /// # Errors
    /// A configuration that cannot be written.
    pub fn other_settings(&self, config: &Config) -> Result<Vec<String>> {
        let asked = Self::settings(config)?;
        let names: BTreeSet<&String> = self.settings.keys().chain(asked.keys()).collect();
        let value = |settings: &BTreeMap<String, String>, name: &str| {
            let value = settings.get(name).map(String::as_str);
            value.unwrap_or("not set").to_string()
        };
        let defaults = Self::settings(&Config {
            model: Architecture::named(config.model.name())?,
            ..Config::default()
        })?;
        let known = |name: &String| self.settings.get(name).or_else(|| defaults.get(name));
        let differences = names
            .into_iter()
            .filter(|&name| known(name) != asked.get(name))
            .map(|name| {
                let (was, is) = (value(&self.settings, name), value(&asked, name));
                format!("{name} is {was} in the run, {is} is asked for")
            });
        Ok(differences.collect())
    }

    /// How `other` computes otherwise than this run does: it may go on, but not to the same bits.
    pub fn other_arithmetic(&self, other: &Identity) -> Vec<String> {
        let pairs = [
            ("device", &self.device, &other.device),
            ("engine", &self.engine, &other.engine),
            ("version", &self.library, &other.library),
        ];
        let differences = pairs.into_iter().filter(|(_, was, is)| was != is);
        differences
            .map(|(name, was, is)| format!("the {name} was {was} and is {is}"))
            .collect()
    }

    /// Whether `other` has the same pictures with the same labels in the same splits.
    pub fn has_data_of(&self, other: &Identity) -> bool {
        self.classes == other.classes
            && self.data_hash == other.data_hash
            && self.division_hash == other.division_hash
    }
}

fn flatten(name: &str, value: &Value, settings: &mut BTreeMap<String, String>) {
    if FREE.contains(&name) {
        return;
    }
    match value {
        Value::Null => (),
        Value::Object(members) => {
            for (key, value) in members {
                let name = match name {
                    "" => key.clone(),
                    _ => format!("{name}.{key}"),
                };
                flatten(&name, value, settings);
            }
        }
        value => {
            settings.insert(name.to_string(), value.to_string());
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn identity(config: &Config) -> Identity {
        Identity {
            library: "fer-train 0".into(),
            device: "cpu".into(),
            engine: "plain".into(),
            settings: Identity::settings(config).unwrap(),
            classes: ClassNames::new(["happy", "sad"]).unwrap(),
            data: "faces".into(),
            data_hash: "a".into(),
            division_hash: "b".into(),
        }
    }

    #[test]
    fn what_decides_the_result_is_compared_and_named_with_both_values() {
        let config = Config::default();
        let run = identity(&config);
        assert!(run.other_settings(&config).unwrap().is_empty());
        let mut other = config.clone();
        other.training.learning_rate = 0.01;
        other.training.patience = Some(3);
        other.data.split.validation_fraction = Some(0.2);
        assert_eq!(
            run.other_settings(&other).unwrap(),
            [
                "data.split.validation_fraction is not set in the run, 0.2 is asked for",
                "training.learning_rate is 0.001 in the run, 0.01 is asked for",
                "training.patience is not set in the run, 3 is asked for",
            ]
        );
    }

    #[test]
    fn a_setting_that_an_older_run_did_not_know_must_have_its_default() {
        let mut run = identity(&Config::default());
        run.settings.remove("training.loss.label_smoothing");
        assert!(run.other_settings(&Config::default()).unwrap().is_empty());
        let mut other = Config::default();
        other.training.loss.label_smoothing = 0.1;
        let differences = run.other_settings(&other).unwrap();
        let named = "training.loss.label_smoothing is not set in the run, 0.1 is asked for";
        assert_eq!(differences, [named]);
    }

    #[test]
    fn more_epochs_another_place_and_another_watch_are_free() {
        let run = identity(&Config::default());
        let mut other = Config::default();
        other.training.epochs = 99;
        other.training.divergence.most_halvings = 1;
        other.data.path = "elsewhere".into();
        other.checkpoint.every = Some(7);
        other.calibration.temperature = Some(1.5);
        assert!(run.other_settings(&other).unwrap().is_empty());
    }

    #[test]
    fn other_data_and_other_arithmetic_are_told_apart() {
        let run = identity(&Config::default());
        let mut other = run.clone();
        other.device = "cuda".into();
        assert!(run.has_data_of(&other));
        assert_eq!(
            run.other_arithmetic(&other),
            ["the device was cpu and is cuda"]
        );
        for change in [
            |other: &mut Identity| other.data_hash = "c".into(),
            |other: &mut Identity| other.division_hash = "c".into(),
            |other: &mut Identity| other.classes = ClassNames::new(["sad", "happy"]).unwrap(),
        ] {
            let mut other = run.clone();
            change(&mut other);
            assert!(!run.has_data_of(&other));
        }
    }
}
