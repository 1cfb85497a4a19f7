//! Reading what lies in a run directory.

use std::io::ErrorKind;
use std::path::{Component, Path};

use anyhow::{Context, Result, ensure};
use candle_core::Device;
use fer_data::read_regular;
use fer_model::file::{self, Description};
use fer_model::ops::Engine;
use serde::de::DeserializeOwned;

use super::audit::AuditView;
use crate::baseline::{self, Baselines};
use crate::config::Config;
use crate::fit::EpochRecord;
use crate::hard::{self, Hard};
use crate::insight::Explanation;
use crate::metrics::Report;
use crate::predictions::{self, Predictions};
use crate::report::gallery::{self, Gallery};
use crate::robustness::Robustness;

/// The longest file of a run that is read, in bytes.
const MOST_BYTES: u64 = 1 << 30;

/// What lies in a run directory, as far as a report shows it. All of it may be missing, because each
/// command leaves its own part.
#[derive(Default)]
pub struct Contents {
    /// `metrics.json`.
    pub metrics: Option<Report>,
    /// `validation.json`.
    pub validation: Option<Report>,
    /// `history.csv`; empty where nothing was trained.
    pub history: Vec<EpochRecord>,
    /// `config.toml`.
    pub config: Option<Config>,
    /// What the model that was judged says of itself: `model.json`, or else `model.safetensors`.
    pub description: Option<Description>,
    /// `predictions.csv`.
    pub predictions: Option<Predictions>,
    /// `hard.json`.
    pub hard: Option<Hard>,
    /// `gallery.json` and the bytes of `gallery.png`.
    pub gallery: Option<(Gallery, Vec<u8>)>,
    /// The bytes of `samples.png`.
    pub samples: Option<Vec<u8>>,
    /// `robustness.json`.
    pub robustness: Option<Robustness>,
    /// What `explain --data` left.
    pub explained: Option<Explained>,
    /// `baselines.json`.
    pub baselines: Option<Baselines>,
    /// `audit.json`.
    pub(super) audit: Option<AuditView>,
    /// `MODEL_CARD.md`.
    pub card: Option<String>,
}

/// Where a network looks, with the pictures of it.
pub struct Explained {
    /// `explanation.json`.
    pub explanation: Explanation,
    /// For each of its classes the bytes of its mean map.
    pub maps: Vec<Option<Vec<u8>>>,
    /// The bytes of `explanation/regions.png`, the regions on the mean face.
    pub regions: Option<Vec<u8>>,
}

impl Contents {
    /// Reads the run directory `path`.
    ///
    /// # Errors
    /// A file that is there and cannot be read, or is not what it should be, by name; a directory with
    /// nothing in it that a report could show.
    pub fn read(path: &Path) -> Result<Self> {
        let directory = Directory(path);
        let contents = Contents {
            metrics: directory.json("metrics.json")?,
            validation: directory.json("validation.json")?,
            history: directory.history()?,
            config: directory.config()?,
            description: directory.description()?,
            predictions: directory.predictions()?,
            hard: directory.json(hard::FILE)?,
            gallery: directory.gallery()?,
            samples: directory.bytes("samples.png")?,
            robustness: directory.json("robustness.json")?,
            explained: directory.explained()?,
            baselines: directory.json(baseline::FILE)?,
            audit: directory.json("audit.json")?,
            card: directory.text("MODEL_CARD.md")?,
        };
        ensure!(
            contents.has_findings(),
            "{} holds nothing to report: none of history.csv, metrics.json, robustness.json, \
             explanation.json and {} is there; `fer-train evaluate MODEL --data PATH --out {0}` writes \
             there",
            path.display(),
            baseline::FILE
        );
        contents
            .check_gallery()
            .with_context(|| path.display().to_string())?;
        Ok(contents)
    }

    fn has_findings(&self) -> bool {
        self.metrics.is_some()
            || !self.history.is_empty()
            || self.robustness.is_some()
            || self.explained.is_some()
            || self.baselines.is_some()
    }

