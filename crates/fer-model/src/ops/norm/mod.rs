//! Batch normalisation.

mod fused;
mod portable;

use candle_core::{Result, Tensor, Var};
use candle_nn::{Init, VarBuilder};

use crate::ops::finish::Finish;
use crate::ops::kernel::norm::Statistics;
use crate::ops::order::channels_first;
use crate::ops::values::values;
use crate::ops::way_back;
use portable::Normalised;

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

    /// Normalises maps (pictures, rows, columns, channels) by their own statistics and moves the running
    /// ones, or by the running ones where these are fixed, and goes on as `finish` says.
    pub(crate) fn normalise(
        &self,
        maps: &Tensor,
        residual: Option<&Tensor>,
        finish: Finish,
    ) -> Result<Tensor> {
        match finish.engine.kernels_for(maps) {
            Some(engine) => {
                let affine = [&self.weight, &self.bias];
                let fixed = self.fixed_statistics()?;
                let (output, statistics) =
                    fused::apply(engine, maps, affine, fixed, residual, finish)?;
                self.track_all(&statistics)?;
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
        let maps = channels_first(maps)?;
        let [weight, bias] = [&self.weight, &self.bias].map(|each| each.reshape((1, (), 1, 1)));
        if self.is_fixed() {
            let [mean, variance] = [&self.running_mean, &self.running_var];
            let scale = (weight? / (variance.reshape((1, (), 1, 1))? + EPSILON)?.sqrt()?)?;
            let centred = maps.broadcast_sub(&mean.reshape((1, (), 1, 1))?)?;
            let normal = centred.broadcast_mul(&scale)?.broadcast_add(&bias?)?;
            return finish.portable(&normal, residual);
        }
        let batch = Normalised::of(&maps.detach())?;
        let (mean, variance) = (batch.mean.flatten_all()?, batch.variance.flatten_all()?);
        self.track(&mean, &variance, batch.positions)?;
        let scaled = batch.values.broadcast_mul(&weight?.detach())?;
        let output = scaled.broadcast_add(&bias?.detach())?;
        let weight = self.weight.detach();
        let inputs = [&maps, &self.weight, &self.bias];
        let output = way_back::of_three(inputs, output, move |gradient| {
            batch.back(gradient, &weight).map(|own| own.map(Some))
        })?;
        finish.portable(&output, residual)
    }

    /// Moves the running statistics towards a batch's; fixed ones are no batch's.
    pub(crate) fn track_all(&self, statistics: &Statistics) -> Result<()> {
        if statistics.count == 0 {
            return Ok(());
        }
        let device = self.running_mean.device();
        let tensor = |values: &[f32]| Tensor::from_slice(values, values.len(), device);
        let (mean, variance) = (tensor(&statistics.mean)?, tensor(&statistics.variance)?);
        self.track(&mean, &variance, statistics.count)
    }

    /// Moves the running statistics towards a batch's mean and biased variance over so many
    /// positions.
    fn track(&self, mean: &Tensor, variance: &Tensor, positions: usize) -> Result<()> {
        let positions = positions as f64;
        // Of a single number there is no unbiased variance; the running one then stays.
        if positions > 1.0 {
            let unbiased = (variance.detach() * (positions / (positions - 1.0)))?;
            towards(&self.running_var, &unbiased)?;
        }
        towards(&self.running_mean, &mean.detach())
    }

    /// Whether its running statistics are fixed: it normalises by them, whatever the batch.
    fn is_fixed(&self) -> bool {
        !self.running_mean.is_variable()
    }

    /// The running statistics where they are fixed.
    pub(crate) fn fixed_statistics(&self) -> Result<Option<Statistics>> {
        if !self.is_fixed() {
            return Ok(None);
        }
        Ok(Some(Statistics {
            mean: values(&self.running_mean)?.to_vec(),
            variance: values(&self.running_var)?.to_vec(),
            count: 0,
        }))
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

fn towards(running: &Tensor, batch: &Tensor) -> Result<()> {
    let old = running.detach();
    let moved = (&old + ((batch - &old)? * MOMENTUM)?)?;
    Var::from_tensor(running)?.set(&moved)
}
