use candle_core::{Result, Tensor, bail};

/// Max-pooling over 2×2 windows of stride 2, out of operations that every device has: (pictures,
/// channels, height, width) → (pictures, channels, ⌊height/2⌋, ⌊width/2⌋). An odd last row or column
/// is left out.
///
/// Of equal values in a window the first in reading order gets the gradient, as in PyTorch. A
/// window that holds a NaN gives NaN. candle's own `max_pool2d` has a wrong gradient (four times
/// too small, misplaced on odd sizes), hence this one.
///
/// # Errors
/// A tensor that is not four-dimensional or less than 2×2.
pub fn max_pool(pictures: &Tensor) -> Result<Tensor> {
    let (count, channels, height, width) = pictures.dims4()?;
    let (high, wide) = (height / 2, width / 2);
    if high == 0 || wide == 0 {
        bail!("max-pooling takes maps of at least 2×2, got {height}×{width}");
    }
    let even = pictures.narrow(2, 0, 2 * high)?.narrow(3, 0, 2 * wide)?;
    let windows = even
        .contiguous()?
        .reshape((count * channels, high, 2, wide, 2))?;
    let corner = |row, column| windows.narrow(2, row, 1)?.narrow(4, column, 1);
    let upper = larger(&corner(0, 0)?, &corner(0, 1)?)?;
    let lower = larger(&corner(1, 0)?, &corner(1, 1)?)?;
    larger(&upper, &lower)?.reshape((count, channels, high, wide))
}

/// The larger of two; the first where they are equal; a NaN where either is one.
fn larger(first: &Tensor, second: &Tensor) -> Result<Tensor> {
    let first_is_nan = first.ne(first)?;
    let keep_first = first.ge(second)?.maximum(&first_is_nan)?;
    keep_first.where_cond(&first.contiguous()?, &second.contiguous()?)
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
