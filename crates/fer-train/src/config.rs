//! A run's whole configuration.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use fer_data::{FerPlusTarget, Layout, OpenSettings, Resize, SplitSettings, Vocabulary};
use fer_model::Architecture;
use fer_model::file::WeightFormat;
use serde::{Deserialize, Serialize};

use crate::calibration::CalibrationSettings;
use crate::checkpoint::CheckpointSettings;
use crate::fit::FitSettings;

/// Everything that decides a run; `config.toml` in its directory.
///
/// The defaults train the source document's network on the drawn faces.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The pictures.
    pub data: DataConfig,
    /// The network.
    pub model: Architecture,
    /// How it is trained.
    pub training: FitSettings,
    /// When what is done so far is put on disk.
    pub checkpoint: CheckpointSettings,
    /// Where the temperature comes from.
    pub calibration: CalibrationSettings,
    /// How the model is saved.
    pub output: OutputSettings,
}

/// How the model of a run is saved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutputSettings {
    /// What holds a weight: `f32`, or `f16` for a file of half the size; figures are those of the
    /// weights as they are saved. Default `f32`.
    pub weights: WeightFormat,
}

/// Which pictures, and how they are read and divided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DataConfig {
    /// A path, or the word `drawn`. Default `drawn`.
    pub path: PathBuf,
    /// How pictures and labels lie there: `classes`, `people`, `csv` or `manifest`. Default: told by
    /// what is found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layout: Option<Layout>,
    /// What the labels mean: a TOML file, one `"0" = "happy"` a line. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_map: Option<PathBuf>,
    /// The known data set whose numbers the labels are: `fer2013`, `ferplus`, `affectnet`, `rafdb`
    /// or `ckplus`. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vocabulary: Option<Vocabulary>,
    /// How picture files become 48×48: `antialiased`, or `opencv-linear` as `cv2.resize` does it. It
    /// travels with the model. Default `antialiased`.
    pub resize: Resize,
    /// FER+ votes for a fer2013.csv. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ferplus: Option<PathBuf>,
    /// How votes become training targets: `majority`, `probabilities` or `votes`. Default
    /// `majority`.
    pub ferplus_target: FerPlusTarget,
    /// Whether a row that cannot be read is an error. Default `false`: it is left out and listed.
    pub strict: bool,
    /// Whether train loses the exact copies of validation and test pictures. Default `false`.
    pub dedup: bool,
    /// How the pictures are divided.
    pub split: SplitSettings,
}

impl Default for DataConfig {
    fn default() -> Self {
        DataConfig {
            path: "drawn".into(),
            layout: None,
            label_map: None,
            vocabulary: None,
            resize: Resize::default(),
            ferplus: None,
            ferplus_target: FerPlusTarget::default(),
            strict: false,
            dedup: false,
            split: SplitSettings::default(),
        }
    }
}

impl DataConfig {
    /// What fer-data's `open` takes beside the path.
    pub fn open_settings(&self) -> OpenSettings {
        OpenSettings {
            layout: self.layout,
            label_map: self.label_map.clone(),
            vocabulary: self.vocabulary,
            resize: self.resize,
            ferplus: self.ferplus.clone(),
            ferplus_target: self.ferplus_target,
            split: self.split.clone(),
            strict: self.strict,
            dedup: self.dedup,
        }
    }
}

impl Config {
    /// Reads a TOML file; what it leaves out has its default.
    ///
    /// # Errors
    /// A file that cannot be read, TOML that cannot be parsed, or a key that is not known.
    pub fn read(path: &Path) -> Result<Self> {
        let text =
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("{} is no configuration", path.display()))
    }

    /// The whole configuration as TOML.
    ///
    /// # Errors
    /// A path that is not Unicode.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).context("the configuration cannot be written as TOML")
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::fit::Response;

    #[test]
    fn what_is_written_is_read_back() {
        let mut config = Config::default();
        config.data.ferplus = Some("votes.csv".into());
        config.data.split.validation_fraction = Some(0.1);
        config.training.patience = Some(3);
        config.training.augmentation.flip = 0.5;
        config.training.divergence.response = Response::HalveRate;
        config.checkpoint.every = Some(100);
        config.calibration.temperature = Some(1.234);
        config.output.weights = WeightFormat::F16;
        let read: Config = toml::from_str(&config.to_toml().unwrap()).unwrap();
        assert_eq!(read, config);
    }

    #[test]
    fn an_empty_file_is_the_default_and_unknown_keys_are_refused_by_name() {
        assert_eq!(toml::from_str::<Config>("").unwrap(), Config::default());
        for text in [
            "[training]\nepoch = 3",
            "[model]\narch = \"cnn\"\ndrop = 1",
            "[dataset]",
            "[data.split]\nsed = 1",
        ] {
            let error = toml::from_str::<Config>(text).unwrap_err().to_string();
            assert!(error.contains("unknown"), "{text}: {error}");
        }
    }
}
