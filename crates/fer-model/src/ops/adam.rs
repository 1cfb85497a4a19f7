use std::sync::{Mutex, PoisonError};

use candle_core::{CpuStorage, InplaceOp2, Layout, Result, Tensor, Var, bail};
use serde::{Deserialize, Serialize};

use crate::ops::kernel::adam::{Adam, Epsilon};
use crate::ops::values::{slice, slice_mut};
use crate::ops::{Engine, kernel};

/// Adam (Kingma & Ba 2015), and AdamW (Loshchilov & Hutter 2019) where the weight decay is not zero.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdamSettings {
    /// Decay of the mean gradient, 0 to below 1. Default 0.9.
    pub beta1: f64,
    /// Decay of the mean squared gradient, 0 to below 1. Default 0.999.
    pub beta2: f64,
    /// Added to the root of the mean square, above 0. Default 1e-7.
    pub epsilon: f64,
    /// Where epsilon stands. Default Keras's place.
    pub form: AdamForm,
    /// The share of a weight, times the learning rate, that every step takes away, at least 0. It
    /// applies to tensors of two and more dimensions: not to biases and normalisations. Default 0.
    pub weight_decay: f64,
}

/// Where Adam adds its epsilon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AdamForm {
    /// To the root of the second moment as it is: Keras, and section 2 of the paper.
    #[default]
    Keras,
    /// To the root of the corrected second moment: PyTorch, and algorithm 1 of the paper.
    PyTorch,
}

impl Default for AdamSettings {
    fn default() -> Self {
        AdamSettings {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-7,
            form: AdamForm::Keras,
            weight_decay: 0.0,
        }
    }
}

impl AdamSettings {
    /// The kernel's constants for a variable of so many dimensions.
    fn constants(&self, learning_rate: f64, rank: usize) -> Adam {
        Adam {
            rate: learning_rate as f32,
            beta1: self.beta1,
            beta2: self.beta2,
            epsilon: self.epsilon as f32,
            form: match self.form {
                AdamForm::Keras => Epsilon::Keras,
                AdamForm::PyTorch => Epsilon::PyTorch,
            },
            decay: if rank >= 2 {
                self.weight_decay as f32
            } else {
                0.0
            },
        }
    }
}

/// What Adam remembers of one variable: the mean gradient and the mean squared gradient.
#[derive(Debug)]
pub struct AdamState(Moments);

#[derive(Debug)]
enum Moments {
    Kernels(kernel::Engine, Mutex<[Vec<f32>; 2]>),
    Portable([Tensor; 2]),
}

impl AdamState {
    /// Zeros in the shape of `var`.
    ///
    /// # Errors
    /// A device without memory.
    pub fn new(var: &Var, engine: Engine) -> Result<Self> {
        Ok(AdamState(match engine.kernels_for(var) {
            Some(engine) => {
                let zeros = || vec![0.0; var.elem_count()];
                Moments::Kernels(engine, Mutex::new([zeros(), zeros()]))
            }
            None => Moments::Portable([var.zeros_like()?, var.zeros_like()?]),
        }))
    }

    /// Copies of the first and the second moment, in the shape of `var`.
    ///
    /// # Errors
    /// A device without memory.
    pub fn moments(&self, var: &Var) -> Result<[Tensor; 2]> {
        match &self.0 {
            Moments::Kernels(_, moments) => {
                let moments = moments.lock().unwrap_or_else(PoisonError::into_inner);
                let [first, second] = &*moments;
                let tensor = |values| Tensor::from_slice(values, var.shape(), var.device());
                Ok([tensor(first)?, tensor(second)?])
            }
            Moments::Portable([first, second]) => Ok([first.copy()?, second.copy()?]),
        }
    }

