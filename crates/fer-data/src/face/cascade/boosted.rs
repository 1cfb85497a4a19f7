use image::GrayImage;

use crate::face::cascade::WINDOW;
use crate::face::cascade::pattern::PatternMap;

/// Patterns that are added up between two looks at the threshold.
pub(super) const GROUP: usize = 10;

/// Values of a pattern.
pub(super) const PATTERNS: usize = 256;

/// Windows of which the grey values vary less than this (standard deviation) are no faces.
const LEAST_CONTRAST: f64 = 10.0;

/// Weak classifiers that add up, each over the pattern at one place of the window.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Boosted {
    /// Column and row in the window, at most 31.
    pub(super) places: Vec<(u8, u8)>,
    /// 256 for each place.
    pub(super) weights: Vec<f32>,
    /// What the sum must have come to after each group of places.
    pub(super) thresholds: Vec<f32>,
}

impl Boosted {
    /// The score of the window at `(x, y)`, if it may be a face.
    pub(super) fn score(&self, patterns: &PatternMap, x: usize, y: usize) -> Option<f32> {
        let mut score = 0.0;
        let groups = self.places.chunks(GROUP);
        let weights = self.weights.chunks(GROUP * PATTERNS);
        for ((places, weights), threshold) in groups.zip(weights).zip(&self.thresholds) {
            for (&(right, down), weights) in places.iter().zip(weights.chunks(PATTERNS)) {
                let pattern = patterns.at(x + usize::from(right), y + usize::from(down));
                score += weights[usize::from(pattern)];
            }
            if score < *threshold {
                return None;
            }
        }
        Some(score)
    }
}

/// Whether the grey values of the window at `(x, y)` vary.
pub(super) fn has_contrast(grey: &GrayImage, x: usize, y: usize) -> bool {
    let (width, side) = (grey.width() as usize, WINDOW as usize);
    let (mut sum, mut squares) = (0u32, 0u32);
    for line in grey.as_raw().chunks(width).skip(y).take(side) {
        for &pixel in &line[x..x + side] {
            sum += u32::from(pixel);
            squares += u32::from(pixel) * u32::from(pixel);
        }
    }
    let area = (side * side) as f64;
    let mean = f64::from(sum) / area;
    (f64::from(squares) / area - mean * mean).sqrt() > LEAST_CONTRAST
}