    /// The list of the sprite names rows of the table of predictions, which must be there.
    fn check_gallery(&self) -> Result<()> {
        let Some((gallery, _)) = &self.gallery else {
            return Ok(());
        };
        let rows = self
            .predictions
            .as_ref()
            .map_or(0, |table| table.pictures.len());
        ensure!(gallery.columns > 0, "{} has no columns", gallery::LIST);
        for tile in &gallery.tiles {
            ensure!(
                tile.row < rows,
                "{} names row {} of {}, which has {rows} rows; `fer-train evaluate` with --out writes \
                 both anew",
                gallery::LIST,
                tile.row,
                predictions::FILE
            );
        }
        Ok(())
    }
}

pub(super) struct Directory<'a>(pub(super) &'a Path);

impl Directory<'_> {
    fn bytes(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let path = self.0.join(name);
        match read_regular(&path, MOST_BYTES) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    fn text(&self, name: &str) -> Result<Option<String>> {
        let Some(bytes) = self.bytes(name)? else {
            return Ok(None);
        };
        let text = String::from_utf8(bytes);
        Ok(Some(text.with_context(|| self.is_not(name, "text"))?))
    }

    pub(super) fn json<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let Some(bytes) = self.bytes(name)? else {
            return Ok(None);
        };
        let read = serde_json::from_slice(&bytes);
        Ok(Some(read.with_context(|| {
            self.is_not(name, "as this program writes it")
        })?))
    }

    fn is_not(&self, name: &str, what: &str) -> String {
        format!("{} is not {what}", self.0.join(name).display())
    }

    fn history(&self) -> Result<Vec<EpochRecord>> {
        let Some(bytes) = self.bytes("history.csv")? else {
            return Ok(Vec::new());
        };
        let rows = csv::Reader::from_reader(&bytes[..]).into_deserialize();
        rows.collect::<Result<_, csv::Error>>()
            .with_context(|| self.is_not("history.csv", "as this program writes it"))
    }

    fn config(&self) -> Result<Option<Config>> {
        let path = self.0.join("config.toml");
        path.is_file().then(|| Config::read(&path)).transpose()
    }

    pub(super) fn description(&self) -> Result<Option<Description>> {
        if let Some(judged) = self.json(super::DESCRIPTION)? {
            return Ok(Some(judged));
        }
        let name = "model.safetensors";
        let Some(bytes) = self.bytes(name)? else {
            return Ok(None);
        };
        let path = self.0.join(name);
        let model = file::load_bytes(&bytes, &path, &Device::Cpu, Engine::detect())?;
        Ok(Some(model.description))
    }

    fn predictions(&self) -> Result<Option<Predictions>> {
        let path = self.0.join(predictions::FILE);
        path.is_file().then(|| Predictions::open(&path)).transpose()
    }

    fn gallery(&self) -> Result<Option<(Gallery, Vec<u8>)>> {
        let list = self.json(gallery::LIST)?;
        Ok(list.zip(self.bytes(gallery::PICTURES)?))
    }

    /// The maps lie where the file says, which is below `explanation` and nowhere else.
    fn explained(&self) -> Result<Option<Explained>> {
        let Some(explanation) = self.json::<Explanation>("explanation.json")? else {
            return Ok(None);
        };
        let mut maps = Vec::new();
        for class in &explanation.classes {
            let name = class.map.as_deref();
            if let Some(name) = name {
                let mut parts = Path::new(name).components();
                let inside = parts.next() == Some(Component::Normal("explanation".as_ref()))
                    && parts.all(|part| matches!(part, Component::Normal(_)));
                ensure!(
                    inside,
                    "{}: the map {name} is not below explanation/",
                    self.0.join("explanation.json").display()
                );
            }
            maps.push(name.map(|name| self.bytes(name)).transpose()?.flatten());
        }
        Ok(Some(Explained {
            explanation,
            maps,
            regions: self.bytes("explanation/regions.png")?,
        }))
    }
}
