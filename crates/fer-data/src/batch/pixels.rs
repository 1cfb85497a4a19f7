//! The pixels of a batch's pictures.

use std::borrow::Cow;

use super::scale;
use crate::picture::PIXELS;

/// Pixels of shape (pictures, 1, 48, 48), in the form in which they take the least room.
#[derive(Clone, Debug, PartialEq)]
pub enum Pixels {
    /// Grey values as they are stored, 0 (black) to 255 (white): nothing changed them.
    Stored(Vec<u8>),
    /// Values computed from them, 0 (black) to 1 (white).
    Changed(Vec<f32>),
}

/// The pixels of one picture, to be written.
pub(super) enum Row<'a> {
    Stored(&'a mut [u8]),
    Changed(&'a mut [f32]),
}

impl Pixels {
    /// How many values there are.
    pub fn len(&self) -> usize {
        match self {
            Pixels::Stored(values) => values.len(),
            Pixels::Changed(values) => values.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values from 0 (black) to 1 (white); stored ones are divided by 255.
    pub fn scaled(&self) -> Cow<'_, [f32]> {
        match self {
            Pixels::Stored(values) => Cow::Owned(scaled(values)),
            Pixels::Changed(values) => Cow::Borrowed(values),
        }
    }

    /// As [`scaled`](Self::scaled).
    pub fn into_scaled(self) -> Vec<f32> {
        match self {
            Pixels::Stored(values) => scaled(&values),
            Pixels::Changed(values) => values,
        }
    }

    /// The pictures one after another.
    pub(super) fn rows_mut(&mut self) -> impl Iterator<Item = Row<'_>> {
        let (stored, changed): (&mut [u8], &mut [f32]) = match self {
            Pixels::Stored(values) => (values, &mut []),
            Pixels::Changed(values) => (&mut [], values),
        };
        let stored = stored.chunks_exact_mut(PIXELS).map(Row::Stored);
        stored.chain(changed.chunks_exact_mut(PIXELS).map(Row::Changed))
    }
}

fn scaled(stored: &[u8]) -> Vec<f32> {
    let mut values = vec![0.0; stored.len()];
    scale(stored, &mut values);
    values
}
