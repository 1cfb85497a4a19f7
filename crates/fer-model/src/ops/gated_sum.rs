//! A branch times a number for each picture and channel, plus what goes around it.

use std::sync::{Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};

use crate::ops::finish::Finish;
use crate::ops::kernel;
use crate::ops::kernel::convolution::Epilogue;
use crate::ops::kernel::gate::{self, GateGradients};
use crate::ops::kernel::norm::Following;
use crate::ops::order::channels_first;
use crate::ops::values::{maps_of, slice, values};

/// Maps (pictures, rows, columns, channels) times `gates` (pictures, channels) plus `around`, of the
/// maps' shape, then what `finish` says.
///
/// # Errors
/// Shapes that do not fit together.
pub(crate) fn gated_sum(
    maps: &Tensor,
    gates: &Tensor,
    around: &Tensor,
    finish: Finish,
) -> Result<Tensor> {
    let (pictures, _, _, channels) = maps.dims4()?;
    if around.dims() != maps.dims() || gates.dims() != [pictures, channels] {
        bail!(
            "maps of shape {:?} take gates of [{pictures}, {channels}] and a sum with maps of their shape, got {:?} and {:?}",
            maps.dims(),
            gates.dims(),
            around.dims()
        );
    }
    match finish.engine.kernels_for(maps) {
        Some(engine) => {
            let operation = GatedSum {
                engine,
                finish,
                winners: Mutex::default(),
            };
            let (gates, around) = (gates.contiguous()?, around.contiguous()?);
            maps.contiguous()?.apply_op3(&gates, &around, operation)
        }
        None => {
            let gates = gates.reshape((pictures, channels, 1, 1))?;
            let branch = channels_first(maps)?.broadcast_mul(&gates)?;
            finish.portable(&branch, Some(around))
        }
    }
}

struct GatedSum {
    engine: kernel::Engine,
    finish: Finish,
    winners: Mutex<Vec<u8>>,
}

impl CustomOp3 for GatedSum {
    fn name(&self) -> &'static str {
        "gated-sum-relu-pool"
    }

    fn cpu_fwd(
        &self,
        maps: &CpuStorage,
        maps_layout: &Layout,
        gates: &CpuStorage,
        gates_layout: &Layout,
        around: &CpuStorage,
        around_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (shape, out) = self.finish.output(maps_layout.dims())?;
        let (_, channels) = maps_of(maps_layout.dims())?;
        let mut output = vec![0.0; out.elem_count()];
        let mut winners = vec![0; if self.finish.pool { output.len() } else { 0 }];
        let epilogue = Epilogue {
            bias: None,
            residual: Some(slice(around, around_layout)?),
            relu: self.finish.relu,
            pool: self.finish.pool,
        };
        gate::forward(
            self.engine,
            shape,
            channels,
            slice(gates, gates_layout)?,
            slice(maps, maps_layout)?,
            epilogue,
            &mut output,
            self.finish.pool.then_some(winners.as_mut_slice()),
        );
        *self.winners.lock().unwrap_or_else(PoisonError::into_inner) = winners;
        Ok((CpuStorage::F32(output), out))
    }

    fn bwd(
        &self,
        maps: &Tensor,
        gates: &Tensor,
        _around: &Tensor,
        result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (shape, channels) = maps_of(maps.dims())?;
        let winners = self.winners.lock().unwrap_or_else(PoisonError::into_inner);
        let (gradient, result) = (gradient.contiguous()?, values(result)?);
        let following = match self.finish {
            Finish { pool: true, .. } => Following::Pool(&winners),
            Finish { relu: true, .. } => Following::Relu(&result),
            _ => Following::Nothing,
        };
        let mut of_maps = vec![0.0; maps.elem_count()];
        let mut of_around = vec![0.0; maps.elem_count()];
        let mut of_gates = vec![0.0; gates.elem_count()];
        gate::backward(
            self.engine,
            shape,
            channels,
            &values(gates)?,
            &values(maps)?,
            &values(&gradient)?,
            following,
            GateGradients {
                dx: &mut of_maps,
                dgates: &mut of_gates,
                dresidual: &mut of_around,
            },
        );
        let tensor = |values, of: &Tensor| Tensor::from_vec(values, of.shape(), of.device());
        Ok((
            Some(tensor(of_maps, maps)?),
            Some(tensor(of_gates, gates)?),
            Some(tensor(of_around, maps)?),
        ))
    }
}
