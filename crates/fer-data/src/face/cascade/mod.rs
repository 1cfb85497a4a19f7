//! SeetaFace's funnel-structured cascade (Wu, Kan, He, Shan and Chen 2017): windows slide over the picture
//! in many sizes; boosted classifiers leave few of them, and networks judge and move what is left.
//!
//! It answers as SeetaFace's own program and the crate `rustface` do, from whose code the constants
//! and the order of the steps are; where those read outside of the picture, this sees black.

mod boosted;
mod pattern;
mod perceptron;
mod pyramid;
mod reading;
mod sampling;
mod suppression;
mod surf;
mod window;

use image::GrayImage;
use rayon::prelude::*;

use boosted::Boosted;
use pattern::PatternMap;
use perceptron::Perceptron;
use suppression::non_maximum_suppression;
pub(super) use window::Window;

/// The side of the cascade's window in pixels, and so the least face that it sees.
pub(super) const WINDOW: u32 = 40;

/// Pixels that the window moves by.
const STEP: usize = 4;

/// Windows with more overlap than these are one, between the stages and in the end.
const SAME: f32 = 0.8;
const SAME_IN_THE_END: f32 = 0.3;

/// The classifiers, from the quickest to the surest.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cascade {
    boosted: Vec<Boosted>,
    /// Stages, one list each time that the candidates come together.
    perceptrons: Vec<Vec<Perceptron>>,
}

impl Cascade {
    /// The faces in `grey` with a score of at least `least_score`, by falling score. None in a picture
    /// of fewer than 40 rows or columns.
    pub(super) fn detect(&self, grey: &GrayImage, least_score: f64) -> Vec<Window> {
        if grey.width().min(grey.height()) < WINDOW {
            return Vec::new();
        }
        let mut windows: Vec<Window> = self.candidates(grey);
        let last = self.perceptrons.len().saturating_sub(1);
        for (level, stages) in self.perceptrons.iter().enumerate() {
            for (stage, perceptron) in stages.iter().enumerate() {
                windows = perceptron.judge_all(grey, windows);
                if stage + 1 < stages.len() {
                    windows = non_maximum_suppression(windows, SAME);
                } else if level == last {
                    windows = non_maximum_suppression(windows, SAME_IN_THE_END);
                }
            }
        }
        windows.retain(|window| window.score >= least_score);
        windows
    }

    /// What the boosted classifiers take for faces, one after the other.
    fn candidates(&self, grey: &GrayImage) -> Vec<Window> {
        let scales = pyramid::scales(grey.dimensions());
        let by_scale: Vec<Vec<Vec<Window>>> = scales
            .into_par_iter()
            .map(|scale| self.candidates_at(grey, scale))
            .collect();
        let of_classifier = |classifier: usize| {
            let all = by_scale.iter().flat_map(move |found| &found[classifier]);
            non_maximum_suppression(all.copied().collect(), SAME)
        };
        (0..self.boosted.len()).flat_map(of_classifier).collect()
    }

    /// The same at one scale, a list for each classifier, row by row.
    fn candidates_at(&self, grey: &GrayImage, scale: f32) -> Vec<Vec<Window>> {
        let scaled = pyramid::scaled(grey, scale);
        let mut found = vec![Vec::new(); self.boosted.len()];
        let (width, height) = (scaled.width() as usize, scaled.height() as usize);
        let side = WINDOW as usize;
        if width < side || height < side {
            return found;
        }
        let patterns = PatternMap::of(&scaled);
        let rows: Vec<usize> = (0..=height - side).step_by(STEP).collect();
        let by_row: Vec<Vec<(usize, Window)>> = rows
            .into_par_iter()
            .map(|y| self.candidates_of_row(&scaled, &patterns, y, scale))
            .collect();
        for (classifier, window) in by_row.into_iter().flatten() {
            found[classifier].push(window);
        }
        found
    }

    fn candidates_of_row(
        &self,
        scaled: &GrayImage,
        patterns: &PatternMap,
        y: usize,
        scale: f32,
    ) -> Vec<(usize, Window)> {
        let mut found = Vec::new();
        let last = scaled.width() as usize - WINDOW as usize;
        for x in (0..=last).step_by(STEP) {
            for (place, classifier) in self.boosted.iter().enumerate() {
                if let Some(score) = classifier.score(patterns, x, y)
                    && boosted::has_contrast(scaled, x, y)
                {
                    found.push((place, Window::scanned(x, y, scale, score)));
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests;
