use candle_core::{Result, Tensor};

/// The larger of each value and zero, out of operations that every device has; a NaN stays one.
///
/// The gradient at exactly zero is zero, as in PyTorch and Keras; candle's own `relu` has one there,
/// and whole stretches of a dark picture lie exactly at zero.
///
/// # Errors
/// A device without memory.
pub fn relu(values: &Tensor) -> Result<Tensor> {
    let dead = values.le(0f64)?;
    dead.where_cond(&values.zeros_like()?, values)
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
