use crate::face::cascade::WINDOW;

/// A square of the picture that may hold a face: its upper left corner and its side in pixels, which
/// may reach out of the picture, and how sure the cascade is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::face) struct Window {
    pub(in crate::face) x: i32,
    pub(in crate::face) y: i32,
    pub(in crate::face) side: u32,
    pub(in crate::face) score: f64,
}

impl Window {
    /// That at `(x, y)` of the picture scaled by `scale`, in the pixels of the picture itself.
    pub(super) fn scanned(x: usize, y: usize, scale: f32, score: f32) -> Self {
        let length = |pixels: f32| pixels / scale + 0.5;
        Window {
            x: length(x as f32) as i32,
            y: length(y as f32) as i32,
            side: length(WINDOW as f32) as u32,
            score: f64::from(score),
        }
    }

    /// Where a network moves it to. `moves` are three values from 0 to 1 for right, down and larger, of
    /// which one half means to stay.
    pub(super) fn moved(self, moves: [f32; 3], score: f32) -> Self {
        let [right, down, larger] = moves.map(|value| value * 2.0 - 1.0);
        let side = self.side as f32;
        let new_side = (larger * side + side + 0.5).floor();
        let corner = |corner: i32, by: f32| {
            (by * side + corner as f32 + (side - new_side) * 0.5 + 0.5).floor() as i32
        };
        Window {
            x: corner(self.x, right),
            y: corner(self.y, down),
            side: new_side as u32,
            score: f64::from(score),
        }
    }

    /// Intersection over union.
    pub(super) fn overlap(&self, other: &Window) -> f32 {
        let shared = |own: i32, others: i32| {
            let (own, others) = (i64::from(own), i64::from(others));
            let end = (own + i64::from(self.side)).min(others + i64::from(other.side));
            (end - own.max(others)).max(0) as f32
        };
        let both = shared(self.x, other.x) * shared(self.y, other.y);
        let area = |side: u32| side as f32 * side as f32;
        let either = area(self.side) + area(other.side) - both;
        if both > 0.0 { both / either } else { 0.0 }
    }
}
