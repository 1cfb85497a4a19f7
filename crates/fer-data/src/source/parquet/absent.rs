//! What a program says that was built without the features.

#[cfg(not(feature = "parquet"))]
use std::path::Path;

#[cfg(not(feature = "hub"))]
use crate::dataset::Dataset;
#[cfg(not(feature = "hub"))]
use crate::error::DataError;
#[cfg(not(feature = "hub"))]
use crate::source::OpenSettings;
#[cfg(not(feature = "parquet"))]
use crate::source::paths::Paths;
#[cfg(not(feature = "parquet"))]
use crate::source::tree::Folder;

#[cfg(not(feature = "parquet"))]
pub(crate) fn open(path: &Path, _: &OpenSettings) -> Result<Dataset, DataError> {
    Err(DataError::Unrecognised {
        path: path.to_path_buf(),
        reason: "it is Parquet, and this program was built without the feature `parquet`".into(),
    })
}

#[cfg(not(feature = "parquet"))]
pub(crate) fn open_folder(
    root: &Folder,
    _: &Paths,
    settings: &OpenSettings,
) -> Result<Dataset, DataError> {
    open(&root.path, settings)
}

#[cfg(not(feature = "hub"))]
pub(crate) fn open_hub(address: &str, _: &OpenSettings) -> Result<Dataset, DataError> {
    Err(DataError::Hub {
        address: address.into(),
        reason: "this program was built without the feature `hub`".into(),
    })
}