    /// Takes over a first and a second moment in the shape of `var`.
    ///
    /// # Errors
    /// Moments of another shape.
    pub fn restore(&mut self, var: &Var, [first, second]: [&Tensor; 2]) -> Result<()> {
        if first.shape() != var.shape() || second.shape() != var.shape() {
            bail!(
                "the moments have shapes {:?} and {:?}, their variable {:?}",
                first.shape(),
                second.shape(),
                var.shape()
            );
        }
        match &mut self.0 {
            Moments::Kernels(_, moments) => {
                let flat = |moment: &Tensor| moment.flatten_all()?.to_vec1();
                *moments.get_mut().unwrap_or_else(PoisonError::into_inner) =
                    [flat(first)?, flat(second)?];
            }
            Moments::Portable(moments) => {
                let moved = |moment: &Tensor| moment.to_device(var.device())?.copy();
                *moments = [moved(first)?, moved(second)?];
            }
        }
        Ok(())
    }

    /// One step: both moments take in `gradient`, then `var` moves by `learning_rate`, corrected
    /// for step number `step`, counted from 1.
    ///
    /// # Errors
    /// A gradient of another shape than the variable's, or a step of 0.
    pub fn step(
        &mut self,
        var: &Var,
        gradient: &Tensor,
        learning_rate: f64,
        step: u32,
        settings: &AdamSettings,
    ) -> Result<()> {
        if var.shape() != gradient.shape() || step == 0 {
            bail!(
                "step {step} (the first is 1): the gradient has shape {:?}, its variable {:?}",
                gradient.shape(),
                var.shape()
            );
        }
        let constants = settings.constants(learning_rate, var.rank());
        match &mut self.0 {
            Moments::Kernels(engine, moments) => {
                let update = Update {
                    engine: *engine,
                    constants,
                    step,
                    moments,
                };
                var.inplace_op2(&gradient.contiguous()?, &update)
            }
            Moments::Portable(moments) => step_portable(moments, var, gradient, step, constants),
        }
    }
}

fn step_portable(
    [first, second]: &mut [Tensor; 2],
    var: &Var,
    gradient: &Tensor,
    step: u32,
    constants: Adam,
) -> Result<()> {
    let Adam { beta1, beta2, .. } = constants;
    let gradient = gradient.detach();
    let towards =
        |mean: &Tensor, value: &Tensor, beta: f64| (mean * beta)? + (value * (1.0 - beta))?;
    *first = towards(first, &gradient, beta1)?;
    *second = towards(second, &gradient.sqr()?, beta2)?;
    let power = i32::try_from(step).unwrap_or(i32::MAX);
    let first_correction = 1.0 / (1.0 - beta1.powi(power));
    let second_correction = 1.0 / (1.0 - beta2.powi(power));
    let rate = f64::from(constants.rate);
    let (rate, correction) = match constants.form {
        Epsilon::Keras => (rate * first_correction / second_correction.sqrt(), 1.0),
        Epsilon::PyTorch => (rate * first_correction, second_correction),
    };
    let root = ((&*second * correction)?.sqrt()? + f64::from(constants.epsilon))?;
    let change = ((&*first * rate)? / root)?;
    let keep = 1.0 - f64::from(constants.rate) * f64::from(constants.decay);
    let kept = (var.as_tensor().detach() * keep)?;
    var.set(&(kept - change)?)
}

/// One pass over variable, gradient and both moments.
struct Update<'a> {
    engine: kernel::Engine,
    constants: Adam,
    step: u32,
    moments: &'a Mutex<[Vec<f32>; 2]>,
}

