//! The figures of a run: tables and pictures of what metrics and curves say in numbers.
//!
//! Everything here, save the reading of a run directory for its report, is a pure function from
//! numbers, names and pictures to the bytes of a file;
//! the same input gives the same bytes on every machine, with or without fonts installed.
//!
//! | file of a run | made by |
//! |---|---|
//! | `confusion_matrix.csv`, `.svg`, `.png` | [`confusion_matrix`] |
//! | `curves.svg` | [`curves`] |
//! | `samples.png` | [`samples`] |
//! | `gallery.png`, `.json` | [`gallery`] |
//! | `events.out.tfevents.0.fer` | [`tensorboard`] |
//! | `robustness.svg`, `.png` | [`robustness`] |
//! | `situations.png` | [`contact_sheet`] |
//! | `reliability.svg`, `.png` | [`reliability`] |
//! | `coverage.svg`, `.png` | [`coverage`] |
//! | `explanation/*.png` | [`heat_map`] |
//! | `MODEL_CARD.md` | [`model_card`] |
//! | `report.html` | [`html`] |
//!
//! [`contact_sheet`] lays out pictures in labelled rows, and [`canvas`] turns any SVG figure into
//! a PNG.

mod error;

mod abstaining;
mod axis;
mod chart;
mod drawing;
mod gaps;
mod markdown;

#[cfg(feature = "cli")]
pub mod annotated;
pub mod canvas;
pub mod confusion_matrix;
pub mod contact_sheet;
pub mod coverage;
pub mod curves;
pub mod gallery;
pub mod heat_map;
pub mod html;
pub mod model_card;
pub mod order_curves;
pub mod reliability;
pub mod robustness;
pub mod samples;
pub mod tensorboard;

pub(crate) use abstaining::RISKS;
pub use error::FigureError;
