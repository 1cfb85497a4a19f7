//! A rectangle of noise in a picture.

use rand::{Rng, RngExt};

use crate::picture::{PIXELS, SIDE};

/// Fills a rectangle of 2 % to 25 % of the area, of a ratio of sides from 0.3 to 3.3, anywhere in
/// the picture, with noise from 0 to 1.
pub(crate) fn erase(values: &mut [f32], random: &mut impl Rng) {
    let area = PIXELS as f32 * random.random_range(0.02..=0.25f32);
    let aspect = random.random_range(0.3f32.ln()..=3.3f32.ln()).exp();
    let side = |length: f32| (length.round() as usize).clamp(1, SIDE);
    let (height, width) = (side((area * aspect).sqrt()), side((area / aspect).sqrt()));
    let top = random.random_range(0..=SIDE - height);
    let left = random.random_range(0..=SIDE - width);
    for row in values.chunks_exact_mut(SIDE).skip(top).take(height) {
        row[left..left + width].fill_with(|| random.random());
    }
}
