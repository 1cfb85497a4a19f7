//! What a map says of the regions of a face.

use fer_data::{PIXELS, Region, SIDE};

const REGIONS: usize = Region::ALL.len();

/// How a map lies over the regions, by their [boxes](Region::boxes) on a face that fills its picture.
/// Lists have the order of [`Region::ALL`].
///
/// Only what is above 0 counts: what speaks for the class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Profile {
    /// The mean of the map over all regions together, in the map's units.
    pub face: f64,
    /// The mean of the map over each region, divided by its mean over all regions together: 1 is as
    /// much as the face has on the whole, however large the region. All 0 for a map without anything
    /// on the face.
    pub densities: [f64; REGIONS],
    /// The mean outside all regions, divided likewise.
    pub outside: f64,
    /// (right − left) / (right + left) in each region, by the halves of the picture, −1 to 1; 0 where
    /// there is nothing.
    pub balance: [f64; REGIONS],
}

impl Profile {
    /// That of a map over a picture, 48×48 values row by row.
    ///
    /// # Panics
    /// When the map has another length.
    pub fn of(map: &[f64]) -> Profile {
        assert_eq!(map.len(), PIXELS, "the length of a map");
        let mut tallies = [Tally::default(); REGIONS];
        let mut outside = Tally::default();
        for (pixel, value) in map.iter().enumerate() {
            let (row, column) = (pixel / SIDE, pixel % SIDE);
            let tally = match region_at(row, column) {
                Some(region) => &mut tallies[region.index()],
                None => &mut outside,
            };
            tally.area += 1.0;
            tally.halves[usize::from(column >= SIDE / 2)] += value.max(0.0);
        }
        let face = tallies.iter().fold(Tally::default(), Tally::plus).mean();
        let relative = |tally: &Tally| match face > 0.0 {
            true => tally.mean() / face,
            false => 0.0,
        };
        Profile {
            face,
            densities: tallies.each_ref().map(relative),
            outside: relative(&outside),
            balance: tallies.each_ref().map(Tally::balance),
        }
    }

    /// The regions by falling density; of equals the upper first.
    pub fn ranking(&self) -> [Region; REGIONS] {
        let mut ranking = Region::ALL;
        let density = |region: Region| self.densities[region.index()];
        ranking.sort_by(|&one, &other| density(other).total_cmp(&density(one)));
        ranking
    }
}

/// The region in whose boxes a pixel lies.
fn region_at(row: usize, column: usize) -> Option<Region> {
    let is_in = |&[left, top, right, bottom]: &[usize; 4]| {
        (left..right).contains(&column) && (top..bottom).contains(&row)
    };
    let mut regions = Region::ALL.into_iter();
    regions.find(|region| region.boxes().iter().any(is_in))
}

/// What a map has in some area, left and right.
#[derive(Clone, Copy, Default)]
struct Tally {
    area: f64,
    halves: [f64; 2],
}

impl Tally {
    fn plus(self, other: &Tally) -> Tally {
        Tally {
            area: self.area + other.area,
            halves: [0, 1].map(|half| self.halves[half] + other.halves[half]),
        }
    }

    fn mean(&self) -> f64 {
        (self.halves[0] + self.halves[1]) / self.area.max(1.0)
    }

    fn balance(&self) -> f64 {
        let [left, right] = self.halves;
        match left + right > 0.0 {
            true => (right - left) / (right + left),
            false => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(value: impl Fn(usize, usize) -> f64) -> Vec<f64> {
        (0..PIXELS)
            .map(|pixel| value(pixel / SIDE, pixel % SIDE))
            .collect()
    }

    #[test]
    fn an_even_map_has_the_density_one_everywhere() {
        let profile = Profile::of(&map(|_, _| 0.5));
        for density in profile.densities {
            assert!((density - 1.0).abs() < 1e-12);
        }
        assert!((profile.outside - 1.0).abs() < 1e-12);
        assert_eq!(profile.balance, [0.0; 6]);
        assert_eq!(profile.ranking(), Region::ALL);
    }

    #[test]
    fn what_lies_in_one_region_is_its_alone() {
        for region in Region::ALL {
            let profile = Profile::of(&map(|row, column| match region_at(row, column) {
                Some(own) if own == region => 2.0,
                _ => 0.0,
            }));
            assert_eq!(profile.ranking()[0], region);
            let others = profile.densities.iter().filter(|&&density| density == 0.0);
            assert_eq!((others.count(), profile.outside), (5, 0.0));
        }
    }

    #[test]
    fn the_densities_weighed_by_area_have_the_mean_one() {
        let profile = Profile::of(&map(|row, column| (row * row + column) as f64));
        let area = |region: Region| -> f64 {
            let boxes = region.boxes().iter();
            boxes
                .map(|[left, top, right, bottom]| ((right - left) * (bottom - top)) as f64)
                .sum()
        };
        let areas = Region::ALL.map(area);
        let sum: f64 = areas
            .iter()
            .zip(profile.densities)
            .map(|(area, density)| area * density)
            .sum();
        assert!((sum / areas.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn right_is_positive_and_what_speaks_against_the_class_does_not_count() {
        let profile = Profile::of(&map(|_, column| if column < 24 { -5.0 } else { 1.0 }));
        assert_eq!(profile.balance, [1.0; 6]);
        let nothing = Profile::of(&map(|_, _| -1.0));
        assert_eq!(
            (nothing.densities, nothing.outside, nothing.balance),
            ([0.0; 6], 0.0, [0.0; 6])
        );
    }
}
