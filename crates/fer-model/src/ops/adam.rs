use candle_core::{CpuStorage, DType, InplaceOp2, InplaceOp3, Layout, Result, Tensor, Var, bail};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Values handled by one thread at a time.
const CHUNK: usize = 1 << 14;

/// Adam as Keras has it (Kingma & Ba 2015): the bias corrections scale the rate, and epsilon is
/// added to the uncorrected root.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdamSettings {
    /// Decay of the mean gradient, 0 to below 1. Default 0.9.
    pub beta1: f64,
    /// Decay of the mean squared gradient, 0 to below 1. Default 0.999.
    pub beta2: f64,
    /// Added to the root of the mean square, above 0. Default 1e-7.
    pub epsilon: f64,
}

impl Default for AdamSettings {
    fn default() -> Self {
        AdamSettings {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-7,
        }
    }
}

/// What Adam remembers of one variable: two tensors of its shape.
#[derive(Clone, Debug)]
pub struct AdamState {
    /// Mean gradient.
    pub first_moment: Tensor,
    /// Mean squared gradient.
    pub second_moment: Tensor,
}

impl AdamState {
    /// Zeros in the shape of `var`, on its device.
    ///
    /// # Errors
    /// A device without memory.
    pub fn new(var: &Var) -> Result<Self> {
        Ok(AdamState {
            first_moment: var.zeros_like()?,
            second_moment: var.zeros_like()?,
        })
    }

    /// One step: both moments take in `gradient`, then `var` moves by `learning_rate`, corrected
    /// for step number `step`, counted from 1.
    ///
    /// # Errors
    /// A gradient of another shape than the variable's.
    pub fn step(
        &mut self,
        var: &Var,
        gradient: &Tensor,
        learning_rate: f64,
        step: i32,
        settings: &AdamSettings,
    ) -> Result<()> {
        if var.shape() != gradient.shape() {
            bail!(
                "the gradient has shape {:?}, its variable {:?}",
                gradient.shape(),
                var.shape()
            );
        }
        let correction =
            (1.0 - settings.beta2.powi(step)).sqrt() / (1.0 - settings.beta1.powi(step));
        let rate = learning_rate * correction;
        if var.device().is_cpu() && var.dtype() == DType::F32 {
            self.step_in_place(var, &gradient.contiguous()?, rate, settings)
        } else {
            self.step_portable(var, gradient, rate, settings)
        }
    }

    fn step_in_place(
        &self,
        var: &Var,
        gradient: &Tensor,
        rate: f64,
        settings: &AdamSettings,
    ) -> Result<()> {
        self.first_moment.inplace_op2(
            gradient,
            &Mean {
                share: 1.0 - settings.beta1 as f32,
            },
        )?;
        self.second_moment.inplace_op2(
            gradient,
            &MeanSquare {
                share: 1.0 - settings.beta2 as f32,
            },
        )?;
        let descent = Descent {
            rate: rate as f32,
            epsilon: settings.epsilon as f32,
        };
        var.inplace_op3(&self.first_moment, &self.second_moment, &descent)
    }

    fn step_portable(
        &mut self,
        var: &Var,
        gradient: &Tensor,
        rate: f64,
        settings: &AdamSettings,
    ) -> Result<()> {
        let gradient = gradient.detach();
        let towards =
            |mean: &Tensor, value: Tensor, beta: f64| mean + ((value - mean)? * (1.0 - beta))?;
        self.first_moment = towards(&self.first_moment, gradient.clone(), settings.beta1)?;
        self.second_moment = towards(&self.second_moment, gradient.sqr()?, settings.beta2)?;
        let root = (self.second_moment.sqrt()? + settings.epsilon)?;
        let change = ((&self.first_moment * rate)? / root)?;
        var.set(&(var.as_tensor().detach() - change)?)
    }
}

/// mean += share · (gradient − mean)
struct Mean {
    share: f32,
}

/// mean += share · (gradient² − mean)
struct MeanSquare {
    share: f32,
}

/// variable −= rate · first / (√second + epsilon)
struct Descent {
    rate: f32,
    epsilon: f32,
}

impl InplaceOp2 for Mean {
    fn name(&self) -> &'static str {
        "adam-mean"
    }

    fn cpu_fwd(
        &self,
        mean: &mut CpuStorage,
        mean_layout: &Layout,
        gradient: &CpuStorage,
        layout: &Layout,
    ) -> Result<()> {
        let share = self.share;
        each_pair(mean, mean_layout, gradient, layout, |mean, gradient| {
            *mean += share * (gradient - *mean)
        })
    }
}

