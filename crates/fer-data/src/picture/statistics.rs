use crate::picture::{PIXELS, Picture};

/// A deviation below this is no more than what rounding and JPEG leave of one flat grey.
const FLAT: f64 = 0.5;
/// A grey value below this is black to the eye.
const BLACK: u8 = 16;

/// Statistics over the 2,304 values.
impl Picture {
    /// The mean grey value, 0 to 255.
    pub fn mean(&self) -> f64 {
        let sum: u64 = self.pixels().iter().map(|&value| u64::from(value)).sum();
        sum as f64 / PIXELS as f64
    }

    /// The standard deviation of the grey values over all of them (not over one less), 0 to 127.5.
    pub fn deviation(&self) -> f64 {
        let squares: u64 = self.pixels().iter().map(|&v| u64::from(v).pow(2)).sum();
        let mean = self.mean();
        (squares as f64 / PIXELS as f64 - mean * mean)
            .max(0.0)
            .sqrt()
    }

    /// Whether the picture is one flat grey: a deviation below half a grey value.
    pub fn is_flat(&self) -> bool {
        self.deviation() < FLAT
    }

    /// Whether at least 99 of 100 values are below 16.
    pub fn is_nearly_black(&self) -> bool {
        let dark = self.pixels().iter().filter(|&&value| value < BLACK).count();
        dark * 100 >= PIXELS * 99
    }

    /// Pearson's correlation of the values of two pictures, −1 to 1: 1 for pictures that differ in
    /// brightness and contrast alone. `None` if either is flat, for then there is nothing to compare.
    pub fn correlation(&self, other: &Picture) -> Option<f64> {
        if self.is_flat() || other.is_flat() {
            return None;
        }
        let products: u64 = self
            .pixels()
            .iter()
            .zip(other.pixels())
            .map(|(&one, &two)| u64::from(one) * u64::from(two))
            .sum();
        let covariance = products as f64 / PIXELS as f64 - self.mean() * other.mean();
        Some((covariance / (self.deviation() * other.deviation())).clamp(-1.0, 1.0))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn picture(value: impl Fn(usize, usize) -> u8) -> Picture {
        let pixels: Vec<u8> = (0..PIXELS).map(|at| value(at % 48, at / 48)).collect();
        Picture::from_pixels(&pixels, "drawn").unwrap()
    }

    #[test]
    fn mean_and_deviation_of_two_halves_are_theirs() {
        let halves = picture(|x, _| if x < 24 { 50 } else { 150 });
        assert_eq!((halves.mean(), halves.deviation()), (100.0, 50.0));
    }

    #[test]
    fn flat_and_nearly_black_are_two_things() {
        let grey = picture(|_, _| 128);
        assert!(grey.is_flat() && !grey.is_nearly_black());
        let night = picture(|x, _| (x % 8) as u8);
        assert!(!night.is_flat() && night.is_nearly_black());
        let one_step = picture(|x, y| if (x, y) == (3, 3) { 129 } else { 128 });
        assert!(one_step.is_flat(), "a single step of one");
        let lamp = picture(|x, y| if x < 6 && y < 6 { 200 } else { 0 });
        assert!(
            !lamp.is_nearly_black(),
            "36 bright pixels are more than 1 %"
        );
    }

    #[test]
    fn correlation_ignores_brightness_and_contrast_and_sees_the_mirror_image() {
        let slope = picture(|x, y| (x * 3 + y) as u8);
        let dim = picture(|x, y| ((x * 3 + y) / 2 + 20) as u8);
        let mirrored = picture(|x, y| ((47 - x) * 3 + y) as u8);
        assert!(slope.correlation(&dim).unwrap() > 0.999);
        assert!(slope.correlation(&mirrored).unwrap() < 0.0);
        assert_eq!(slope.correlation(&picture(|_, _| 9)), None);
    }
}
