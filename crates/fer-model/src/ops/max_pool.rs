use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;
use std::sync::{Mutex, PoisonError};

/// Max-pooling over 2×2 windows of stride 2: (pictures, channels, height, width) → (pictures,
/// channels, ⌊height/2⌋, ⌊width/2⌋). An odd last row or column is left out.
///
/// Of equal values in a window the first in reading order gets the gradient, as in PyTorch. A
/// window that holds a NaN gives NaN. candle's own `max_pool2d` has a wrong gradient (four times
/// too small, misplaced on odd sizes), hence this one.
///
/// # Errors
/// A tensor that is not four-dimensional or less than 2×2.
pub fn max_pool(pictures: &Tensor) -> Result<Tensor> {
    if pictures.device().is_cpu() {
        pictures.contiguous()?.apply_op1(MaxPool::default())
    } else {
        max_pool_portable(pictures)
    }
}

/// The same out of operations that every device has.
fn max_pool_portable(pictures: &Tensor) -> Result<Tensor> {
    let (count, channels, height, width) = pictures.dims4()?;
    let (high, wide) = (height / 2, width / 2);
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

/// The CPU's form: remembers which corner of each window won.
#[derive(Default)]
struct MaxPool {
    winners: Mutex<Vec<u8>>,
}

impl CustomOp1 for MaxPool {
    fn name(&self) -> &'static str {
        "max-pool-2x2"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (count, channels, height, width) = layout.shape().dims4()?;
        let (high, wide) = (height / 2, width / 2);
        let Some((start, end)) = layout.contiguous_offsets() else {
            bail!("max-pool takes a contiguous tensor");
        };
        if high == 0 || wide == 0 {
            bail!("max-pool takes at least 2×2 values, the map is {height}×{width}");
        }
        let values = &storage.as_slice::<f32>()?[start..end];
        let mut pooled = vec![0.0; count * channels * high * wide];
        let mut winners = vec![0; pooled.len()];
        pooled
            .par_chunks_exact_mut(high * wide)
            .zip(winners.par_chunks_exact_mut(high * wide))
            .zip(values.par_chunks_exact(height * width))
            .for_each(|((pooled, winners), map)| pool_map(map, width, wide, pooled, winners));
        *self.winners.lock().unwrap_or_else(PoisonError::into_inner) = winners;
        Ok((
            CpuStorage::F32(pooled),
            Shape::from((count, channels, high, wide)),
        ))
    }

    fn bwd(
        &self,
        pictures: &Tensor,
        _pooled: &Tensor,
        gradient: &Tensor,
    ) -> Result<Option<Tensor>> {
        let (_, _, height, width) = pictures.dims4()?;
        let (_, _, high, wide) = gradient.dims4()?;
        let gradient = gradient.flatten_all()?.to_vec1::<f32>()?;
        let winners = self.winners.lock().unwrap_or_else(PoisonError::into_inner);
        let mut spread = vec![0.0; pictures.elem_count()];
        spread
            .par_chunks_exact_mut(height * width)
            .zip(winners.par_chunks_exact(high * wide))
            .zip(gradient.par_chunks_exact(high * wide))
            .for_each(|((spread, winners), gradient)| {
                for (place, (&winner, &value)) in winners.iter().zip(gradient).enumerate() {
                    let corner = window_start(place, width, wide) + corner_offset(winner, width);
                    spread[corner] = value;
                }
            });
        Ok(Some(Tensor::from_vec(
            spread,
            pictures.shape(),
            pictures.device(),
        )?))
    }
}

fn pool_map(map: &[f32], width: usize, wide: usize, pooled: &mut [f32], winners: &mut [u8]) {
    for (place, (best, winner)) in pooled.iter_mut().zip(winners).enumerate() {
        let start = window_start(place, width, wide);
        (*best, *winner) = (map[start], 0);
        for corner in 1..4 {
            let value = map[start + corner_offset(corner, width)];
            if value > *best || (value.is_nan() && !best.is_nan()) {
                (*best, *winner) = (value, corner);
            }
        }
    }
}

fn window_start(place: usize, width: usize, wide: usize) -> usize {
    (place / wide) * 2 * width + (place % wide) * 2
}

fn corner_offset(corner: u8, width: usize) -> usize {
    usize::from(corner / 2) * width + usize::from(corner % 2)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use candle_core::{Device, Var};

    use super::*;

    fn gradient_of(
        pool: fn(&Tensor) -> Result<Tensor>,
        values: &[f32],
        shape: (usize, usize, usize, usize),
    ) -> (Vec<f32>, Vec<f32>) {
        let var = Var::from_slice(values, shape, &Device::Cpu).unwrap();
        let pooled = pool(&var).unwrap();
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
        for pool in [max_pool, max_pool_portable] {
            let (pooled, gradient) = gradient_of(pool, &values, (1, 1, 3, 5));
            assert_eq!(pooled, [5., 7.]);
            let mut expected = [0.0; 15];
            (expected[1], expected[7]) = (1.0, 2.0);
            assert_eq!(gradient, expected);
        }
    }

    #[test]
    fn of_equal_values_the_first_gets_all() {
        for pool in [max_pool, max_pool_portable] {
            let (_, gradient) = gradient_of(pool, &[2.0; 4], (1, 1, 2, 2));
            assert_eq!(gradient, [1.0, 0.0, 0.0, 0.0]);
        }
    }

    #[test]
    fn a_nan_travels_from_any_corner() {
        for corner in 0..4 {
            let mut values = [1.0, 2.0, 3.0, 4.0];
            values[corner] = f32::NAN;
            for pool in [max_pool, max_pool_portable] {
                let (pooled, _) = gradient_of(pool, &values, (1, 1, 2, 2));
                assert!(pooled[0].is_nan(), "corner {corner}");
            }
        }
    }
}
