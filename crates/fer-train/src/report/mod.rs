//! The figures of a run: tables and pictures of what metrics and curves say in numbers.
//!
//! Everything here is a pure function from numbers, names and pictures to the bytes of a file;
//! the same input gives the same bytes on every machine, with or without fonts installed.
//!
//! | file of a run | made by |
//! |---|---|
//! | `confusion_matrix.csv`, `.svg`, `.png` | [`confusion_matrix`] |
//! | `curves.svg` | [`curves`] |
//! | `samples.png` | [`samples`] |
//! | `reliability.svg`, `.png` | [`reliability`] |
//! | `coverage.svg`, `.png` | [`coverage`] |
//! | `MODEL_CARD.md` | [`model_card`] |
//!
//! [`contact_sheet`] lays out pictures in labelled rows, and [`canvas`] turns any SVG figure into
//! a PNG.

mod error;

mod abstaining;
mod chart;
mod drawing;
mod gaps;

#[cfg(feature = "cli")]
pub mod annotated;
pub mod canvas;
pub mod confusion_matrix;
pub mod contact_sheet;
pub mod coverage;
pub mod curves;
pub mod model_card;
pub mod reliability;
pub mod samples;

pub(crate) use abstaining::RISKS;
pub use error::FigureError;
