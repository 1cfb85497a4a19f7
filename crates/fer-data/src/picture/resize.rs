use std::fmt;
use std::str::FromStr;

use image::GrayImage;
use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::picture::{PIXELS, Picture, SIDE};

/// How a picture of another size becomes 48×48. Sides are scaled independently; a picture that is
/// 48×48 already keeps its values.
///
/// A network sees best what it was trained on, so a model file names the way of its training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resize {
    /// A triangle filter that is stretched by the scale and cut at the edges, so that every pixel of
    /// a large picture counts. What Pillow calls `BILINEAR`, but rounded once. The default.
    #[default]
    #[serde(alias = "antialiased-triangle")]
    Antialiased,
    /// To the bit what `cv2.resize` does with `INTER_LINEAR` and 8-bit values: four neighbours,
    /// however large the picture is. For models whose training pictures went through OpenCV.
    OpencvLinear,
}

impl Resize {
    /// Both ways, the default first.
    pub const ALL: [Resize; 2] = [Resize::Antialiased, Resize::OpencvLinear];

    /// The name in files and on the command line: `antialiased` or `opencv-linear`.
    pub fn name(self) -> &'static str {
        match self {
            Resize::Antialiased => "antialiased",
            Resize::OpencvLinear => "opencv-linear",
        }
    }

    /// The picture of a grey image, which has at least one pixel.
    pub(crate) fn apply(self, grey: &GrayImage) -> Picture {
        let side = SIDE as u32;
        let mut pixels = [0; PIXELS];
        match self {
            _ if grey.dimensions() == (side, side) => pixels.copy_from_slice(grey.as_raw()),
            Resize::Antialiased => antialiased(grey, &mut pixels),
            Resize::OpencvLinear if grey.dimensions() == (2 * side, 2 * side) => {
                average_of_four(grey, &mut pixels);
            }
            Resize::OpencvLinear => opencv_linear(grey, &mut pixels),
        }
        Picture::from_array(&pixels)
    }
}

impl fmt::Display for Resize {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Resize {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, DataError> {
        let found = Resize::ALL.into_iter().find(|way| way.name() == text);
        found.ok_or_else(|| DataError::Setting {
            name: "resize",
            value: text.to_string(),
            expected: "antialiased or opencv-linear",
        })
    }
}

/// The values of the source that one value of the result is the weighted mean of.
struct Window {
    start: usize,
    weights: Vec<f32>,
}

/// The windows of the 48 results along one axis of `length` values. A triangle reaches one step of
/// the result to either side, and at least one of the source; its weights sum to 1 at the edges too.
fn windows(length: usize) -> Vec<Window> {
    let scale = length as f64 / SIDE as f64;
    let reach = scale.max(1.0);
    let window = |target: usize| {
        let centre = (target as f64 + 0.5) * scale;
        let start = (centre - reach).floor().max(0.0) as usize;
        let end = ((centre + reach).ceil() as usize).min(length);
        let weight = |at: usize| (1.0 - (at as f64 + 0.5 - centre).abs() / reach).max(0.0);
        let sum: f64 = (start..end).map(weight).sum();
        let weights = (start..end).map(|at| (weight(at) / sum) as f32).collect();
        Window { start, weights }
    };
    (0..SIDE).map(window).collect()
}

fn antialiased(grey: &GrayImage, pixels: &mut [u8; PIXELS]) {
    let (width, height) = (grey.width() as usize, grey.height() as usize);
    let columns = windows(width);
    let mut line = vec![0f32; width];
    for (target, row) in pixels.chunks_exact_mut(SIDE).zip(windows(height)) {
        line.fill(0.0);
        let sources = grey.as_raw()[row.start * width..].chunks_exact(width);
        for (source, weight) in sources.zip(row.weights) {
            for (sum, &value) in line.iter_mut().zip(source) {
                *sum += weight * f32::from(value);
            }
        }
        for (value, column) in target.iter_mut().zip(&columns) {
            let part = line[column.start..].iter().zip(&column.weights);
            let sum: f32 = part.map(|(value, weight)| value * weight).sum();
            *value = sum.round() as u8;
        }
    }
}

/// Bits of a coefficient (`INTER_RESIZE_COEF_BITS`).
const COEFFICIENT_BITS: u32 = 11;

/// Where one value of the result lies between two of the source: positions, and weights that sum to
/// about 2¹¹.
struct Between {
    positions: [usize; 2],
    weights: [i32; 2],
}

/// The places of the 48 results along one axis of `length` values, in the mixture of double and
/// single precision that OpenCV computes in (`modules/imgproc/src/resize.cpp`).
///
/// Outside the source OpenCV moves the place of a column onto the edge (`clamp`), but keeps a row's
/// weights and repeats the edge's row; the two round differently.
fn places(length: usize, clamp: bool) -> Vec<Between> {
    let scale = 1.0 / (SIDE as f64 / length as f64);
    let last = length - 1;
    let place = |target: usize| {
        let exact = ((target as f64 + 0.5) * scale - 0.5) as f32;
        let floor = exact.floor();
        let mut fraction = exact - floor;
        let start = floor as i64;
        if clamp && (start < 0 || start >= last as i64) {
            fraction = 0.0;
        }
        let position = |offset: i64| (start + offset).clamp(0, last as i64) as usize;
        let weight = |share: f32| (share * (1 << COEFFICIENT_BITS) as f32).round_ties_even() as i32;
        Between {
            positions: [position(0), position(1)],
            weights: [weight(1.0 - fraction), weight(fraction)],
        }
    };
    (0..SIDE).map(place).collect()
}

fn opencv_linear(grey: &GrayImage, pixels: &mut [u8; PIXELS]) {
    let (width, height) = (grey.width() as usize, grey.height() as usize);
    let columns = places(width, true);
    let between_columns = |row: usize, column: &Between| -> i32 {
        let row = &grey.as_raw()[row * width..][..width];
        let [left, right] = column.positions.map(|position| i32::from(row[position]));
        left * column.weights[0] + right * column.weights[1]
    };
    for (target, row) in pixels.chunks_exact_mut(SIDE).zip(places(height, false)) {
        for (value, column) in target.iter_mut().zip(&columns) {
            let part = |side: usize| {
                (row.weights[side] * (between_columns(row.positions[side], column) >> 4)) >> 16
            };
            *value = ((part(0) + part(1) + 2) >> 2).clamp(0, 255) as u8;
        }
    }
}

/// What OpenCV does in place of `INTER_LINEAR` when both sides are halved: the rounded mean of four.
fn average_of_four(grey: &GrayImage, pixels: &mut [u8; PIXELS]) {
    let value = |x: usize, y: usize| u32::from(grey.as_raw()[y * 2 * SIDE + x]);
    for (place, target) in pixels.iter_mut().enumerate() {
        let (x, y) = (place % SIDE * 2, place / SIDE * 2);
        let sum = value(x, y) + value(x + 1, y) + value(x, y + 1) + value(x + 1, y + 1);
        *target = ((sum + 2) >> 2) as u8;
    }
}
