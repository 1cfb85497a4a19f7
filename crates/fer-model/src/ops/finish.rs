//! What follows the products of a convolution: a bias, a residual, a ReLU and 2×2 max-pooling.

use std::sync::{Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};

use crate::ops::kernel::activation::{channel_sums, relu_gradient};
use crate::ops::kernel::convolution::{Epilogue, Maps};
use crate::ops::kernel::norm::{self, Affine};
use crate::ops::kernel::pool::max_pool_gradient;
use crate::ops::max_pool::Winners;
use crate::ops::order::{channels_first, channels_last};
use crate::ops::relu::Dead;
use crate::ops::values::{maps_of, slice, values};
use crate::ops::{Engine, kernel, way_back};

/// What comes after a bias or a normalisation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Finish {
    /// Whether negative values become zero.
    pub(crate) relu: bool,
    /// Whether the largest of every 2×2 positions is kept.
    pub(crate) pool: bool,
    /// What computes.
    pub(crate) engine: Engine,
}

impl Finish {
    /// The output's dimensions for maps of these.
    pub(crate) fn output(&self, maps: &[usize]) -> Result<(Maps, Shape)> {
        let (shape, channels) = maps_of(maps)?;
        let out = if self.pool { shape.pooled() } else { shape };
        let dims = (out.batch, out.height, out.width, channels);
        Ok((shape, Shape::from(dims)))
    }

    /// Residual, ReLU and pool out of operations that every device has: maps (pictures, channels, rows, columns),
    /// a residual of the shape (pictures, rows, columns, channels), and so comes what is left.
    pub(crate) fn portable(&self, maps: &Tensor, residual: Option<&Tensor>) -> Result<Tensor> {
        let residual = residual.map(channels_first).transpose()?;
        let sum = match &residual {
            Some(residual) => (maps.detach() + residual.detach())?,
            None => maps.detach(),
        };
        let (active, dead) = match self.relu {
            true => Dead::of(&sum).map(|(active, dead)| (active, Some(dead)))?,
            false => (sum, None),
        };
        let (left, winners) = match self.pool {
            true => Winners::of(&active).map(|(left, winners)| (left, Some(winners)))?,
            false => (active, None),
        };
        let back = move |gradient: &Tensor| -> Result<Tensor> {
            let gradient = match &winners {
                Some(winners) => winners.back(gradient)?,
                None => gradient.clone(),
            };
            match &dead {
                Some(dead) => dead.back(&gradient),
                None => Ok(gradient),
            }
        };
        channels_last(&match &residual {
            Some(residual) => way_back::of_two([maps, residual], left, move |gradient| {
                let gradient = back(gradient)?;
                Ok([Some(gradient.clone()), Some(gradient)])
            })?,
            None if self.relu || self.pool => {
                way_back::of_one(maps, left, move |gradient| Ok([Some(back(gradient)?)]))?
            }
            None => maps.clone(),
        })
    }
}

/// Maps (pictures, rows, columns, channels) plus a bias (channels), plus a residual of the maps'
/// shape, then what `finish` says.
pub(crate) fn shift(
    maps: &Tensor,
    bias: &Tensor,
    residual: Option<&Tensor>,
    finish: Finish,
) -> Result<Tensor> {
    let Some(engine) = finish.engine.kernels_for(maps) else {
        let bias = bias.reshape((1, (), 1, 1))?;
        let sums = channels_first(maps)?.broadcast_add(&bias)?;
        return finish.portable(&sums, residual);
    };
    let operation = Shift {
        engine,
        finish,
        winners: Mutex::default(),
    };
    let (maps, bias) = (maps.contiguous()?, bias.contiguous()?);
    match residual {
        Some(residual) => maps.apply_op3(&bias, &residual.contiguous()?, operation),
        None => maps.apply_op2(&bias, operation),
    }
}

struct Shift {
    engine: kernel::Engine,
    finish: Finish,
    winners: Mutex<Vec<u8>>,
}

impl Shift {
    fn forward(
        &self,
        maps: &[f32],
        dims: &[usize],
        bias: &[f32],
        residual: Option<&[f32]>,
    ) -> Result<(CpuStorage, Shape)> {
        let (shape, out) = self.finish.output(dims)?;
        let mut output = vec![0.0; out.elem_count()];
        let mut winners = vec![0; if self.finish.pool { output.len() } else { 0 }];
        let affine = Affine {
            scale: vec![1.0; bias.len()],
            shift: bias.to_vec(),
        };
        let epilogue = Epilogue {
            bias: None,
            residual,
            relu: self.finish.relu,
            pool: self.finish.pool,
        };
        let index = self.finish.pool.then_some(winners.as_mut_slice());
        norm::apply(
            self.engine,
            shape,
            &affine,
            maps,
            epilogue,
            &mut output,
            index,
        );
        *self.winners.lock().unwrap_or_else(PoisonError::into_inner) = winners;
        Ok((CpuStorage::F32(output), out))
    }

    /// The gradients of the maps (the residual's is the same) and of the bias.
    fn backward(
        &self,
        maps: &Tensor,
        bias: &Tensor,
        result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Tensor, Tensor)> {
        let (shape, _) = self.finish.output(maps.dims())?;
        let channels = bias.elem_count();
        let gradient = gradient.contiguous()?;
        let of_maps = if self.finish.pool {
            let mut passed = vec![0.0; maps.elem_count()];
            let winners = self.winners.lock().unwrap_or_else(PoisonError::into_inner);
            let gradient = values(&gradient)?;
            max_pool_gradient(
                self.engine,
                shape,
                channels,
                &gradient,
                &winners,
                &mut passed,
            );
            Tensor::from_vec(passed, maps.shape(), maps.device())?
        } else if self.finish.relu {
            let mut passed = vec![0.0; maps.elem_count()];
            relu_gradient(
                self.engine,
                &values(result)?,
                &values(&gradient)?,
                &mut passed,
            );
            Tensor::from_vec(passed, maps.shape(), maps.device())?
        } else {
            gradient
        };
        let mut of_bias = vec![0.0; channels];
        channel_sums(self.engine, shape.batch, &values(&of_maps)?, &mut of_bias);
        Ok((of_maps, Tensor::from_vec(of_bias, channels, maps.device())?))
    }
}

impl CustomOp2 for Shift {
    fn name(&self) -> &'static str {
        "bias-relu-pool"
    }

    fn cpu_fwd(
        &self,
        maps: &CpuStorage,
        maps_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (values, bias) = (slice(maps, maps_layout)?, slice(bias, bias_layout)?);
        self.forward(values, maps_layout.dims(), bias, None)
    }

    fn bwd(
        &self,
        maps: &Tensor,
        bias: &Tensor,
        result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (of_maps, of_bias) = self.backward(maps, bias, result, gradient)?;
        Ok((Some(of_maps), Some(of_bias)))
    }
}

impl CustomOp3 for Shift {
    fn name(&self) -> &'static str {
        "bias-residual-relu-pool"
    }

    fn cpu_fwd(
        &self,
        maps: &CpuStorage,
        maps_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
        residual: &CpuStorage,
        residual_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (values, bias) = (slice(maps, maps_layout)?, slice(bias, bias_layout)?);
        let residual = Some(slice(residual, residual_layout)?);
        self.forward(values, maps_layout.dims(), bias, residual)
    }

    fn bwd(
        &self,
        maps: &Tensor,
        bias: &Tensor,
        _residual: &Tensor,
        result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (of_maps, of_bias) = self.backward(maps, bias, result, gradient)?;
        Ok((Some(of_maps.clone()), Some(of_bias), Some(of_maps)))
    }
}
