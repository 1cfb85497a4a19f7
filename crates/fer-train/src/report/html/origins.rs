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
    /// Their digest; none where an earlier version wrote the file, as the next.
    hash: Option<String>,
    division_hash: Option<String>,
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
                hash: audit.data_hash,
                division_hash: audit.division_hash,
            }),
        })
    }
}

impl DataOrigin {
    /// Whether they are `dataset`, or may be it where only their name is known.
    pub fn is_of(&self, dataset: &Dataset) -> bool {
        let hash = self.hash.as_deref();
        self.name == dataset.name() && hash.is_none_or(|hash| hash == dataset.hash())
    }

    /// Whether they are known to be `dataset`, divided as it is.
    pub fn is_divided_as(&self, dataset: &Dataset) -> bool {
        self.hash.as_deref() == Some(dataset.hash())
            && self.division_hash.as_deref() == Some(&*dataset.division_hash())
    }
}
