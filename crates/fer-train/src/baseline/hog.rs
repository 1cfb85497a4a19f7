//! Histograms of oriented gradients.

use fer_data::{PIXELS, SIDE};
use serde::{Deserialize, Serialize};

/// What keeps a flat block from a division by zero, as in scikit-image.
const EPSILON: f64 = 1e-5;

/// The largest value of a normalised block that "L2-Hys" leaves, before it normalises again.
const CLIP: f64 = 0.2;

/// How histograms of oriented gradients are computed: Navneet Dalal, Bill Triggs, Histograms of
/// Oriented Gradients for Human Detection, CVPR 2005.
///
/// The numbers are those of `skimage.feature.hog` with `block_norm="L2-Hys"`: differences of the two
/// neighbours, 0 at the border; directions without a sign; a pixel votes with its whole magnitude for
/// one direction of its own cell; blocks overlap by all but one cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hog {
    /// Directions over half a turn. Default 9.
    pub orientations: usize,
    /// Pixels along each side of a cell. Default 8.
    pub cell: usize,
    /// Cells along each side of a block, which is normalised as a whole. Default 2.
    pub block: usize,
}

impl Default for Hog {
    fn default() -> Self {
        Self {
            orientations: 9,
            cell: 8,
            block: 2,
        }
    }
}

impl Hog {
    /// Cells along each side of a picture; pixels beyond the last whole cell are left out.
    fn cells(self) -> usize {
        SIDE / self.cell
    }

    /// Blocks along each side of a picture.
    fn blocks(self) -> usize {
        (self.cells() + 1).saturating_sub(self.block)
    }

    /// How many numbers describe a picture.
    pub fn features(self) -> usize {
        self.blocks().pow(2) * self.block_features()
    }

    fn block_features(self) -> usize {
        self.block.pow(2) * self.orientations
    }

    /// Writes the description of a picture: (block row, block column, cell row, cell column,
    /// orientation) row-major, each from 0 to 1.
    ///
    /// # Panics
    /// Where `described` is not as long as [`features`](Self::features).
    pub fn write(self, pixels: &[u8; PIXELS], described: &mut [f32]) {
        assert_eq!(described.len(), self.features(), "number of features");
        let histograms = self.histograms(pixels);
        let mut block = Vec::with_capacity(self.block_features());
        let blocks = described.chunks_exact_mut(self.block_features());
        for (place, described) in blocks.enumerate() {
            let (row, column) = (place / self.blocks(), place % self.blocks());
            block.clear();
            for row in row..row + self.block {
                let start = (row * self.cells() + column) * self.orientations;
                block.extend_from_slice(&histograms[start..][..self.block * self.orientations]);
            }
            normalise(&mut block);
            block.iter_mut().for_each(|value| *value = value.min(CLIP));
            normalise(&mut block);
            for (described, value) in described.iter_mut().zip(&block) {
                *described = *value as f32;
            }
        }
    }

    /// The magnitudes by direction of each cell: (cell row, cell column, orientation) row-major, the
    /// mean over the cell's pixels.
    fn histograms(self, pixels: &[u8; PIXELS]) -> Vec<f64> {
        let cells = self.cells();
        let mut histograms = vec![0.0; cells * cells * self.orientations];
        let share = 1.0 / (self.cell * self.cell) as f64;
        for row in 0..cells * self.cell {
            for column in 0..cells * self.cell {
                let (magnitude, angle) = gradient(pixels, row, column);
                let cell = row / self.cell * cells + column / self.cell;
                let orientation = (angle / 180.0 * self.orientations as f64) as usize;
                histograms[cell * self.orientations + orientation] += magnitude * share;
            }
        }
        histograms
    }
}

/// The gradient's length, in grey values, and its direction without a sign, 0 to below 180 degrees.
fn gradient(pixels: &[u8; PIXELS], row: usize, column: usize) -> (f64, f64) {
    let difference = |place: usize, step: usize, at: usize| match at {
        0 => 0.0,
        at if at == SIDE - 1 => 0.0,
        _ => f64::from(pixels[place + step]) - f64::from(pixels[place - step]),
    };
    let place = row * SIDE + column;
    let down = difference(place, SIDE, row);
    let right = difference(place, 1, column);
    let angle = down.atan2(right).to_degrees().rem_euclid(180.0);
    // What lies a rounding below 0 becomes 180 itself.
    let angle = if angle < 180.0 { angle } else { 0.0 };
    (right.hypot(down), angle)
}

/// Divides by the Euclidean length.
fn normalise(block: &mut [f64]) {
    let squares: f64 = block.iter().map(|value| value * value).sum();
    let length = (squares + EPSILON * EPSILON).sqrt();
    block.iter_mut().for_each(|value| *value /= length);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(hog: Hog, pixel: impl Fn(usize, usize) -> u8) -> Vec<f32> {
        let pixels = std::array::from_fn(|place| pixel(place / SIDE, place % SIDE));
        let mut described = vec![f32::NAN; hog.features()];
        hog.write(&pixels, &mut described);
        described
    }

    #[test]
    fn a_flat_picture_has_no_direction() {
        let flat = described(Hog::default(), |_, _| 77);
        assert_eq!(flat.len(), 5 * 5 * 4 * 9);
        assert!(flat.iter().all(|&value| value == 0.0));
    }

    #[test]
    fn a_ramp_to_the_right_votes_for_the_first_direction_and_one_down_for_the_middle() {
        for (down, orientation) in [(false, 0), (true, 4)] {
            let ramp = described(Hog::default(), |row, column| {
                (5 * if down { row } else { column }) as u8
            });
            for histogram in ramp.chunks_exact(9) {
                let largest = (0..9).max_by(|&a, &b| histogram[a].total_cmp(&histogram[b]));
                assert_eq!(largest, Some(orientation));
                assert_eq!(histogram.iter().filter(|&&value| value > 0.0).count(), 1);
            }
        }
    }

    #[test]
    fn light_changes_nothing_and_contrast_hardly() {
        let face = |row: usize, column: usize| (row * row + 3 * column) as u8 / 4;
        let (plain, lighter) = (
            described(Hog::default(), face),
            described(Hog::default(), |row, column| face(row, column) + 90),
        );
        assert_eq!(plain, lighter);
        let stronger = described(Hog::default(), |row, column| 2 * face(row, column));
        for (plain, stronger) in plain.iter().zip(&stronger) {
            assert!((plain - stronger).abs() < 1e-5, "{plain} {stronger}");
        }
    }

    #[test]
    fn one_bright_corner_is_described_first() {
        let corner = described(
            Hog::default(),
            |row, column| {
                if row < 4 && column < 4 { 255 } else { 0 }
            },
        );
        let per_block = 4 * 9;
        assert!(corner[..per_block].iter().any(|&value| value > 0.0));
        assert!(corner[per_block..].iter().all(|&value| value == 0.0));
    }

    #[test]
    fn cells_that_do_not_divide_the_picture_leave_the_rest_out() {
        let hog = Hog {
            cell: 10,
            block: 3,
            orientations: 7,
        };
        assert_eq!(hog.features(), 2 * 2 * 9 * 7);
        let edge = described(hog, |row, _| if row > 44 { 255 } else { 0 });
        assert!(edge.iter().all(|&value| value == 0.0));
    }
}
