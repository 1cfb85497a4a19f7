use candle_core::{Result, Tensor};

use crate::ops::way_back;

/// The larger of each value and zero, out of operations that every device has; a NaN stays one.
///
/// The gradient at exactly zero is zero, as in PyTorch and Keras; candle's own `relu` has one there,
/// and whole stretches of a dark picture lie exactly at zero.
///
/// # Errors
/// A device without memory.
pub fn relu(values: &Tensor) -> Result<Tensor> {
    let (active, dead) = Dead::of(&values.detach())?;
    way_back::of_one(values, active, move |gradient| {
        Ok([Some(dead.back(gradient)?)])
    })
}

/// Where values were not above zero.
pub(crate) struct Dead(Tensor);

impl Dead {
    /// Of values without a graph; with those that are left.
    pub(crate) fn of(values: &Tensor) -> Result<(Tensor, Self)> {
        let zeros = values.zeros_like()?;
        let dead = values.le(&zeros)?;
        Ok((dead.where_cond(&zeros, values)?, Dead(dead)))
    }

    /// The gradient of the values, given that of those that are left.
    pub(crate) fn back(&self, gradient: &Tensor) -> Result<Tensor> {
        self.0.where_cond(&gradient.zeros_like()?, gradient)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use candle_core::{Device, Var};

    use super::*;

    #[test]
    fn the_slope_is_zero_up_to_and_at_zero_and_a_nan_stays() {
        let var = Var::new(
            &[-1f32, 0.0, 2.0, f32::NAN, f32::NEG_INFINITY],
            &Device::Cpu,
        )
        .unwrap();
        let active = relu(&var).unwrap();
        let found = active.to_vec1::<f32>().unwrap();
        assert_eq!(found[..3], [0.0, 0.0, 2.0]);
        assert!(found[3].is_nan() && found[4] == 0.0);
        let gradients = active.sum_all().unwrap().backward().unwrap();
        let gradient = gradients.get(&var).unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(gradient, [0.0, 0.0, 1.0, 1.0, 0.0]);
    }
}
