//! A convolution with bias, ReLU and pool in one pass, by the kernels; a pool remembers which corner
//! of each window won, so that the backward pass touches nothing else.

use std::sync::{Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};

use super::{ConvolutionSettings, shapes};
use crate::ops::kernel::Engine;
use crate::ops::kernel::activation::{channel_sums, relu_gradient};
use crate::ops::kernel::convolution::{
    BackwardWeights, Convolution, Epilogue, ForwardWeights, Maps, Method, SparseWeights, forward,
    input_gradient, pooled_input_gradient, pooled_weight_gradient, weight_gradient,
};
use crate::ops::values::{slice, values};

/// (pictures, height, width, inputs), (outputs, inputs, side, side) and (outputs) → (pictures, rows,
/// columns, outputs).
pub(super) fn apply(
    engine: Engine,
    settings: &ConvolutionSettings,
    maps: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
) -> Result<Tensor> {
    let operation = Fused {
        engine,
        settings: *settings,
        winners: Mutex::default(),
    };
    maps.contiguous()?
        .apply_op3(&weight.contiguous()?, &bias.contiguous()?, operation)
}

struct Fused {
    engine: Engine,
    settings: ConvolutionSettings,
    winners: Mutex<Vec<u8>>,
}

impl CustomOp3 for Fused {
    fn name(&self) -> &'static str {
        "convolution-bias-relu-pool"
    }

    fn cpu_fwd(
        &self,
        maps: &CpuStorage,
        maps_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (convolution, shape) = shapes(&self.settings, maps_layout.dims())?;
        let mut out = shape.after(&convolution);
        if self.settings.pool {
            out = out.pooled();
        }
        let mut output = vec![0.0; out.positions() * convolution.out_channels];
        let epilogue = Epilogue {
            bias: Some(slice(bias, bias_layout)?),
            residual: None,
            relu: self.settings.relu,
            pool: self.settings.pool,
        };
        let method = Method::best(&convolution, shape);
        let weights = slice(weight, weight_layout)?;
        let packed = ForwardWeights::new(self.engine, convolution, method, weights);
        let maps = slice(maps, maps_layout)?;
        let mut winners = vec![0; if self.settings.pool { output.len() } else { 0 }];
        let index = self.settings.pool.then_some(winners.as_mut_slice());
        forward(&packed, shape, maps, epilogue, &mut output, index);
        *self.winners.lock().unwrap_or_else(PoisonError::into_inner) = winners;
        let dims = (out.batch, out.height, out.width, convolution.out_channels);
        Ok((CpuStorage::F32(output), Shape::from(dims)))
    }

    fn bwd(
        &self,
        maps: &Tensor,
        weight: &Tensor,
        _bias: &Tensor,
        result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (convolution, shape) = shapes(&self.settings, maps.dims())?;
        let gradient = gradient.contiguous()?;
        let operands = Operands {
            engine: self.engine,
            convolution,
            shape,
            maps: &values(maps)?,
            weights: &values(weight)?,
            gradient: &values(&gradient)?,
        };
        let mut gradients = Gradients {
            weight: vec![0.0; convolution.weights()],
            bias: vec![0.0; convolution.out_channels],
            // The first layer's pictures need no gradient.
            maps: maps.track_op().then(|| vec![0.0; maps.elem_count()]),
        };
        if self.settings.pool {
            let winners = self.winners.lock().unwrap_or_else(PoisonError::into_inner);
            gradients.through_pool(&operands, &winners);
        } else if self.settings.relu {
            let mut passed = vec![0.0; operands.gradient.len()];
            let result = values(result)?;
            relu_gradient(self.engine, &result, operands.gradient, &mut passed);
            gradients.dense(&Operands {
                gradient: &passed,
                ..operands
            });
        } else {
            gradients.dense(&operands);
        }
        gradients.into_tensors(maps, weight)
    }
}

#[derive(Clone, Copy)]
struct Operands<'a> {
    engine: Engine,
    convolution: Convolution,
    shape: Maps,
    maps: &'a [f32],
    weights: &'a [f32],
    gradient: &'a [f32],
}

struct Gradients {
    weight: Vec<f32>,
    bias: Vec<f32>,
    maps: Option<Vec<f32>>,
}

impl Gradients {
    fn through_pool(&mut self, operands: &Operands<'_>, winners: &[u8]) {
        let &Operands {
            engine,
            convolution,
            shape,
            maps,
            weights,
            gradient,
        } = operands;
        pooled_weight_gradient(
            engine,
            &convolution,
            shape,
            maps,
            gradient,
            winners,
            &mut self.weight,
            &mut self.bias,
        );
        if let Some(of_maps) = &mut self.maps {
            let packed = SparseWeights::new(engine, convolution, weights);
            pooled_input_gradient(&packed, shape, gradient, winners, of_maps);
        }
    }

    fn dense(&mut self, operands: &Operands<'_>) {
        let &Operands {
            engine,
            convolution,
            shape,
            maps,
            weights,
            gradient,
        } = operands;
        channel_sums(engine, shape.batch, gradient, &mut self.bias);
        let method = Method::best(&convolution, shape);
        let of_weight = &mut self.weight;
        weight_gradient(
            engine,
            &convolution,
            method,
            shape,
            maps,
            gradient,
            of_weight,
        );
        if let Some(of_maps) = &mut self.maps {
            let packed = BackwardWeights::new(engine, convolution, method, weights);
            input_gradient(&packed, shape, gradient, of_maps);
        }
    }

    fn into_tensors(
        self,
        maps: &Tensor,
        weight: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let device = maps.device();
        let channels = self.bias.len();
        let of_maps = self
            .maps
            .map(|values| Tensor::from_vec(values, maps.shape(), device))
            .transpose()?;
        Ok((
            of_maps,
            Some(Tensor::from_vec(self.weight, weight.shape(), device)?),
            Some(Tensor::from_vec(self.bias, channels, device)?),
        ))
    }
}
