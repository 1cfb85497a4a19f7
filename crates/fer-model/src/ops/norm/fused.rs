//! Normalisation, residual, ReLU and pool in one pass, by the kernels.

use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, bail};

use super::EPSILON;
use crate::ops::finish::Finish;
use crate::ops::kernel::Engine;
use crate::ops::kernel::convolution::Epilogue;
use crate::ops::kernel::norm::{self, Affine, Following, NormGradients, Statistics};
use crate::ops::values::{slice, values};

/// The finished maps, and what they were normalised by: the statistics of `maps`, or the `fixed` ones.
pub(super) fn apply(
    engine: Engine,
    maps: &Tensor,
    [weight, bias]: [&Tensor; 2],
    fixed: Option<Statistics>,
    residual: Option<&Tensor>,
    finish: Finish,
) -> Result<(Tensor, Statistics)> {
    let saved = Arc::new(Mutex::new(None));
    let operation = Normalise {
        engine,
        finish,
        fixed,
        saved: saved.clone(),
    };
    let maps = maps.contiguous()?;
    // An operation takes three tensors at most, so the two of the normalisation travel as one.
    let affine = Tensor::stack(&[weight, bias], 0)?;
    let output = match residual {
        Some(residual) => maps.apply_op3(&affine, &residual.contiguous()?, operation)?,
        None => maps.apply_op2(&affine, operation)?,
    };
    let saved = saved.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(Saved { statistics, .. }) = &*saved else {
        bail!("the normalisation left no statistics");
    };
    Ok((output, statistics.clone()))
}

/// What the backward pass needs of the forward pass.
struct Saved {
    statistics: Statistics,
    winners: Vec<u8>,
}

struct Normalise {
    engine: Engine,
    finish: Finish,
    fixed: Option<Statistics>,
    saved: Arc<Mutex<Option<Saved>>>,
}

impl Normalise {
    fn forward(
        &self,
        maps: &[f32],
        dims: &[usize],
        affine: &[f32],
        residual: Option<&[f32]>,
    ) -> Result<(CpuStorage, Shape)> {
        let (shape, out) = self.finish.output(dims)?;
        if maps.is_empty() {
            bail!("there are no statistics of an empty batch");
        }
        let (gamma, beta) = affine.split_at(affine.len() / 2);
        let statistics = match &self.fixed {
            Some(fixed) => fixed.clone(),
            None => Statistics::of(self.engine, shape, gamma.len(), maps),
        };
        let epsilon = EPSILON as f32;
        let factors = Affine::new(&statistics.mean, &statistics.variance, gamma, beta, epsilon);
        let mut output = vec![0.0; out.elem_count()];
        let mut winners = vec![0; if self.finish.pool { output.len() } else { 0 }];
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
            &factors,
            maps,
            epilogue,
            &mut output,
            index,
        );
        *self.saved.lock().unwrap_or_else(PoisonError::into_inner) = Some(Saved {
            statistics,
            winners,
        });
        Ok((CpuStorage::F32(output), out))
    }

    fn backward(
        &self,
        maps: &Tensor,
        affine: &Tensor,
        result: &Tensor,
        gradient: &Tensor,
        residual: bool,
    ) -> Result<(Tensor, Tensor, Option<Tensor>)> {
        let (shape, _) = self.finish.output(maps.dims())?;
        let saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Saved {
            statistics,
            winners,
        }) = &*saved
        else {
            bail!("the normalisation has no statistics to go back through");
        };
        let (gradient, factors) = (gradient.contiguous()?, values(affine)?);
        let channels = factors.len() / 2;
        let mut of_maps = vec![0.0; maps.elem_count()];
        let mut of_residual = residual.then(|| vec![0.0; maps.elem_count()]);
        let mut of_affine = vec![0.0; 2 * channels];
        let (dgamma, dbeta) = of_affine.split_at_mut(channels);
        let result = values(result)?;
        let following = match self.finish {
            Finish { pool: true, .. } => Following::Pool(winners),
            Finish { relu: true, .. } => Following::Relu(&result),
            _ => Following::Nothing,
        };
        norm::backward(
            self.engine,
            shape,
            &values(maps)?,
            statistics,
            EPSILON as f32,
            &factors[..channels],
            &values(&gradient)?,
            following,
            NormGradients {
                dx: &mut of_maps,
                dgamma,
                dbeta,
                dresidual: of_residual.as_deref_mut(),
            },
        );
        let tensor = |values| Tensor::from_vec(values, maps.shape(), maps.device());
        Ok((
            tensor(of_maps)?,
            Tensor::from_vec(of_affine, (2, channels), maps.device())?,
            of_residual.map(tensor).transpose()?,
        ))
    }
}

impl CustomOp2 for Normalise {
    fn name(&self) -> &'static str {
        "batch-norm-relu-pool"
    }

    fn cpu_fwd(
        &self,
        maps: &CpuStorage,
        maps_layout: &Layout,
        affine: &CpuStorage,
        affine_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (values, affine) = (slice(maps, maps_layout)?, slice(affine, affine_layout)?);
        self.forward(values, maps_layout.dims(), affine, None)
    }

    fn bwd(
        &self,
        maps: &Tensor,
        affine: &Tensor,
        result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (of_maps, of_affine, _) = self.backward(maps, affine, result, gradient, false)?;
        Ok((Some(of_maps), Some(of_affine)))
    }
}

impl CustomOp3 for Normalise {
    fn name(&self) -> &'static str {
        "batch-norm-residual-relu-pool"
    }

    fn cpu_fwd(
        &self,
        maps: &CpuStorage,
        maps_layout: &Layout,
        affine: &CpuStorage,
        affine_layout: &Layout,
        residual: &CpuStorage,
        residual_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (values, affine) = (slice(maps, maps_layout)?, slice(affine, affine_layout)?);
        let residual = Some(slice(residual, residual_layout)?);
        self.forward(values, maps_layout.dims(), affine, residual)
    }

    fn bwd(
        &self,
        maps: &Tensor,
        affine: &Tensor,
        _residual: &Tensor,
        result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (of_maps, of_affine, of_residual) =
            self.backward(maps, affine, result, gradient, true)?;
        Ok((Some(of_maps), Some(of_affine), of_residual))
    }
}
