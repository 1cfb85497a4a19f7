use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};

use crate::ops::kernel::mean::{global_mean as mean_of, global_mean_gradient};
use crate::ops::order::channels_first;
use crate::ops::values::{maps_of, slice, values};
use crate::ops::{Engine, kernel};

/// The mean of each channel over all positions: (pictures, rows, columns, channels) → (pictures,
/// channels).
///
/// # Errors
/// A tensor that is not four-dimensional, or maps without a position.
pub fn global_mean(maps: &Tensor, engine: Engine) -> Result<Tensor> {
    let (_, height, width, _) = maps.dims4()?;
    if height * width == 0 {
        bail!("there is no mean over maps of {height}×{width}");
    }
    match engine.kernels_for(maps) {
        Some(engine) => maps.contiguous()?.apply_op1(GlobalMean { engine }),
        None => channels_first(maps)?.mean((2, 3)),
    }
}

struct GlobalMean {
    engine: kernel::Engine,
}

impl CustomOp1 for GlobalMean {
    fn name(&self) -> &'static str {
        "global-mean"
    }

    fn cpu_fwd(&self, maps: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (shape, channels) = maps_of(layout.dims())?;
        let mut means = vec![0.0; shape.batch * channels];
        mean_of(
            self.engine,
            shape,
            channels,
            slice(maps, layout)?,
            &mut means,
        );
        Ok((CpuStorage::F32(means), Shape::from((shape.batch, channels))))
    }

    fn bwd(&self, maps: &Tensor, _result: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let (shape, channels) = maps_of(maps.dims())?;
        let mut of_maps = vec![0.0; maps.elem_count()];
        let gradient = gradient.contiguous()?;
        global_mean_gradient(shape, channels, &values(&gradient)?, &mut of_maps);
        Ok(Some(Tensor::from_vec(
            of_maps,
            maps.shape(),
            maps.device(),
        )?))
    }
}
