//! Class names, the eight expressions, and what moves in a face when it makes one.

mod action_unit;
mod class_names;
mod emotion;
mod region;
mod vocabulary;

pub use action_unit::{ActionUnit, Activation, Laterality};
pub use class_names::ClassNames;
pub use emotion::Expression;
pub use region::Region;
pub use vocabulary::Vocabulary;
