//! A convolution alone, by the kernels.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};

use super::{ConvolutionSettings, shapes};
use crate::ops::kernel::Engine;
use crate::ops::kernel::convolution::{
    BackwardWeights, Epilogue, ForwardWeights, Method, forward, input_gradient, weight_gradient,
};
use crate::ops::values::{slice, values};

/// (pictures, height, width, inputs) and (outputs, inputs, side, side) → (pictures, rows, columns,
/// outputs).
pub(super) fn apply(
    engine: Engine,
    settings: &ConvolutionSettings,
    maps: &Tensor,
    weight: &Tensor,
) -> Result<Tensor> {
    let operation = Plain {
        engine,
        settings: *settings,
    };
    maps.contiguous()?
        .apply_op2(&weight.contiguous()?, operation)
}

struct Plain {
    engine: Engine,
    settings: ConvolutionSettings,
}

impl CustomOp2 for Plain {
    fn name(&self) -> &'static str {
        "convolution"
    }

    fn cpu_fwd(
        &self,
        maps: &CpuStorage,
        maps_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (convolution, shape) = shapes(&self.settings, maps_layout.dims())?;
        let out = shape.after(&convolution);
        let mut output = vec![0.0; out.positions() * convolution.out_channels];
        let method = Method::best(&convolution, shape);
        let weights = slice(weight, weight_layout)?;
        let packed = ForwardWeights::new(self.engine, convolution, method, weights);
        let maps = slice(maps, maps_layout)?;
        forward(&packed, shape, maps, Epilogue::default(), &mut output, None);
        let dims = (out.batch, out.height, out.width, convolution.out_channels);
        Ok((CpuStorage::F32(output), Shape::from(dims)))
    }

    fn bwd(
        &self,
        maps: &Tensor,
        weight: &Tensor,
        _result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (convolution, shape) = shapes(&self.settings, maps.dims())?;
        let gradient = gradient.contiguous()?;
        let gradient = values(&gradient)?;
        let method = Method::best(&convolution, shape);
        let mut of_weight = None;
        // A frozen weight needs none, nor do the first layer's pictures.
        if weight.track_op() {
            let mut sums = vec![0.0; convolution.weights()];
            weight_gradient(
                self.engine,
                &convolution,
                method,
                shape,
                &values(maps)?,
                &gradient,
                &mut sums,
            );
            of_weight = Some(Tensor::from_vec(sums, weight.shape(), maps.device())?);
        }
        if !maps.track_op() {
            return Ok((None, of_weight));
        }
        let mut of_maps = vec![0.0; maps.elem_count()];
        let packed = BackwardWeights::new(self.engine, convolution, method, &values(weight)?);
        input_gradient(&packed, shape, &gradient, &mut of_maps);
        let of_maps = Tensor::from_vec(of_maps, maps.shape(), maps.device())?;
        Ok((Some(of_maps), of_weight))
    }
}
