//! Parquet files as the library `datasets` and the Hugging Face hub have them: one row a picture, with
//! the bytes of its file and its label. They are read by their schema.

#[cfg(feature = "parquet")]
mod columns;
#[cfg(feature = "parquet")]
mod files;
#[cfg(feature = "hub")]
mod hub;
#[cfg(feature = "parquet")]
mod rows;
#[cfg(feature = "parquet")]
mod said;
#[cfg(feature = "parquet")]
mod schema;
#[cfg(feature = "parquet")]
mod store;
#[cfg(feature = "parquet")]
mod stream;
#[cfg(feature = "parquet")]
mod thrift;

mod absent;

use std::path::Path;

#[cfg(not(feature = "hub"))]
pub(crate) use absent::open_hub;
#[cfg(not(feature = "parquet"))]
pub(crate) use absent::{open, open_folder};
#[cfg(feature = "parquet")]
pub(crate) use files::{open, open_folder};
#[cfg(feature = "hub")]
pub(crate) use hub::open as open_hub;

/// The first and the last bytes of a Parquet file.
pub(crate) const MAGIC: &[u8] = b"PAR1";

/// Whether a file is named like a Parquet file.
pub(crate) fn is_named_like_parquet(path: &Path) -> bool {
    path.extension()
        .is_some_and(|word| word.eq_ignore_ascii_case("parquet"))
}
