//! Batch normalisation.

mod fused;

use candle_core::{Result, Tensor, Var, bail};
use candle_nn::{Init, VarBuilder};

use crate::ops::finish::Finish;

/// Added to a variance before its root is taken: PyTorch's default.
pub(crate) const EPSILON: f64 = 1e-5;
/// How far running statistics move towards a batch's: PyTorch's default.
const MOMENTUM: f64 = 0.1;

/// Batch normalisation (Ioffe & Szegedy 2015) as PyTorch has it: epsilon 1e-5, momentum 0.1, the
/// biased variance normalises, the unbiased one goes into the running statistics.
#[derive(Clone, Debug)]
pub(crate) struct BatchNorm {
    weight: Tensor,
    bias: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
}

impl BatchNorm {
    /// Takes `weight` (one), `bias` (zero), `running_mean` (zero) and `running_var` (one) from the
    /// builder, each of shape (channels).
    pub(crate) fn new(channels: usize, builder: VarBuilder<'_>) -> Result<Self> {
        let get = |name, value| builder.get_with_hints(channels, name, Init::Const(value));
        Ok(BatchNorm {
            weight: get("weight", 1.0)?,
            bias: get("bias", 0.0)?,
            running_mean: get("running_mean", 0.0)?,
            running_var: get("running_var", 1.0)?,
        })
    }

    /// Normalises maps (pictures, rows, columns, channels) by their own statistics, moves the running
    /// ones, and goes on as `finish` says.
    pub(crate) fn normalise(
        &self,
        maps: &Tensor,
        residual: Option<&Tensor>,
        finish: Finish,
    ) -> Result<Tensor> {
        match finish.engine.kernels_for(maps) {
            Some(engine) => {
                let (output, mean, variance) =
                    fused::apply(engine, maps, [&self.weight, &self.bias], residual, finish)?;
                self.track(&mean, &variance, positions(maps)?)?;
                Ok(output)
            }
            None => self.normalise_portable(maps, residual, finish),
        }
    }

    fn normalise_portable(
        &self,
        maps: &Tensor,
        residual: Option<&Tensor>,
        finish: Finish,
    ) -> Result<Tensor> {
        let mean = maps.mean_keepdim((0, 1, 2))?;
        let centred = maps.broadcast_sub(&mean)?;
        let variance = centred.sqr()?.mean_keepdim((0, 1, 2))?;
        let scale = ((&variance + EPSILON)?.sqrt()?.recip()?.flatten_all()? * &self.weight)?;
        let normal = centred.broadcast_mul(&scale)?.broadcast_add(&self.bias)?;
        self.track(
            &mean.flatten_all()?,
            &variance.flatten_all()?,
            positions(maps)?,
        )?;
        finish.portable(normal, residual)
    }

    /// Moves the running statistics towards a batch's mean and biased variance over so many
    /// positions.
    pub(crate) fn track(&self, mean: &Tensor, variance: &Tensor, positions: usize) -> Result<()> {
        let positions = positions as f64;
        // Of a single number there is no unbiased variance; the running one then stays.
        if positions > 1.0 {
            let unbiased = (variance.detach() * (positions / (positions - 1.0)))?;
            towards(&self.running_var, &unbiased)?;
        }
        towards(&self.running_mean, &mean.detach())
    }

    /// Weight, bias, running mean and running variance.
    pub(crate) fn tensors(&self) -> [&Tensor; 4] {
        [
            &self.weight,
            &self.bias,
            &self.running_mean,
            &self.running_var,
        ]
    }

    /// The factor and the summand of each channel that the running statistics amount to.
    pub(crate) fn folded(&self) -> Result<(Tensor, Tensor)> {
        let root = (self.running_var.detach() + EPSILON)?.sqrt()?;
        let scale = (&self.weight / root)?;
        let shift = (&self.bias - (self.running_mean.detach() * &scale)?)?;
        Ok((scale, shift))
    }
}

/// Positions of all the pictures' maps together.
fn positions(maps: &Tensor) -> Result<usize> {
    let (count, height, width, _) = maps.dims4()?;
    Ok(count * height * width)
}

fn towards(running: &Tensor, batch: &Tensor) -> Result<()> {
    if !running.is_variable() {
        bail!("a network that was loaded to predict cannot be trained: build it with Parameters");
    }
    let old = running.detach();
    let moved = (&old + ((batch - &old)? * MOMENTUM)?)?;
    Var::from_tensor(running)?.set(&moved)
}
