use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use crate::ops::Engine;
use crate::ops::kernel::layout::{channels_first, channels_last};
use crate::ops::order;
use crate::ops::values::{maps_of, slice, values};

/// Maps as rows in PyTorch's order, channels first: (pictures, rows, columns, channels) → (pictures,
/// channels · rows · columns).
///
/// # Errors
/// A tensor that is not four-dimensional.
pub fn flatten(maps: &Tensor, engine: Engine) -> Result<Tensor> {
    maps.dims4()?;
    match engine.kernels_for(maps) {
        Some(_) => maps.contiguous()?.apply_op1(Flatten),
        None => order::channels_first(maps)?.contiguous()?.flatten_from(1),
    }
}

struct Flatten;

impl CustomOp1 for Flatten {
    fn name(&self) -> &'static str {
        "flatten"
    }

    fn cpu_fwd(&self, maps: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (shape, channels) = maps_of(layout.dims())?;
        let maps = slice(maps, layout)?;
        let mut rows = vec![0.0; maps.len()];
        channels_first(shape, channels, maps, &mut rows);
        let length = shape.height * shape.width * channels;
        Ok((CpuStorage::F32(rows), Shape::from((shape.batch, length))))
    }

    fn bwd(&self, maps: &Tensor, _result: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let (shape, channels) = maps_of(maps.dims())?;
        let mut of_maps = vec![0.0; maps.elem_count()];
        let gradient = gradient.contiguous()?;
        channels_last(shape, channels, &values(&gradient)?, &mut of_maps);
        Ok(Some(Tensor::from_vec(
            of_maps,
            maps.shape(),
            maps.device(),
        )?))
    }
}
