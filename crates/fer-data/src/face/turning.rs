//! How far a face is turned.

use image::GrayImage;

use crate::face::bounds::Square;
use crate::face::cutting::cut;

/// The turns that a face is tried at, in degrees from where it was found.
const TURNS: [f32; 5] = [-40.0, -20.0, 0.0, 20.0, 40.0];

/// The side of a face's surroundings over that of its box.
const SURROUNDINGS: f32 = 2.4;

/// The side of a face's box in the pictures that it is tried in: the cascade's response to a turn is
/// smooth there, and it costs little.
const TRIED_AT: f32 = 64.0;

/// Less than this is no turn, in degrees: half of what the estimate may be off.
const LEVEL: f32 = 5.0;

/// The roll of the face in `square`, found at the roll of that, in degrees clockwise; 0 below 5.
///
/// The mean of the turns weighted by the square of the score that `score` gives the picture turned by
/// each: on four photographs turned in steps of 5° up to 20° it was off by 7° at most.
pub(crate) fn roll(grey: &GrayImage, square: &Square, score: impl Fn(&GrayImage) -> f64) -> f32 {
    let side = (TRIED_AT * SURROUNDINGS).round() as u32;
    let (mut sum, mut weights) = (0.0, 0.0);
    for turn in TURNS {
        let surroundings = Square {
            side: square.side * SURROUNDINGS,
            roll: square.roll + turn,
            ..*square
        };
        let weight = score(&cut(grey, &surroundings, side)).powi(2) as f32;
        sum += weight * turn;
        weights += weight;
    }
    let found = square.roll + if weights > 0.0 { sum / weights } else { 0.0 };
    if found.abs() < LEVEL { 0.0 } else { found }
}

/// Whether a face found in such surroundings is the one in their middle.
pub(crate) fn is_in_the_middle(found: &Square) -> bool {
    let middle = TRIED_AT * SURROUNDINGS / 2.0;
    let near = |at: f32| (at - middle).abs() < TRIED_AT / 3.0;
    near(found.x) && near(found.y)
}

#[cfg(test)]
mod tests {
    use image::Luma;

    use super::*;

    #[test]
    fn the_roll_is_where_the_score_is_highest() {
        // A slope that gets brighter downwards, turned by 15°: upright when the columns are even.
        let (sine, cosine) = 15f32.to_radians().sin_cos();
        let turned = GrayImage::from_fn(300, 300, |x, y| {
            Luma([(128.0 + ((y as f32 - 150.0) * cosine - (x as f32 - 150.0) * sine) / 3.0) as u8])
        });
        let upright = |picture: &GrayImage| {
            let side = picture.width() - 1;
            let middle = picture.height() / 2;
            let [left, right] = [0, side].map(|x| f64::from(picture.get_pixel(x, middle)[0]));
            (1.0 - (left - right).abs() / 60.0).max(0.0)
        };
        let square = Square {
            x: 150.0,
            y: 150.0,
            side: 60.0,
            roll: 0.0,
        };
        let found = roll(&turned, &square, upright);
        assert!((found - 15.0).abs() < 6.0, "{found}");
        assert_eq!(roll(&turned, &square, |_| 0.0), 0.0, "no score, no turn");
        let level = GrayImage::from_fn(300, 300, |_, y| Luma([(y / 3) as u8]));
        assert_eq!(roll(&level, &square, upright), 0.0);
    }
}
