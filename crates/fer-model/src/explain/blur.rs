//! A picture without detail.

/// Standard deviation of the blur, as a share of the picture's width.
const SPREAD: f32 = 1.0 / 12.0;

/// The picture, one channel row by row, under a Gaussian of a twelfth of its width (4 pixels of 48);
/// weights that would fall outside are left out, so that flat grey stays as it is.
pub(super) fn blurred(picture: &[f32], [height, width]: [usize; 2]) -> Vec<f32> {
    let sigma = (SPREAD * width as f32).max(1.0);
    let mut rows = vec![0.0; picture.len()];
    for (row, line) in picture.chunks_exact(width).enumerate() {
        for column in 0..width {
            rows[row * width + column] = weighed(width, column, sigma, |at| line[at]);
        }
    }
    let mut both = vec![0.0; picture.len()];
    for column in 0..width {
        for row in 0..height {
            let along = |at: usize| rows[at * width + column];
            both[row * width + column] = weighed(height, row, sigma, along);
        }
    }
    both
}

/// The mean along a line of `length` values, weighed by the distance from `middle`.
fn weighed(length: usize, middle: usize, sigma: f32, value: impl Fn(usize) -> f32) -> f32 {
    let reach = (3.0 * sigma).ceil() as usize;
    let (mut sum, mut weights) = (0.0, 0.0);
    for at in middle.saturating_sub(reach)..(middle + reach + 1).min(length) {
        let distance = at as f32 - middle as f32;
        let weight = (-0.5 * (distance / sigma).powi(2)).exp();
        sum += weight * value(at);
        weights += weight;
    }
    sum / weights
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flat_grey_stays_and_a_point_spreads_as_a_gaussian() {
        let flat = blurred(&[0.25; 48 * 30], [30, 48]);
        assert!(flat.iter().all(|value| (value - 0.25).abs() < 1e-6));
        let mut point = vec![0.0; 48 * 48];
        point[24 * 48 + 24] = 1.0;
        let spread = blurred(&point, [48, 48]);
        let ratio = spread[24 * 48 + 28] / spread[24 * 48 + 24];
        assert!((ratio - (-0.5f32).exp()).abs() < 1e-4, "{ratio}");
        assert!((spread[28 * 48 + 24] - spread[24 * 48 + 28]).abs() < 1e-7);
        assert!((spread.iter().sum::<f32>() - 1.0).abs() < 1e-3);
    }
}
