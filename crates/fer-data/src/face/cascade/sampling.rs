/// A place between two neighbouring pixels of a row or a column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Between {
    /// The pixel before it; there is one after it.
    pub(super) before: usize,
    /// How far it is from that pixel; above 1 at the end of a row that is made longer.
    beyond: f64,
}

/// Where the pixels of a row of `to` pixels lie in one of `from`, which are at least two.
pub(super) fn places(from: u32, to: u32) -> Vec<Between> {
    let scale = f64::from(from) / f64::from(to);
    let place = |pixel: u32| {
        let place = scale * f64::from(pixel);
        let before = (place as u32).min(from - 2);
        Between {
            before: before as usize,
            beyond: place - f64::from(before),
        }
    };
    (0..to).map(place).collect()
}

impl Between {
    /// The value between four pixels, of which this says the columns and `row` the rows; cut off and not
    /// rounded, as the cascade was trained with.
    pub(super) fn mixed(&self, row: &Between, upper: [u8; 2], lower: [u8; 2]) -> u8 {
        let across = |pair: [u8; 2]| {
            (1.0 - self.beyond) * f64::from(pair[0]) + self.beyond * f64::from(pair[1])
        };
        ((1.0 - row.beyond) * across(upper) + row.beyond * across(lower)) as u8
    }
}
