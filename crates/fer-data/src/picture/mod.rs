//! One grey picture, and how it is made from a file.

mod grey;

mod decode;
mod facts;
mod foreign;
mod jpeg;
mod luma;
mod resize;
mod room;
mod upright;

mod hash;
mod statistics;

pub(crate) use decode::MOST_BYTES;
pub use decode::{LONGEST_SIDE, MOST_MEMORY};
pub use facts::{Colours, PictureFacts, PictureFormat, PictureMode};
pub use grey::{PIXELS, Picture, SIDE};
pub use hash::DifferenceHash;
#[cfg(feature = "detect")]
pub(crate) use luma::grey as grey_of;
pub use resize::Resize;
#[cfg(feature = "detect")]
pub(crate) use upright::{upright_colours, upright_grey};
