use candle_core::{CpuStorage, InplaceOp2, Layout, Result, Tensor, Var, bail};
use rayon::prelude::*;

use crate::ops::Engine;
use crate::ops::values::{slice, slice_mut};

/// Values that one thread averages at a time.
const CHUNK: usize = 1 << 14;

/// Moves `average` towards `value` by `share` of the way between them: one step of an exponential
/// moving average whose decay is 1 − `share`.
///
/// Both are of one shape, on one device.
///
/// # Errors
/// Shapes that differ.
pub fn average_towards(average: &Var, value: &Tensor, share: f64, engine: Engine) -> Result<()> {
    if average.shape() != value.shape() {
        bail!(
            "the average has shape {:?}, the value {:?}",
            average.shape(),
            value.shape()
        );
    }
    let value = value.detach().contiguous()?;
    match engine.kernels_for(average) {
        Some(_) => average.inplace_op2(&value, &Towards(share as f32)),
        None => {
            let average_now = average.as_tensor().detach();
            let way = (value - &average_now)?;
            average.set(&(average_now + (way * share)?)?)
        }
    }
}

struct Towards(f32);

impl InplaceOp2 for Towards {
    fn name(&self) -> &'static str {
        "average-towards"
    }

    fn cpu_fwd(
        &self,
        average: &mut CpuStorage,
        average_layout: &Layout,
        value: &CpuStorage,
        value_layout: &Layout,
    ) -> Result<()> {
        let value = slice(value, value_layout)?;
        let average = slice_mut(average, average_layout)?;
        average
            .par_chunks_mut(CHUNK)
            .zip(value.par_chunks(CHUNK))
            .for_each(|(average, value)| {
                for (average, value) in average.iter_mut().zip(value) {
                    *average += (value - *average) * self.0;
                }
            });
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn every_engine_goes_the_share_of_the_way() {
        for engine in Engine::available() {
            let average = Var::new(&[[1f32, -2.0], [0.5, 8.0]], &Device::Cpu).unwrap();
            let value = Tensor::new(&[[3f32, 0.0], [0.5, -8.0]], &Device::Cpu).unwrap();
            average_towards(&average, &value, 0.25, engine).unwrap();
            assert_eq!(
                average.to_vec2::<f32>().unwrap(),
                [[1.5, -1.5], [0.5, 4.0]],
                "{engine}"
            );
            let other = Tensor::zeros(4, candle_core::DType::F32, &Device::Cpu).unwrap();
            assert!(average_towards(&average, &other, 0.25, engine).is_err());
        }
    }
}
