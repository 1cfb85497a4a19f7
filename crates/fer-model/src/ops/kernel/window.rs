//! Copies of maps with a border of zeros.

/// A rectangle cut from maps laid out (row, column, channel); it may reach beyond them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    /// Row of the maps at which it starts; negative above them.
    pub(crate) top: isize,
    /// Column of the maps at which it starts; negative to their left.
    pub(crate) left: isize,
    /// Its rows.
    pub(crate) rows: usize,
    /// Its columns.
    pub(crate) columns: usize,
}

impl Window {
    /// Where in the maps the rectangle starts, if it lies inside them.
    #[inline(always)]
    pub(crate) fn inside(self, [height, width, channels]: [usize; 3]) -> Option<usize> {
        let (top, left) = (
            usize::try_from(self.top).ok()?,
            usize::try_from(self.left).ok()?,
        );
        (top + self.rows <= height && left + self.columns <= width)
            .then_some((top * width + left) * channels)
    }

    /// Copies the rectangle of `maps` (`height * width * channels`) to `out`
    /// (`rows * columns * channels`), with zeros where it lies outside.
    pub(crate) fn copy(self, maps: &[f32], [height, width, channels]: [usize; 3], out: &mut [f32]) {
        let before = self.left.min(0).unsigned_abs().min(self.columns);
        let first = self.left.max(0).unsigned_abs().min(width);
        let inside = (width - first).min(self.columns - before);
        let step = self.columns * channels;
        for (row, out) in out[..self.rows * step].chunks_exact_mut(step).enumerate() {
            let source = self.top + row as isize;
            if source < 0 || source as usize >= height {
                out.fill(0.0);
                continue;
            }
            let from = (source as usize * width + first) * channels;
            let (left, rest) = out.split_at_mut(before * channels);
            let (middle, right) = rest.split_at_mut(inside * channels);
            left.fill(0.0);
            middle.copy_from_slice(&maps[from..from + inside * channels]);
            right.fill(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_beyond_every_edge_is_the_maps_in_a_frame_of_zeros() {
        let window = Window {
            top: -1,
            left: -1,
            rows: 4,
            columns: 5,
        };
        let mut out = [9.0; 20];
        window.copy(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [2, 3, 1], &mut out);
        #[rustfmt::skip]
        assert_eq!(out, [
            0.0, 0.0, 0.0, 0.0, 0.0,
            0.0, 1.0, 2.0, 3.0, 0.0,
            0.0, 4.0, 5.0, 6.0, 0.0,
            0.0, 0.0, 0.0, 0.0, 0.0,
        ]);
    }

    #[test]
    fn a_window_inside_keeps_the_channels_together() {
        let maps: Vec<f32> = (0..24).map(|value| value as f32).collect();
        let window = Window {
            top: 1,
            left: 2,
            rows: 2,
            columns: 1,
        };
        let mut out = [0.0; 4];
        window.copy(&maps, [3, 4, 2], &mut out);
        assert_eq!(out, [12.0, 13.0, 20.0, 21.0]);
    }
}