impl InplaceOp2 for MeanSquare {
    fn name(&self) -> &'static str {
        "adam-mean-square"
    }

    fn cpu_fwd(
        &self,
        mean: &mut CpuStorage,
        mean_layout: &Layout,
        gradient: &CpuStorage,
        layout: &Layout,
    ) -> Result<()> {
        let share = self.share;
        each_pair(mean, mean_layout, gradient, layout, |mean, gradient| {
            *mean += share * (gradient * gradient - *mean)
        })
    }
}

impl InplaceOp3 for Descent {
    fn name(&self) -> &'static str {
        "adam-descent"
    }

    fn cpu_fwd(
        &self,
        var: &mut CpuStorage,
        var_layout: &Layout,
        first: &CpuStorage,
        first_layout: &Layout,
        second: &CpuStorage,
        second_layout: &Layout,
    ) -> Result<()> {
        let Descent { rate, epsilon } = *self;
        let (first, second) = (slice(first, first_layout)?, slice(second, second_layout)?);
        slice_mut(var, var_layout)?
            .par_chunks_mut(CHUNK)
            .zip(first.par_chunks(CHUNK).zip(second.par_chunks(CHUNK)))
            .for_each(|(var, (first, second))| {
                for ((var, &first), &second) in var.iter_mut().zip(first).zip(second) {
                    *var -= rate * first / (second.sqrt() + epsilon);
                }
            });
        Ok(())
    }
}

fn each_pair(
    target: &mut CpuStorage,
    target_layout: &Layout,
    source: &CpuStorage,
    source_layout: &Layout,
    change: impl Fn(&mut f32, f32) + Sync,
) -> Result<()> {
    let source = slice(source, source_layout)?;
    slice_mut(target, target_layout)?
        .par_chunks_mut(CHUNK)
        .zip(source.par_chunks(CHUNK))
        .for_each(|(target, source)| {
            target
                .iter_mut()
                .zip(source)
                .for_each(|(target, &source)| change(target, source))
        });
    Ok(())
}

fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => bail!("Adam takes contiguous tensors"),
    }
}

fn slice_mut<'a>(storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((start, end))) => Ok(&mut values[start..end]),
        _ => bail!("Adam takes contiguous f32 tensors"),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn both_forms_follow_the_formula_over_several_steps() {
        let settings = AdamSettings::default();
        let start = [1.0f32, -2.0, 0.5];
        let gradients = [[0.1f32, -3.0, 0.0], [0.2, 1.0, 0.0], [-0.4, 2.0, 1e-4]];
        let (mut value, mut first, mut second) = (start.map(f64::from), [0f64; 3], [0f64; 3]);
        let var = |_| Var::from_slice(&start, 3, &Device::Cpu).unwrap();
        let vars = [(); 2].map(var);
        let mut states = [0, 1].map(|form: usize| AdamState::new(&vars[form]).unwrap());
        for (index, gradient) in gradients.iter().enumerate() {
            let step = index as i32 + 1;
            let correction = (1.0 - 0.999f64.powi(step)).sqrt() / (1.0 - 0.9f64.powi(step));
            for place in 0..3 {
                let slope = f64::from(gradient[place]);
                first[place] += 0.1 * (slope - first[place]);
                second[place] += 0.001 * (slope * slope - second[place]);
                value[place] -= 0.01 * correction * first[place] / (second[place].sqrt() + 1e-7);
            }
            let gradient = Tensor::new(gradient, &Device::Cpu).unwrap();
            states[0]
                .step(&vars[0], &gradient, 0.01, step, &settings)
                .unwrap();
            states[1]
                .step_portable(&vars[1], &gradient, 0.01 * correction, &settings)
                .unwrap();
        }
        for var in &vars {
            for (found, expected) in var.to_vec1::<f32>().unwrap().iter().zip(value) {
                assert!(
                    (f64::from(*found) - expected).abs() < 1e-6,
                    "{found} {expected}"
                );
            }
        }
    }

    #[test]
    fn a_gradient_of_another_shape_is_refused() {
        let var = Var::zeros(3, DType::F32, &Device::Cpu).unwrap();
        let gradient = Tensor::zeros(4, DType::F32, &Device::Cpu).unwrap();
        let mut state = AdamState::new(&var).unwrap();
        assert!(
            state
                .step(&var, &gradient, 0.01, 1, &AdamSettings::default())
                .is_err()
        );
    }
}
