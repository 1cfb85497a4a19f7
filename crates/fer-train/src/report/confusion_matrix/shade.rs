//! The colour of a share: one hue from almost white to dark, and ink that is read on it.

/// ColorBrewer's sequential "Blues" in nine classes (Brewer & Harrower, colorbrewer2.org): equal
/// steps of share are about equal steps of lightness.
const BLUES: [[u8; 3]; 9] = [
    [0xF7, 0xFB, 0xFF],
    [0xDE, 0xEB, 0xF7],
    [0xC6, 0xDB, 0xEF],
    [0x9E, 0xCA, 0xE1],
    [0x6B, 0xAE, 0xD6],
    [0x42, 0x92, 0xC6],
    [0x21, 0x71, 0xB5],
    [0x08, 0x51, 0x9C],
    [0x08, 0x30, 0x6B],
];

/// A colour as red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shade([u8; 3]);

impl Shade {
    /// Where there is no share.
    pub(super) const EMPTY: Self = Self([0xEE, 0xEE, 0xEE]);

    /// The colour of a share from 0 to 1.
    pub(super) fn of(share: f64) -> Self {
        let place = share.clamp(0.0, 1.0) * (BLUES.len() - 1) as f64;
        let below = (place as usize).min(BLUES.len() - 2);
        let part = place - below as f64;
        Self(std::array::from_fn(|channel| {
            let (from, to) = (BLUES[below][channel], BLUES[below + 1][channel]);
            (f64::from(from) + part * (f64::from(to) - f64::from(from))).round() as u8
        }))
    }

    /// The colour as SVG writes it.
    pub(super) fn fill(self) -> String {
        let [red, green, blue] = self.0;
        format!("#{red:02X}{green:02X}{blue:02X}")
    }

    /// The ink that is read on this colour: white as soon as its contrast is 3.6 to 1.
    pub(super) fn ink(self) -> &'static str {
        if self.luminance() > 0.24 {
            "#222222"
        } else {
            "#FFFFFF"
        }
    }

    /// Relative luminance from 0 to 1 (WCAG 2.2).
    fn luminance(self) -> f64 {
        let linear = self.0.map(|channel| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn larger_shares_are_darker_and_always_readable() {
        let shades: Vec<Shade> = (0..=100)
            .map(|share| Shade::of(f64::from(share) / 100.0))
            .collect();
        for pair in shades.windows(2) {
            assert!(pair[0].luminance() > pair[1].luminance(), "{pair:?}");
        }
        for shade in shades {
            let ink: f64 = if shade.ink() == "#FFFFFF" { 1.0 } else { 0.016 };
            let (light, dark) = (ink.max(shade.luminance()), ink.min(shade.luminance()));
            assert!((light + 0.05) / (dark + 0.05) > 3.5, "{shade:?}");
        }
    }

    #[test]
    fn the_ends_are_the_ends_of_the_scale() {
        assert_eq!(Shade::of(0.0).fill(), "#F7FBFF");
        assert_eq!(Shade::of(1.0).fill(), "#08306B");
        assert_eq!(Shade::of(0.5).fill(), "#6BAED6");
    }
}
