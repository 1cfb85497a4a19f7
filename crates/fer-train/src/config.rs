//! A run's whole configuration.

mod memory_size;
mod paths;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use fer_data::{
    FerPlusTarget, Layout, MemorySettings, OpenSettings, Resize, SplitSettings, Vocabulary,
    printable_path, read_regular,
};
use fer_model::file::WeightFormat;
use fer_model::{Architecture, Views};
use serde::{Deserialize, Serialize};

use crate::calibration::CalibrationSettings;
use crate::checkpoint::CheckpointSettings;
use crate::distillation::DistillationSettings;
use crate::fit::FitSettings;
use crate::initial::InitSettings;
use crate::parallel::ParallelSettings;

/// The longest configuration that is read, in bytes.
const MOST_BYTES: u64 = 1 << 20;

pub use memory_size::MemorySize;

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
    /// The trained model whose weights it begins with. Default absent: weights are drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<InitSettings>,
    /// The trained models that teach it. Default absent: the labels alone do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distillation: Option<DistillationSettings>,
    /// How it is trained.
    pub training: FitSettings,
    /// How it is shared among processes.
    pub parallel: ParallelSettings,
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
    /// Test-time views: the model answers with the mean of the logits for the picture alone (`one`), for it and
    /// its mirror image (`flips`), or for ten views (`ten`), in twice and ten times the time; temperature and
    /// figures are those of such answers. The epoch is chosen by one view. Default `one`.
    #[serde(alias = "flips")]
    pub views: Views,
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
    /// How much memory the decoded pictures may take, such as `512 MB` or `2 GiB`: where they are more, they
    /// lie in a temporary file, and the result is the same. Default `1 GiB`.
    pub memory: MemorySize,
    /// The folder of that file. Default: what `TMPDIR` names, else `/var/tmp`, else the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spill_folder: Option<PathBuf>,
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
            memory: MemorySize::default(),
            spill_folder: None,
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
            memory: MemorySettings {
                bound: self.memory.bytes(),
                spill_folder: self.spill_folder.clone(),
            },
        }
    }
}

impl Config {
    /// Reads a TOML file; what it leaves out has its default.
    ///
    /// # Errors
    /// A file that cannot be read, TOML that cannot be parsed, or a key that is not known.
    pub fn read(path: &Path) -> Result<Self> {
        let text = text(path)?;
        toml::from_str(&text).with_context(|| format!("{} is no configuration", path.display()))
    }

