use crate::face::cascade::WINDOW;

const SIDE: usize = WINDOW as usize;

/// Sums kept of the gradients: along the columns and along the rows, each signed and absolute, each for
/// the two signs of the other direction.
const CHANNELS: usize = 8;

/// Values of a feature: four cells of eight sums.
pub(super) const FEATURE: usize = 4 * CHANNELS;

/// The least side of a patch, and how far patches move.
const LEAST_PATCH: usize = 16;
const PATCH_STEP: usize = 16;

/// Width to height.
const SHAPES: [(usize, usize); 5] = [(1, 1), (1, 2), (2, 1), (2, 3), (3, 2)];

/// A rectangle of the window, described by its four quarters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Patch {
    x: usize,
    y: usize,
    width: usize,
    height: usize,
}

/// All patches in the order that the cascade numbers them in.
pub(super) fn patches() -> Vec<Patch> {
    let mut patches = Vec::new();
    for (across, down) in SHAPES {
        for height in (LEAST_PATCH..=SIDE).filter(|side| side % 2 == 0 && side % down == 0) {
            let width = height / down * across;
            if width % 2 != 0 || !(LEAST_PATCH..=SIDE).contains(&width) {
                continue;
            }
            for y in (0..=SIDE - height).step_by(PATCH_STEP) {
                for x in (0..=SIDE - width).step_by(PATCH_STEP) {
                    patches.push(Patch {
                        x,
                        y,
                        width,
                        height,
                    });
                }
            }
        }
    }
    patches
}

/// The integrals of a window's gradients, from which the sums over any rectangle follow; the features are
/// those of SURF (Bay, Tuytelaars and Van Gool 2006) in the form of Li and Zhang 2013.
pub(super) struct GradientSums {
    /// Rows, columns and channels; the first row and column are 0.
    integral: Vec<[i32; CHANNELS]>,
}

impl GradientSums {
    /// Of nothing; room for one window.
    pub(super) fn new() -> Self {
        GradientSums {
            integral: vec![[0; CHANNELS]; (SIDE + 1) * (SIDE + 1)],
        }
    }

    /// Takes in a window, row by row.
    pub(super) fn read(&mut self, window: &[u8; SIDE * SIDE]) {
        let (rows, _) = window.as_chunks::<SIDE>();
        for (row, middle) in rows.iter().enumerate() {
            let across = slopes_across(middle);
            let down = slopes_down(rows, row);
            let (above, here) = self.integral.split_at_mut((row + 1) * (SIDE + 1));
            let above = &above[row * (SIDE + 1) + 1..];
            let here = &mut here[1..=SIDE];
            let mut line = [0; CHANNELS];
            for (column, (here, above)) in here.iter_mut().zip(above).enumerate() {
                let sums = channels(across[column], down[column]);
                for channel in 0..CHANNELS {
                    line[channel] += sums[channel];
                    here[channel] = above[channel] + line[channel];
                }
            }
        }
    }

    /// The 32 sums of a patch's quarters, of length 1; all 0 where there is no gradient.
    pub(super) fn feature(&self, patch: &Patch, feature: &mut [f32]) {
        let (width, height) = (patch.width / 2, patch.height / 2);
        let mut sums = [0; FEATURE];
        for (quarter, sums) in sums.chunks_mut(CHANNELS).enumerate() {
            let x = patch.x + quarter % 2 * width;
            let y = patch.y + quarter / 2 * height;
            self.sum(x, y, width, height, sums);
        }
        let square = |sum: &i32| f64::from(*sum) * f64::from(*sum);
        let length = sums.iter().map(square).sum::<f64>().sqrt() as f32;
        for (value, sum) in feature.iter_mut().zip(sums) {
            *value = if length > 0.0 {
                sum as f32 / length
            } else {
                0.0
            };
        }
    }

    fn sum(&self, x: usize, y: usize, width: usize, height: usize, sums: &mut [i32]) {
        let corner = |x: usize, y: usize| &self.integral[y * (SIDE + 1) + x];
        let (upper_left, upper_right) = (corner(x, y), corner(x + width, y));
        let (lower_left, lower_right) = (corner(x, y + height), corner(x + width, y + height));
        for (channel, sum) in sums.iter_mut().enumerate() {
            *sum = lower_right[channel] + upper_left[channel]
                - upper_right[channel]
                - lower_left[channel];
        }
    }
}

fn channels(across: i32, down: i32) -> [i32; CHANNELS] {
    // All bits where the other direction falls, and none where it does not.
    let (falls, leads_back) = (down >> 31, across >> 31);
    let (width, height) = (across.abs(), down.abs());
    [
        across & !falls,
        width & !falls,
        across & falls,
        width & falls,
        down & !leads_back,
        height & !leads_back,
        down & leads_back,
        height & leads_back,
    ]
}

/// The differences of the neighbours along a row; twice that to the one neighbour at the border.
fn slopes_across(row: &[u8; SIDE]) -> [i32; SIDE] {
    let value = |column: usize| i32::from(row[column]);
    let mut slopes = [0; SIDE];
    for (column, slope) in slopes.iter_mut().enumerate() {
        let (before, after) = (column.saturating_sub(1), (column + 1).min(SIDE - 1));
        *slope = value(after) - value(before);
    }
    slopes[0] *= 2;
    slopes[SIDE - 1] *= 2;
    slopes
}

/// The same along the columns, in row `row`.
fn slopes_down(rows: &[[u8; SIDE]], row: usize) -> [i32; SIDE] {
    let (above, below) = (&rows[row.saturating_sub(1)], &rows[(row + 1).min(SIDE - 1)]);
    let times = if row == 0 || row == SIDE - 1 { 2 } else { 1 };
    std::array::from_fn(|column| times * (i32::from(below[column]) - i32::from(above[column])))
}
