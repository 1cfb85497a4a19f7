use candle_core::{Result, Tensor};

/// How the picture is changed for a view: its size about its centre, and then turned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Warp {
    /// How large it becomes: 1 leaves it as it is.
    scale: f64,
    /// By how many degrees it is turned, with the clock where positive.
    degrees: f64,
}

/// The views of [`Ten`](super::Views::Ten), without their mirror images: as it is, larger, smaller, and turned
/// both ways.
pub(crate) const WARPS: [Warp; 5] = [
    Warp::new(1.0, 0.0),
    Warp::new(1.08, 0.0),
    Warp::new(1.0 / 1.08, 0.0),
    Warp::new(1.0, 5.0),
    Warp::new(1.0, -5.0),
];

/// How many pixels of a picture make one of its view.
pub(crate) const TAPS: usize = 4;

/// Where the pixels of a view come from, by bilinear interpolation. What lies outside the picture is its
/// reflection at the middle of its outermost pixels.
pub(crate) struct Sampling {
    /// For the first of the four pixels that make a pixel, row by row, the place in the picture; then for the
    /// second, the third and the fourth.
    pub(crate) places: Vec<u32>,
    /// How much each of them counts, in the same order. The four of a pixel add up to 1.
    pub(crate) weights: Vec<f32>,
}

impl Warp {
    const fn new(scale: f64, degrees: f64) -> Self {
        Warp { scale, degrees }
    }

    /// Whether it leaves the picture as it is.
    pub(crate) fn is_identity(self) -> bool {
        self == Warp::new(1.0, 0.0)
    }

    /// The sampling of pictures of so many rows and columns.
    pub(crate) fn sampling(self, rows: usize, columns: usize) -> Sampling {
        let size = rows * columns;
        let mut sampling = Sampling {
            places: vec![0; TAPS * size],
            weights: vec![0.0; TAPS * size],
        };
        let centre = |side: usize| (side as f64 - 1.0) / 2.0;
        let (sine, cosine) = self.degrees.to_radians().sin_cos();
        for pixel in 0..size {
            let right = (pixel % columns) as f64 - centre(columns);
            let down = (pixel / columns) as f64 - centre(rows);
            let column = centre(columns) + (cosine * right + sine * down) / self.scale;
            let row = centre(rows) + (cosine * down - sine * right) / self.scale;
            let (across, along) = (row - row.floor(), column - column.floor());
            for tap in 0..TAPS {
                let (lower, righter) = (tap / 2, tap % 2);
                let weight = |part: f64, other: usize| if other == 1 { part } else { 1.0 - part };
                let row = reflected(row.floor() as i64 + lower as i64, rows);
                let column = reflected(column.floor() as i64 + righter as i64, columns);
                let at = tap * size + pixel;
                sampling.places[at] = (row * columns + column) as u32;
                sampling.weights[at] = (weight(across, lower) * weight(along, righter)) as f32;
            }
        }
        sampling
    }
}

/// The place inside `side` that is `place` reflected at the middle of the first pixel and of the last.
fn reflected(place: i64, side: usize) -> usize {
    let last = side as i64 - 1;
    if last == 0 {
        return 0;
    }
    let folded = place.rem_euclid(2 * last);
    folded.min(2 * last - folded) as usize
}

/// A [`Sampling`] on a device.
pub(super) struct Sampler {
    places: Tensor,
    weights: Tensor,
}

impl Sampler {
    /// For pictures like `pictures`, (…, rows, columns); none where they stay as they are.
    pub(super) fn of(warp: Warp, pictures: &Tensor) -> Result<Option<Self>> {
        if warp.is_identity() {
            return Ok(None);
        }
        let (rows, columns) = sides(pictures)?;
        let Sampling { places, weights } = warp.sampling(rows, columns);
        let (device, taps) = (pictures.device(), places.len());
        Ok(Some(Sampler {
            places: Tensor::from_vec(places, taps, device)?,
            weights: Tensor::from_vec(weights, (1, taps), device)?,
        }))
    }

    /// The view of each picture.
    pub(super) fn view(&self, pictures: &Tensor) -> Result<Tensor> {
        let (rows, columns) = sides(pictures)?;
        let flat = pictures.reshape(((), rows * columns))?;
        let taken = flat.index_select(&self.places, 1)?;
        let weighted = taken.broadcast_mul(&self.weights)?;
        let view = weighted.reshape(((), TAPS, rows * columns))?.sum(1)?;
        view.reshape(pictures.shape())
    }
}

fn sides(pictures: &Tensor) -> Result<(usize, usize)> {
    let (.., rows, columns) = pictures.dims4()?;
    Ok((rows, columns))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use candle_core::Device;

    use super::*;

    fn viewed(warp: Warp, values: Vec<f32>, rows: usize, columns: usize) -> Vec<f32> {
        let pictures = Tensor::from_vec(values, (1, 1, rows, columns), &Device::Cpu).unwrap();
        let view = match Sampler::of(warp, &pictures).unwrap() {
            Some(sampler) => sampler.view(&pictures).unwrap(),
            None => pictures,
        };
        view.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn a_quarter_turn_is_a_permutation_and_twice_the_size_interpolates() {
        let values: Vec<f32> = (0..9u8).map(f32::from).collect();
        let turned = viewed(Warp::new(1.0, 90.0), values.clone(), 3, 3);
        let expected = [6.0, 3.0, 0.0, 7.0, 4.0, 1.0, 8.0, 5.0, 2.0];
        for (found, expected) in turned.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-5, "{turned:?}");
        }

        let larger = viewed(Warp::new(2.0, 0.0), values, 3, 3);
        let expected = [2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0];
        assert_eq!(larger, expected);
    }

    #[test]
    fn a_grey_picture_stays_one_and_half_the_size_shows_reflections() {
        for warp in WARPS {
            let view = viewed(warp, vec![0.5; 48 * 48], 48, 48);
            assert!(
                view.iter().all(|value| (value - 0.5).abs() < 1e-6),
                "{warp:?}"
            );
        }
        let smaller = viewed(Warp::new(0.5, 0.0), vec![0.0, 1.0, 2.0], 1, 3);
        assert_eq!(smaller, [1.0, 1.0, 1.0], "places -1, 1 and 3");
        assert_eq!(
            [-1, -3, 3, 4, 5].map(|place| reflected(place, 3)),
            [1, 1, 1, 0, 1]
        );
        assert_eq!(reflected(-7, 1), 0);
    }
}
