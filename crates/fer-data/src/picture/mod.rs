//! One grey picture, and how it is made from a file.

mod grey;

mod decode;
mod facts;
mod foreign;
mod jpeg;
mod luma;
mod resize;

mod hash;
mod statistics;

pub use decode::{LONGEST_SIDE, MOST_MEMORY};
#[cfg(feature = "detect")]
pub(crate) use decode::{upright_colours, upright_grey};
pub use facts::{Colours, PictureFacts, PictureFormat, PictureMode};
pub use grey::{PIXELS, Picture, SIDE};
pub use hash::DifferenceHash;
#[cfg(feature = "detect")]
pub(crate) use luma::grey as grey_of;
pub use resize::Resize;
