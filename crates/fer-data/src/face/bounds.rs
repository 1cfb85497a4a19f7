use serde::{Deserialize, Serialize};

/// A box in pixels of an upright photograph, from its top left corner; it lies inside and holds at
/// least one pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Bounds {
    /// The first column.
    pub x: u32,
    /// The first row.
    pub y: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Bounds {
    /// The area that both boxes cover over the area that either covers, 0 to 1 (intersection over
    /// union).
    pub fn overlap(&self, other: &Bounds) -> f64 {
        let shared = |start: u32, length: u32, other_start: u32, other_length: u32| {
            let end = (start + length).min(other_start + other_length);
            u64::from(end.saturating_sub(start.max(other_start)))
        };
        let both = shared(self.x, self.width, other.x, other.width)
            * shared(self.y, self.height, other.y, other.height);
        let area = |bounds: &Bounds| u64::from(bounds.width) * u64::from(bounds.height);
        both as f64 / (area(self) + area(other) - both).max(1) as f64
    }
}

/// A square around a face in pixels of some picture; it may be turned and pass over the border.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Square {
    /// The column of the centre; the first pixel reaches from 0 to 1.
    pub(crate) x: f32,
    /// The row of the centre.
    pub(crate) y: f32,
    /// The length of a side.
    pub(crate) side: f32,
    /// Degrees clockwise.
    pub(crate) roll: f32,
}

impl Square {
    /// The same square in a picture that is `scale` times as large.
    pub(crate) fn scaled(&self, scale: f32) -> Self {
        Square {
            x: self.x * scale,
            y: self.y * scale,
            side: self.side * scale,
            roll: self.roll,
        }
    }

    /// What lies of it, as if it were not turned, inside a picture of this size; nothing if the centre
    /// lies outside.
    pub(crate) fn bounds(&self, (width, height): (u32, u32)) -> Option<Bounds> {
        let inside =
            (0.0..width as f32).contains(&self.x) && (0.0..height as f32).contains(&self.y);
        let span = |centre: f32, length: u32| {
            let start = (centre - self.side / 2.0).round().max(0.0) as u32;
            let end = ((centre + self.side / 2.0).round() as u32).min(length);
            (start, end.saturating_sub(start))
        };
        let ((x, width), (y, height)) = (span(self.x, width), span(self.y, height));
        (inside && width > 0 && height > 0).then_some(Bounds {
            x,
            y,
            width,
            height,
        })
    }

    /// As [`Bounds::overlap`], the turn left out of account.
    pub(crate) fn overlap(&self, other: &Square) -> f32 {
        let shared = |one: f32, two: f32| {
            let end = (one + self.side / 2.0).min(two + other.side / 2.0);
            (end - (one - self.side / 2.0).max(two - other.side / 2.0)).max(0.0)
        };
        let both = shared(self.x, other.x) * shared(self.y, other.y);
        both / (self.side * self.side + other.side * other.side - both)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_overlap_by_what_both_cover() {
        let one = Bounds {
            x: 10,
            y: 20,
            width: 20,
            height: 10,
        };
        assert_eq!(one.overlap(&one), 1.0);
        let moved = Bounds { x: 20, ..one };
        assert_eq!(one.overlap(&moved), 100.0 / 300.0);
        let apart = Bounds { y: 30, ..one };
        assert_eq!(one.overlap(&apart), 0.0);
    }

    #[test]
    fn a_square_over_the_border_is_cut_there_and_one_outside_is_no_box() {
        let square = Square {
            x: 4.0,
            y: 50.0,
            side: 20.0,
            roll: 0.0,
        };
        let cut = Bounds {
            x: 0,
            y: 40,
            width: 14,
            height: 20,
        };
        assert_eq!(square.bounds((100, 100)), Some(cut));
        assert_eq!(Square { x: -1.0, ..square }.bounds((100, 100)), None);
        let moved = Square { x: 14.0, ..square };
        assert_eq!(square.overlap(&moved), 200.0 / 600.0);
    }
}
