//! Checkpoints: what a run directory holds so that a run can go on after any stop, to the same bits.
//!
//! A checkpoint is one safetensors file: a [`RunState`](crate::fit::RunState) without its clock
//! readings, and the [`Identity`] of the run. Equal states give equal bytes; a digest over the whole
//! file tells damage. [`Checkpoints`] writes them while a run works and keeps the last two, [`find`]
//! gives the newest that can be read.

mod directory;
mod file;
mod identity;
mod interval;
mod pictures;

pub use directory::{Checkpoints, Found, find};
pub use file::{Checkpoint, decode, encode};
pub use identity::Identity;
pub use interval::CheckpointSettings;
pub use pictures::PictureList;
