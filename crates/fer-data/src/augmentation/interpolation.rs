//! The value of a picture between its pixels.

use crate::picture::SIDE;

/// The last row and column.
const LAST: i32 = SIDE as i32 - 1;

/// The value at column `x` and row `y` by bilinear weights; beyond the edge the picture is
/// reflected. `source` has 2,304 values.
pub(crate) fn bilinear(source: &[f32], x: f32, y: f32) -> f32 {
    let (left, top) = (floor(x), floor(y));
    let (right_share, bottom_share) = (x - left as f32, y - top as f32);
    let [left, right] = neighbours(left);
    let [top, bottom] = neighbours(top).map(|row| row * SIDE);
    let upper = source[top + left] * (1.0 - right_share) + source[top + right] * right_share;
    let lower = source[bottom + left] * (1.0 - right_share) + source[bottom + right] * right_share;
    upper * (1.0 - bottom_share) + lower * bottom_share
}

/// `f32::floor` of a coordinate, without the call that it is on processors of any age.
fn floor(coordinate: f32) -> i32 {
    let whole = coordinate as i32;
    whole - i32::from(whole as f32 > coordinate)
}

/// The two pixels along one axis that a coordinate with this floor lies between.
fn neighbours(floor: i32) -> [usize; 2] {
    if (0..LAST).contains(&floor) {
        [floor as usize, floor as usize + 1]
    } else {
        [reflect(floor), reflect(floor + 1)]
    }
}

/// Folds a coordinate back into the picture without repeating the edge pixel.
fn reflect(coordinate: i32) -> usize {
    let folded = coordinate.rem_euclid(2 * LAST);
    if folded > LAST {
        (2 * LAST - folded) as usize
    } else {
        folded as usize
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::picture::PIXELS;
    use crate::random::stream;

    /// The value of the nearest pixels as the definition says, each of them reflected.
    fn defined(source: &[f32], x: f32, y: f32) -> f32 {
        let at = |x: f32, y: f32| source[reflect(y as i32) * SIDE + reflect(x as i32)];
        let (left, top) = (x.floor(), y.floor());
        let row = |y| at(left, y) * (1.0 - (x - left)) + at(left + 1.0, y) * (x - left);
        row(top) * (1.0 - (y - top)) + row(top + 1.0) * (y - top)
    }

    #[test]
    fn every_place_inside_at_the_edge_and_beyond_has_the_defined_value() {
        let mut random = stream(1, "interpolation", 0);
        let source: Vec<f32> = (0..PIXELS).map(|_| random.random()).collect();
        for reach in [30.0f32, 48.0, 200.0, 9000.0] {
            for _ in 0..20_000 {
                let mut place = || 23.5 + reach * (2.0 * random.random::<f32>() - 1.0);
                let (x, y) = (place(), place());
                let expected = defined(&source, x, y);
                assert_eq!(
                    bilinear(&source, x, y).to_bits(),
                    expected.to_bits(),
                    "{x} {y}"
                );
            }
        }
        for x in [-1.0, -0.0, 0.0, 46.0, 47.0, 48.0] {
            assert_eq!(bilinear(&source, x, 3.0), defined(&source, x, 3.0), "{x}");
        }
    }

    #[test]
    fn the_picture_repeats_mirrored_beyond_its_edge() {
        assert_eq!([-1, -47, 48, 94, 47].map(reflect), [1, 47, 46, 0, 47]);
    }
}
