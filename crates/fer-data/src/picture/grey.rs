use std::fmt;
use std::sync::Arc;

use crate::error::DataError;

/// Pixels along each side of a [`Picture`].
pub const SIDE: usize = 48;

/// Pixels in a [`Picture`]: 2,304.
pub const PIXELS: usize = SIDE * SIDE;

/// A grey picture of 48×48 pixels, 0 black to 255 white, row by row from the top left.
///
/// A clone shares the pixels with its original.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Picture(Arc<[u8; PIXELS]>);

impl Picture {
    /// A picture from its 2,304 values; `name` is what an error calls it.
    ///
    /// # Errors
    /// [`DataError::PictureSize`] for any other number of values.
    pub fn from_pixels(pixels: &[u8], name: &str) -> Result<Self, DataError> {
        match <&[u8; PIXELS]>::try_from(pixels) {
            Ok(pixels) => Ok(Picture::from_array(pixels)),
            Err(_) => Err(DataError::PictureSize {
                name: name.to_string(),
                expected: PIXELS,
                found: pixels.len(),
            }),
        }
    }

    /// A picture of the values.
    pub(crate) fn from_array(pixels: &[u8; PIXELS]) -> Self {
        Picture(Arc::new(*pixels))
    }

    /// The 2,304 values, row by row.
    pub fn pixels(&self) -> &[u8; PIXELS] {
        &self.0
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Picture(48×48, mean {:.1})", self.mean())
    }
}
