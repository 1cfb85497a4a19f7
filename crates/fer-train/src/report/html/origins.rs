//! Which model and data the results in a directory are of.

use std::path::Path;

use anyhow::Result;
use fer_data::Dataset;
use fer_model::file::Description;

use super::audit::AuditView;
use super::contents::Directory;

/// Which model was judged in a run directory and on which data, as far as files there say it.
pub struct Origins {
    /// What the model says of itself.
    pub description: Option<Description>,
    /// What was said of the data.
    pub data: Option<DataOrigin>,
}

/// The data of `audit.json`.
pub struct DataOrigin {
    /// What people call them.
    pub name: String,
    /// How they are divided, in words.
    pub split_rule: String,
    /// Their digest and that of their division; none where an earlier version wrote the file.
    digests: Option<[String; 2]>,
}

impl Origins {
    /// Reads what the directory `path` says.
    ///
    /// # Errors
    /// A file that is there and cannot be read, or is not what it should be, by name.
    pub fn read(path: &Path) -> Result<Self> {
        let directory = Directory(path);
        let audit: Option<AuditView> = directory.json("audit.json")?;
        Ok(Origins {
            description: directory.description()?,
            data: audit.map(|audit| DataOrigin {
                name: audit.name,
                split_rule: audit.split_rule,
                digests: audit.data_hash.zip(audit.division_hash).map(<[_; 2]>::from),
            }),
        })
    }
}

impl DataOrigin {
    /// Whether they may be `dataset`, divided as it is.
    pub fn is_of(&self, dataset: &Dataset) -> bool {
        let own = [dataset.hash().to_string(), dataset.division_hash()];
        self.name == dataset.name() && self.digests.as_ref().is_none_or(|digests| *digests == own)
    }

    /// Whether they are known by digests, and not by name alone.
    pub fn has_digests(&self) -> bool {
        self.digests.is_some()
    }
}