impl InplaceOp2 for Update<'_> {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn cpu_fwd(
        &self,
        var: &mut CpuStorage,
        var_layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> Result<()> {
        let mut moments = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        let [first, second] = &mut *moments;
        self.constants.update(
            self.engine,
            self.step,
            slice(gradient, gradient_layout)?,
            slice_mut(var, var_layout)?,
            first,
            second,
        );
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use candle_core::{DType, Device};

    use super::*;

    const START: [[f32; 3]; 2] = [[1.0, -2.0, 0.5], [0.25, 4.0, -1.0]];
    const GRADIENTS: [[[f32; 3]; 2]; 3] = [
        [[0.1, -3.0, 0.0], [1.0, 2.0, -0.5]],
        [[0.2, 1.0, 0.0], [1e-3, -2.0, 0.5]],
        [[-0.4, 2.0, 1e-4], [0.0, 1.0, 3.0]],
    ];

    /// The formula in f64, one value at a time.
    fn expected(settings: &AdamSettings, row: usize, column: usize) -> f64 {
        let (mut value, mut first, mut second) = (f64::from(START[row][column]), 0.0, 0.0);
        for (index, gradient) in GRADIENTS.iter().enumerate() {
            let slope = f64::from(gradient[row][column]);
            let step = index as i32 + 1;
            first = settings.beta1 * first + (1.0 - settings.beta1) * slope;
            second = settings.beta2 * second + (1.0 - settings.beta2) * slope * slope;
            let (mean, square) = (
                first / (1.0 - settings.beta1.powi(step)),
                second / (1.0 - settings.beta2.powi(step)),
            );
            let correction = (1.0 - settings.beta2.powi(step)).sqrt();
            let change = match settings.form {
                AdamForm::PyTorch => mean / (square.sqrt() + settings.epsilon),
                AdamForm::Keras => mean * correction / (second.sqrt() + settings.epsilon),
            };
            value = value * (1.0 - 0.01 * settings.weight_decay) - 0.01 * change;
        }
        value
    }

    fn trained(engine: Engine, settings: &AdamSettings) -> Vec<Vec<f32>> {
        let var = Var::new(&START, &Device::Cpu).unwrap();
        let mut state = AdamState::new(&var, engine).unwrap();
        for (index, gradient) in GRADIENTS.iter().enumerate() {
            // A state that was saved and restored goes on as if nothing had happened.
            let [first, second] = state.moments(&var).unwrap();
            state = AdamState::new(&var, engine).unwrap();
            state.restore(&var, [&first, &second]).unwrap();
            let gradient = Tensor::new(gradient, &Device::Cpu).unwrap();
            let step = index as u32 + 1;
            state.step(&var, &gradient, 0.01, step, settings).unwrap();
        }
        var.to_vec2().unwrap()
    }

    #[test]
    fn every_engine_follows_the_formula_in_both_forms_with_and_without_decay() {
        for engine in Engine::available() {
            for form in [AdamForm::Keras, AdamForm::PyTorch] {
                for weight_decay in [0.0, 0.5] {
                    let settings = AdamSettings {
                        form,
                        weight_decay,
                        epsilon: 1e-3,
                        ..AdamSettings::default()
                    };
                    let found = trained(engine, &settings);
                    for (row, column) in (0..6).map(|place| (place / 3, place % 3)) {
                        let (found, expected) = (
                            f64::from(found[row][column]),
                            expected(&settings, row, column),
                        );
                        assert!(
                            (found - expected).abs() < 1e-6,
                            "{engine} {settings:?}: {found} {expected}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn biases_do_not_decay() {
        for engine in Engine::available() {
            let var = Var::new(&[2f32, -2.0], &Device::Cpu).unwrap();
            let settings = AdamSettings {
                weight_decay: 0.5,
                ..AdamSettings::default()
            };
            let mut state = AdamState::new(&var, engine).unwrap();
            let zero = var.zeros_like().unwrap();
            state.step(&var, &zero, 0.1, 1, &settings).unwrap();
            assert_eq!(var.to_vec1::<f32>().unwrap(), [2.0, -2.0]);
        }
    }

    #[test]
    fn a_gradient_or_a_moment_of_another_shape_is_refused() {
        let var = Var::zeros(3, DType::F32, &Device::Cpu).unwrap();
        let other = Tensor::zeros(4, DType::F32, &Device::Cpu).unwrap();
        let mut state = AdamState::new(&var, Engine::detect()).unwrap();
        assert!(
            state
                .step(&var, &other, 0.01, 1, &AdamSettings::default())
                .is_err()
        );
        assert!(state.restore(&var, [&other, &other]).is_err());
    }
}
