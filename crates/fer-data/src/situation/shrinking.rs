//! A picture of fewer pixels.

use crate::picture::SIDE;

/// The picture of `pixels`, 48×48, at `side` × `side`, 1 to 48: each new pixel is the mean of the
/// area that it covers, so that fine patterns fade instead of becoming coarse ones.
pub(super) fn shrink(pixels: &[f32], side: usize) -> Vec<f32> {
    let shares = shares(side);
    let mut shrunk = vec![0.0; side * side];
    for (rows, line) in shares.iter().zip(shrunk.chunks_exact_mut(side)) {
        let mut band = [0.0f32; SIDE];
        for &(row, share) in rows {
            for (sum, value) in band.iter_mut().zip(&pixels[row * SIDE..][..SIDE]) {
                *sum += share * value;
            }
        }
        for (value, columns) in line.iter_mut().zip(&shares) {
            *value = columns
                .iter()
                .map(|&(column, share)| share * band[column])
                .sum();
        }
    }
    shrunk
}

/// Which of the 48 pixels of an axis lie in each of the `side` new ones, with their shares of it.
fn shares(side: usize) -> Vec<Vec<(usize, f32)>> {
    // In units of which an old pixel has `side` and a new one 48, all borders are whole numbers.
    let share = |new: usize, old: usize| {
        let end = ((new + 1) * SIDE).min((old + 1) * side);
        let start = (new * SIDE).max(old * side);
        (old, end.saturating_sub(start) as f32 / SIDE as f32)
    };
    (0..side)
        .map(|new| {
            let all = (0..SIDE).map(|old| share(new, old));
            all.filter(|&(_, share)| share > 0.0).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::PIXELS;

    fn picture(value: impl Fn(usize, usize) -> f32) -> Vec<f32> {
        (0..PIXELS)
            .map(|place| value(place / SIDE, place % SIDE))
            .collect()
    }

    #[test]
    fn a_new_pixel_is_the_mean_of_the_area_that_it_covers() {
        let source = picture(|row, column| (row * SIDE + column) as f32);
        let half = shrink(&source, 24);
        assert_eq!(half.len(), 24 * 24);
        // Rows 6 and 7, columns 20 and 21.
        assert_eq!(half[3 * 24 + 10], 6.5 * 48.0 + 20.5);
        assert_eq!(shrink(&source, 48), source);
        let mean = source.iter().sum::<f32>() / PIXELS as f32;
        assert!((shrink(&source, 1)[0] - mean).abs() < 0.01);
        // Two thirds of the side: one and a half old pixels make a new one.
        let step = picture(|_, column| f32::from(column == 1));
        let third = 1.0 / 3.0;
        for line in shrink(&step, 32).chunks_exact(32) {
            assert!((line[0] - third).abs() < 1e-6 && (line[1] - third).abs() < 1e-6);
            assert!(line[2..].iter().all(|&value| value == 0.0));
        }
    }

    #[test]
    fn brightness_stays_and_a_fine_pattern_fades_at_every_side() {
        let plain = picture(|_, _| 0.7);
        let stripes = picture(|row, _| (row % 2) as f32);
        for side in 8..48 {
            for value in shrink(&plain, side) {
                assert!((value - 0.7).abs() < 1e-6, "{side}: {value}");
            }
            let mean = shrink(&stripes, side).iter().sum::<f32>() / (side * side) as f32;
            assert!((mean - 0.5).abs() < 1e-5, "{side}: {mean}");
        }
        let contrast = |side| {
            let values = shrink(&stripes, side);
            values.iter().map(|value| (value - 0.5).abs()).sum::<f32>() / values.len() as f32
        };
        assert!(
            contrast(24) < 1e-6 && contrast(32) < 0.26,
            "{}",
            contrast(32)
        );
    }

    #[test]
    fn a_corner_stays_where_it_is() {
        let corner = picture(|row, column| f32::from(row < 6 && column >= 42));
        let small = shrink(&corner, 8);
        let bright: Vec<usize> = (0..64).filter(|&place| small[place] != 0.0).collect();
        assert_eq!(bright, [7]);
    }
}
