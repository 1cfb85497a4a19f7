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
        for row in 0..SIDE {
            let mut line = [0; CHANNELS];
            for column in 0..SIDE {
                let sums = channels(window, row, column);
                let above = self.integral[row * (SIDE + 1) + column + 1];
                let here = &mut self.integral[(row + 1) * (SIDE + 1) + column + 1];
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

fn channels(window: &[u8; SIDE * SIDE], row: usize, column: usize) -> [i32; CHANNELS] {
    let across = slope(column, |column| window[row * SIDE + column]);
    let down = slope(row, |row| window[row * SIDE + column]);
    let when = |holds: bool, value: i32| if holds { [value, value.abs()] } else { [0, 0] };
    let [a, b] = when(down >= 0, across);
    let [c, d] = when(down < 0, across);
    let [e, f] = when(across >= 0, down);
    let [g, h] = when(across < 0, down);
    [a, b, c, d, e, f, g, h]
}

/// The difference of the neighbours; twice that to the one neighbour at the border.
fn slope(place: usize, value: impl Fn(usize) -> u8) -> i32 {
    let difference = |from: usize, to: usize| i32::from(value(to)) - i32::from(value(from));
    match place {
        0 => 2 * difference(0, 1),
        place if place == SIDE - 1 => 2 * difference(SIDE - 2, SIDE - 1),
        place => difference(place - 1, place + 1),
    }
}
