use image::GrayImage;
use rayon::prelude::*;

use crate::face::cascade::sampling::{Between, places};
use crate::face::cascade::surf::{FEATURE, GradientSums, Patch};
use crate::face::cascade::{WINDOW, Window};

const SIDE: usize = WINDOW as usize;

/// Values that are multiplied side by side.
const LANES: usize = 16;

/// What a network answers: how sure it is, and where to move the window.
pub(super) const ANSWERS: usize = 4;

/// A network of dense layers over features of a window.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Perceptron {
    pub(super) patches: Vec<Patch>,
    /// ReLU follows each but the last, which the logistic function follows.
    pub(super) layers: Vec<Layer>,
    /// The score above which a window stays.
    pub(super) threshold: f32,
}

/// A dense layer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layer {
    pub(super) inputs: usize,
    /// (outputs, inputs).
    pub(super) weights: Vec<f32>,
    pub(super) biases: Vec<f32>,
}

impl Layer {
    fn forward<'a>(&'a self, input: &'a [f32]) -> impl Iterator<Item = f32> + 'a {
        let rows = self.weights.chunks(self.inputs).zip(&self.biases);
        rows.map(|(weights, bias)| dot(input, weights) + bias)
    }
}

/// What one window needs.
struct Workspace {
    window: Box<[u8; SIDE * SIDE]>,
    sums: GradientSums,
}

impl Perceptron {
    /// The windows that stay, moved, in their order.
    pub(super) fn judge_all(&self, grey: &GrayImage, windows: Vec<Window>) -> Vec<Window> {
        let workspace = || Workspace {
            window: Box::new([0; SIDE * SIDE]),
            sums: GradientSums::new(),
        };
        let judged = windows.into_par_iter();
        let judged = judged.map_init(workspace, |workspace, window| {
            self.judge(grey, window, workspace)
        });
        judged.flatten_iter().collect()
    }

    fn judge(&self, grey: &GrayImage, window: Window, work: &mut Workspace) -> Option<Window> {
        if !cut(grey, &window, &mut work.window) {
            return None;
        }
        work.sums.read(&work.window);
        let [score, right, down, larger] = self.answer(&work.sums);
        // The program that the cascade was trained in goes on from the border.
        let inside = Window {
            x: window.x.max(0),
            y: window.y.max(0),
            ..window
        };
        (score > self.threshold).then(|| inside.moved([right, down, larger], score))
    }

    fn answer(&self, sums: &GradientSums) -> [f32; ANSWERS] {
        let mut values = vec![0.0; self.patches.len() * FEATURE];
        for (patch, feature) in self.patches.iter().zip(values.chunks_mut(FEATURE)) {
            sums.feature(patch, feature);
        }
        for (place, layer) in self.layers.iter().enumerate() {
            let last = place + 1 == self.layers.len();
            let activation = if last { logistic } else { relu };
            values = layer.forward(&values).map(activation).collect();
        }
        let mut answers = [0.0; ANSWERS];
        answers.copy_from_slice(&values[..ANSWERS]);
        answers
    }
}

/// Cuts a window out as 40×40 pixels, black where it leaves the picture. False for one that lies wholly
/// outside or is too small.
fn cut(grey: &GrayImage, window: &Window, cut: &mut [u8; SIDE * SIDE]) -> bool {
    let side = i64::from(window.side);
    let (x, y) = (i64::from(window.x), i64::from(window.y));
    let (width, height) = (i64::from(grey.width()), i64::from(grey.height()));
    let outside = x + side <= 0 || y + side <= 0 || x >= width || y >= height;
    if outside || side < 2 {
        return false;
    }
    let places = places(window.side, WINDOW);
    let inside = x >= 0 && y >= 0 && x + side <= width && y + side <= height;
    if inside {
        cut_inside(grey, (x as usize, y as usize), &places, cut);
        return true;
    }
    let pixel = |column: usize, row: usize| {
        let (column, row) = (x + column as i64, y + row as i64);
        if (0..width).contains(&column) && (0..height).contains(&row) {
            grey.as_raw()[(row * width + column) as usize]
        } else {
            0
        }
    };
    for (row, line) in places.iter().zip(cut.chunks_mut(SIDE)) {
        for (column, value) in places.iter().zip(line) {
            let of = |row: usize| [pixel(column.before, row), pixel(column.before + 1, row)];
            *value = column.mixed(row, of(row.before), of(row.before + 1));
        }
    }
    true
}

/// The same where nothing leaves the picture.
fn cut_inside(
    grey: &GrayImage,
    (x, y): (usize, usize),
    places: &[Between],
    cut: &mut [u8; SIDE * SIDE],
) {
    let width = grey.width() as usize;
    for (row, line) in places.iter().zip(cut.chunks_mut(SIDE)) {
        let line_of = |row: usize| &grey.as_raw()[(y + row) * width + x..(y + row + 1) * width];
        let (upper, lower) = (line_of(row.before), line_of(row.before + 1));
        for (column, value) in places.iter().zip(line) {
            let of = |line: &[u8]| [line[column.before], line[column.before + 1]];
            *value = column.mixed(row, of(upper), of(lower));
        }
    }
}

fn dot(one: &[f32], other: &[f32]) -> f32 {
    let mut sums = [0.0; LANES];
    let (one, one_rest) = one.as_chunks::<LANES>();
    let (other, other_rest) = other.as_chunks::<LANES>();
    for (one, other) in one.iter().zip(other) {
        for lane in 0..LANES {
            sums[lane] += one[lane] * other[lane];
        }
    }
    let rest: f32 = one_rest.iter().zip(other_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

fn relu(value: f32) -> f32 {
    value.max(0.0)
}

fn logistic(value: f32) -> f32 {
    1.0 / (1.0 + (-value).exp())
}
