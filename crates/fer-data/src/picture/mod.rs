//! One grey picture, and how it is made from a file.

mod decode;
mod grey;

pub use grey::{PIXELS, Picture, SIDE};
