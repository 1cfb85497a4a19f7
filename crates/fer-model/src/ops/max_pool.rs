use candle_core::{Result, Tensor, bail};

use crate::ops::way_back;

/// Max-pooling over 2×2 windows of stride 2, out of operations that every device has: (pictures,
/// channels, height, width) → (pictures, channels, ⌊height/2⌋, ⌊width/2⌋). An odd last row or column
/// is left out.
///
/// Of equal values in a window the first in reading order gets the gradient, as in PyTorch; on a GPU it
/// may be another of them, as candle's search there goes in pairs. A window that holds a NaN gives NaN,
/// or infinity where that comes before it. candle's own `max_pool2d` has a wrong gradient (four times
/// too small, misplaced on odd sizes), hence this one.
///
/// # Errors
/// A tensor that is not four-dimensional or less than 2×2.
pub fn max_pool(pictures: &Tensor) -> Result<Tensor> {
    let (pooled, winners) = Winners::of(&pictures.detach())?;
    way_back::of_one(pictures, pooled, move |gradient| {
        Ok([Some(winners.back(gradient)?)])
    })
}

/// The largest value of each 2×2 window, by its place in it: 0 to 3.
pub(crate) struct Winners {
    /// u32 of shape (windows, 1).
    places: Tensor,
    /// Of what was pooled.
    dims: (usize, usize, usize, usize),
}

impl Winners {
    /// Of maps (pictures, channels, height, width) without a graph; with what is left of them.
    pub(crate) fn of(maps: &Tensor) -> Result<(Tensor, Self)> {
        let dims @ (count, channels, height, width) = maps.dims4()?;
        let (high, wide) = (height / 2, width / 2);
        if high == 0 || wide == 0 {
            bail!("max-pooling takes maps of at least 2×2, got {height}×{width}");
        }
        let even = maps.narrow(2, 0, 2 * high)?.narrow(3, 0, 2 * wide)?;
        let windows = even
            .reshape((count * channels, high, 2, wide, 2))?
            .permute((0, 1, 3, 2, 4))?
            .contiguous()?
            .reshape(((), 4))?;
        // Nothing is larger than infinity, and a NaN is not larger than anything.
        let infinity = (windows.zeros_like()? + f64::INFINITY)?;
        let ranked = windows.ne(&windows)?.where_cond(&infinity, &windows)?;
        let places = ranked.argmax_keepdim(1)?;
        let largest = windows.gather(&places, 1)?;
        let largest = largest.reshape((count, channels, high, wide))?;
        Ok((largest, Winners { places, dims }))
    }

    /// The gradient of the maps, given that of what is left of them.
    pub(crate) fn back(&self, gradient: &Tensor) -> Result<Tensor> {
        let (count, channels, height, width) = self.dims;
        let (high, wide) = (height / 2, width / 2);
        let gradient = gradient.contiguous()?.reshape(((), 1))?;
        let shape = (gradient.elem_count(), 4);
        let windows = Tensor::zeros(shape, gradient.dtype(), gradient.device())?;
        windows.scatter_add_set(&self.places, &gradient, 1)?;
        windows
            .reshape((count * channels, high, wide, 2, 2))?
            .permute((0, 1, 3, 2, 4))?
            .contiguous()?
            .reshape((count, channels, 2 * high, 2 * wide))?
            .pad_with_zeros(2, 0, height % 2)?
            .pad_with_zeros(3, 0, width % 2)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use candle_core::{Device, Var};

    use super::*;

    fn gradient_of(values: &[f32], shape: (usize, usize, usize, usize)) -> (Vec<f32>, Vec<f32>) {
        let var = Var::from_slice(values, shape, &Device::Cpu).unwrap();
        let pooled = max_pool(&var).unwrap();
        let weights = Tensor::arange(1.0, 1.0 + pooled.elem_count() as f32, &Device::Cpu).unwrap();
        let loss = (pooled.flatten_all().unwrap() * weights)
            .unwrap()
            .sum_all()
            .unwrap();
        let gradients = loss.backward().unwrap();
        let gradient = gradients.get(&var).unwrap().flatten_all().unwrap();
        (
            pooled.flatten_all().unwrap().to_vec1().unwrap(),
            gradient.to_vec1().unwrap(),
        )
    }

    #[test]
    fn odd_edges_are_left_out_and_the_gradient_goes_to_the_winner_alone() {
        let values = [1., 5., 0., 2., 9., 3., 4., 7., 7., 9., 9., 9., 9., 9., 9.];
        let (pooled, gradient) = gradient_of(&values, (1, 1, 3, 5));
        assert_eq!(pooled, [5., 7.]);
        let mut expected = [0.0; 15];
        (expected[1], expected[7]) = (1.0, 2.0);
        assert_eq!(gradient, expected);
    }

    #[test]
    fn of_equal_values_the_first_gets_all() {
        let (_, gradient) = gradient_of(&[2.0; 4], (1, 1, 2, 2));
        assert_eq!(gradient, [1.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn a_nan_travels_from_any_corner() {
        for corner in 0..4 {
            let mut values = [1.0, 2.0, 3.0, 4.0];
            values[corner] = f32::NAN;
            let (pooled, _) = gradient_of(&values, (1, 1, 2, 2));
            assert!(pooled[0].is_nan(), "corner {corner}");
        }
    }
}