    /// Whether the file says itself what stands under these keys, one inside the other, and does not
    /// leave it to its default.
    ///
    /// # Errors
    /// A file that cannot be read, or that is no TOML.
    pub fn says(path: &Path, keys: &[&str]) -> Result<bool> {
        let text = text(path)?;
        let mut value: toml::Value = toml::from_str(&text)
            .with_context(|| format!("{} is no configuration", path.display()))?;
        for key in keys {
            let inner = value.as_table_mut().and_then(|table| table.remove(*key));
            match inner {
                Some(inner) => value = inner,
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Sets one value: `KEY=VALUE`, the key as in the file with dots between its parts, the value in
    /// TOML, with quotes left away where a word stands alone; the word `none` takes the key out, so
    /// that it has its default.
    ///
    /// ```
    /// use fer_train::config::Config;
    ///
    /// let mut config = Config::default();
    /// config.set("training.augmentation.flip=0.5")?;
    /// config.set("training.schedule={kind = \"cosine\", warmup = 0.2}")?;
    /// config.set("model.arch=vgg")?;
    /// assert_eq!(config.training.augmentation.flip, 0.5);
    /// assert!(config.set("training.augmentation.flop=1").is_err());
    /// # Ok::<(), anyhow::Error>(())
    /// ```
    ///
    /// # Errors
    /// A key that is not known, or a value of another kind.
    pub fn set(&mut self, assignment: &str) -> Result<()> {
        let Some((key, value)) = assignment.split_once('=') else {
            bail!("`{assignment}` is no KEY=VALUE");
        };
        let (key, value) = (key.trim(), value.trim());
        // What earlier versions called it.
        let key = if key == "output.flips" {
            "output.views"
        } else {
            key
        };
        let mut whole = toml::Table::try_from(&*self)?;
        let mut parts = key.split('.');
        let last = parts.next_back().unwrap_or(key);
        let mut table = &mut whole;
        for part in parts {
            // An optional table that is not there is not made by taking a key out of it.
            if value == "none" && !table.contains_key(part) {
                return self.take(whole, assignment);
            }
            let entry = table.entry(part);
            let entry = entry.or_insert_with(|| toml::Table::new().into());
            let Some(inner) = entry.as_table_mut() else {
                bail!("{key}: {part} is a value and has no keys");
            };
            table = inner;
        }
        if value == "none" {
            ensure!(
                key != "training.monitor",
                "training.monitor has a value always; the one that keeps the last epoch is nothing"
            );
            table.remove(last);
            return self.take(whole, assignment);
        }
        let value = parsed(value);
        // Another network, another schedule has settings of its own.
        let is_kind = key == "model.arch" || key == "training.schedule.kind";
        if is_kind && table.get(last) != Some(&value) {
            table.clear();
        }
        table.insert(last.into(), value);
        self.take(whole, assignment)
    }

    fn take(&mut self, whole: toml::Table, assignment: &str) -> Result<()> {
        *self = whole
            .try_into()
            .with_context(|| format!("`{assignment}` cannot be set"))?;
        Ok(())
    }

    /// The whole configuration as TOML.
    ///
    /// # Errors
    /// A path that is not Unicode.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).context("the configuration cannot be written as TOML")
    }
}

fn text(path: &Path) -> Result<String> {
    let named = || format!("cannot read {}", printable_path(path));
    let bytes = read_regular(path, MOST_BYTES).with_context(named)?;
    String::from_utf8(bytes).with_context(named)
}

/// A value in TOML, or else a word.
fn parsed(text: &str) -> toml::Value {
    let table: Result<toml::Table, _> = toml::from_str(&format!("value = {text}"));
    let value = table.ok().and_then(|mut table| table.remove("value"));
    value.unwrap_or_else(|| text.into())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::fit::Response;

    #[test]
    fn none_makes_no_table_and_another_kind_brings_its_own_settings() {
        let mut config = Config::default();
        config.set("training.averaging.decay=none").unwrap();
        assert_eq!(config, Config::default());
        assert!(config.set("training.monitor=none").is_err());
        config
            .set("training.schedule={kind = \"cosine\", warmup = 0.2}")
            .unwrap();
        config.set("training.schedule.kind=constant").unwrap();
        let constant = toml::from_str("kind = \"constant\"").unwrap();
        assert_eq!(config.training.schedule, constant);
        config.set("model.arch=vgg").unwrap();
        config.set("model.dropout=0.1").unwrap();
        let vgg = config.model.clone();
        config.set("model.arch=vgg").unwrap();
        assert_eq!(config.model, vgg, "the same network keeps its settings");
        config.set("model.arch=resnet").unwrap();
        assert_eq!(config.model, Architecture::named("resnet").unwrap());
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut config = Config::default();
        config.data.ferplus = Some("votes.csv".into());
        config.data.split.validation_fraction = Some(0.1);
        config.data.memory = "1.5 GiB".parse().unwrap();
        config.data.spill_folder = Some("/scratch".into());
        config.training.patience = Some(3);
        config.training.augmentation.flip = 0.5;
        config.training.divergence.response = Response::HalveRate;
        config.checkpoint.every = Some(100);
        config.calibration.temperature = Some(1.234);
        config.output.weights = WeightFormat::F16;
        config.init = Some(InitSettings {
            model: "builtin".into(),
            sha256: Some("ab".into()),
            freeze: vec!["conv*".into()],
        });
        config.distillation = Some(DistillationSettings {
            teachers: vec!["builtin".into(), "a/model.safetensors".into()],
            share: 0.25,
            sha256: vec!["cd".into(), "ef".into()],
        });
        let read: Config = toml::from_str(&config.to_toml().unwrap()).unwrap();
        assert_eq!(read, config);
    }

    #[test]
    fn a_value_is_set_by_its_key_and_none_is_its_default() {
        let mut config = Config::default();
        for assignment in [
            "training.averaging.decay=0.9",
            "training.schedule={kind = \"cosine\"}",
            "training.schedule.warmup = 0.25",
            "data.ferplus_target=votes",
            "data.memory=512 MB",
            "training.patience=4",
            "model.arch=vgg",
            "model.dropout=0.1",
        ] {
            config.set(assignment).unwrap();
        }
        assert_eq!(config.training.averaging.unwrap().decay, 0.9);
        assert_eq!(
            config.training.schedule,
            crate::fit::Schedule::Cosine {
                warmup: 0.25,
                last: 0.0
            }
        );
        assert_eq!(config.data.ferplus_target, FerPlusTarget::Votes);
        assert_eq!(config.data.memory.bytes(), 512_000_000);
        config.set("data.memory=0").unwrap();
        assert_eq!(config.data.memory.bytes(), 0);
        assert_eq!(config.model.name(), "vgg");
        config.set("output.flips=true").unwrap();
        assert_eq!(config.output.views, Views::Flips);
        let written = config
            .to_toml()
            .unwrap()
            .replace("views = \"flips\"", "flips = true");
        assert!(written.contains("flips = true"));
        assert_eq!(toml::from_str::<Config>(&written).unwrap(), config);
        config.set("output.views=ten").unwrap();
        assert_eq!(config.output.views, Views::Ten);
        config.set("training.averaging=none").unwrap();
        config.set("training.patience=none").unwrap();
        assert_eq!(config.training.averaging, None);
        assert_eq!(config.training.patience, None);
        for wrong in [
            "training.epochs",
            "training.epochs=many",
            "training.epoch=3",
            "training.epochs.more=3",
            "data.memory=much",
            "trainings.epochs=3",
        ] {
            assert!(config.set(wrong).is_err(), "{wrong}");
        }
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

    #[test]
    fn the_stochastic_depth_of_older_versions_is_an_unknown_key() {
        let text = "[model]\narch = \"resvgg\"\nstochastic_depth = 0.0";
        let read = toml::from_str::<Config>(text).unwrap_err().to_string();
        let mut config = Config::default();
        config.set("model.arch=resvgg").unwrap();
        let set = config.set("model.stochastic_depth=0.2").unwrap_err();
        for error in [read, format!("{set:#}")] {
            assert!(
                error.contains("unknown field `stochastic_depth`"),
                "{error}"
            );
        }
    }
}
