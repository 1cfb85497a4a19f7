use std::sync::{Mutex, PoisonError};

use candle_core::{CpuStorage, InplaceOp2, Layout, Result, Tensor, Var, bail};
use fer_data::DataError;
use serde::{Deserialize, Serialize};

use crate::ops::kernel::sgd::Sgd;
use crate::ops::values::{slice, slice_mut};
use crate::ops::{Engine, kernel};

/// Stochastic gradient descent with momentum, as PyTorch's `torch.optim.SGD` has it (Sutskever et al.
/// 2013, with the learning rate outside the velocity), without dampening.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SgdSettings {
    /// The share of the velocity that a step keeps, 0 to below 1. Default 0.9.
    pub momentum: f64,
    /// Whether a step looks ahead along the new velocity (Nesterov 1983); without momentum it makes
    /// no difference. Default true.
    pub nesterov: bool,
    /// The share of a weight that is added to its gradient, at least 0: an L2 penalty, not AdamW's
    /// decay. It applies to tensors of two and more dimensions: not to biases and normalisations.
    /// Default 0.
    pub weight_decay: f64,
}

impl Default for SgdSettings {
    fn default() -> Self {
        SgdSettings {
            momentum: 0.9,
            nesterov: true,
            weight_decay: 0.0,
        }
    }
}

impl SgdSettings {
    /// Checks every range.
    ///
    /// # Errors
    /// [`DataError::Setting`], naming the first setting out of range as `training.sgd.…`.
    pub fn check(&self) -> std::result::Result<(), DataError> {
        let setting = |name, value: f64, expected| DataError::Setting {
            name,
            value: value.to_string(),
            expected,
        };
        if !(0.0..1.0).contains(&self.momentum) {
            let expected = "at least 0 and below 1";
            return Err(setting("training.sgd.momentum", self.momentum, expected));
        }
        if !(self.weight_decay >= 0.0 && self.weight_decay.is_finite()) {
            let name = "training.sgd.weight_decay";
            return Err(setting(name, self.weight_decay, "at least 0"));
        }
        Ok(())
    }

    /// The kernel's constants for a variable of so many dimensions.
    fn constants(&self, learning_rate: f64, rank: usize) -> Sgd {
        let decay = if rank >= 2 { self.weight_decay } else { 0.0 };
        Sgd {
            rate: learning_rate as f32,
            momentum: self.momentum as f32,
            nesterov: self.nesterov,
            decay: decay as f32,
        }
    }
}

/// What stochastic gradient descent remembers of one variable: its velocity, the sum of the past
/// gradients, each weighted by the momentum once for every step since.
#[derive(Debug)]
pub struct SgdState(Velocity);

#[derive(Debug)]
enum Velocity {
    Kernels(kernel::Engine, Mutex<Vec<f32>>),
    Portable(Tensor),
}

impl SgdState {
    /// No velocity, in the shape of `var`. The first step makes it the first gradient, as in PyTorch.
    ///
    /// # Errors
    /// A device without memory.
    pub fn new(var: &Var, engine: Engine) -> Result<Self> {
        Ok(SgdState(match engine.kernels_for(var) {
            Some(engine) => Velocity::Kernels(engine, Mutex::new(vec![0.0; var.elem_count()])),
            None => Velocity::Portable(var.zeros_like()?),
        }))
    }

    /// A copy of the velocity, in the shape of `var`.
    ///
    /// # Errors
    /// A device without memory.
    pub fn velocity(&self, var: &Var) -> Result<Tensor> {
        match &self.0 {
            Velocity::Kernels(_, velocity) => {
                let velocity = velocity.lock().unwrap_or_else(PoisonError::into_inner);
                Tensor::from_slice(velocity.as_slice(), var.shape(), var.device())
            }
            Velocity::Portable(velocity) => velocity.copy(),
        }
    }

    /// Takes over a velocity in the shape of `var`.
    ///
    /// # Errors
    /// A velocity of another shape.
    pub fn restore(&mut self, var: &Var, velocity: &Tensor) -> Result<()> {
        if velocity.shape() != var.shape() {
            bail!(
                "the velocity has shape {:?}, its variable {:?}",
                velocity.shape(),
                var.shape()
            );
        }
        match &mut self.0 {
            Velocity::Kernels(_, own) => {
                *own.get_mut().unwrap_or_else(PoisonError::into_inner) =
                    velocity.flatten_all()?.to_vec1()?;
            }
            Velocity::Portable(own) => *own = velocity.to_device(var.device())?.copy()?,
        }
        Ok(())
    }

    /// One step: the decay joins `gradient`, the velocity takes it in, and `var` moves by
    /// `learning_rate`.
    ///
    /// # Errors
    /// A gradient of another shape than the variable's.
    pub fn step(
        &mut self,
        var: &Var,
        gradient: &Tensor,
        learning_rate: f64,
        settings: &SgdSettings,
    ) -> Result<()> {
        if var.shape() != gradient.shape() {
            bail!(
                "the gradient has shape {:?}, its variable {:?}",
                gradient.shape(),
                var.shape()
            );
        }
        let constants = settings.constants(learning_rate, var.rank());
        match &mut self.0 {
            Velocity::Kernels(engine, velocity) => {
                let update = Update {
                    engine: *engine,
                    constants,
                    velocity,
                };
                var.inplace_op2(&gradient.contiguous()?, &update)
            }
            Velocity::Portable(velocity) => step_portable(velocity, var, gradient, constants),
        }
    }
}

fn step_portable(velocity: &mut Tensor, var: &Var, gradient: &Tensor, sgd: Sgd) -> Result<()> {
    let place = var.as_tensor().detach();
    let slope = (gradient.detach() + (&place * f64::from(sgd.decay))?)?;
    *velocity = ((&*velocity * f64::from(sgd.momentum))? + &slope)?;
    let change = match sgd.nesterov {
        true => (slope + (&*velocity * f64::from(sgd.momentum))?)?,
        false => velocity.clone(),
    };
    var.set(&(place - (change * f64::from(sgd.rate))?)?)
}

/// One pass over variable, gradient and velocity.
struct Update<'a> {
    engine: kernel::Engine,
    constants: Sgd,
    velocity: &'a Mutex<Vec<f32>>,
}

impl InplaceOp2 for Update<'_> {
    fn name(&self) -> &'static str {
        "sgd"
    }

    fn cpu_fwd(
        &self,
        var: &mut CpuStorage,
        var_layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> Result<()> {
        let mut velocity = self.velocity.lock().unwrap_or_else(PoisonError::into_inner);
        self.constants.update(
            self.engine,
            slice(gradient, gradient_layout)?,
            slice_mut(var, var_layout)?,
            &mut velocity,
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
    fn expected(settings: &SgdSettings, row: usize, column: usize) -> f64 {
        let (mut value, mut velocity) = (f64::from(START[row][column]), 0.0);
        for gradient in GRADIENTS {
            let slope = f64::from(gradient[row][column]) + settings.weight_decay * value;
            velocity = settings.momentum * velocity + slope;
            value -= 0.1
                * match settings.nesterov {
                    true => slope + settings.momentum * velocity,
                    false => velocity,
                };
        }
        value
    }

    fn trained(engine: Engine, settings: &SgdSettings) -> Vec<Vec<f32>> {
        let var = Var::new(&START, &Device::Cpu).unwrap();
        let mut state = SgdState::new(&var, engine).unwrap();
        for gradient in GRADIENTS {
            // A state that was saved and restored goes on as if nothing had happened.
            let velocity = state.velocity(&var).unwrap();
            state = SgdState::new(&var, engine).unwrap();
            state.restore(&var, &velocity).unwrap();
            let gradient = Tensor::new(&gradient, &Device::Cpu).unwrap();
            state.step(&var, &gradient, 0.1, settings).unwrap();
        }
        var.to_vec2().unwrap()
    }

    #[test]
    fn every_engine_follows_the_formula_with_and_without_each_part() {
        for engine in Engine::available() {
            for nesterov in [false, true] {
                for (momentum, weight_decay) in [(0.0, 0.0), (0.9, 0.0), (0.9, 0.1)] {
                    let settings = SgdSettings {
                        momentum,
                        nesterov,
                        weight_decay,
                    };
                    let found = trained(engine, &settings);
                    for (row, column) in (0..6).map(|place| (place / 3, place % 3)) {
                        let expected = expected(&settings, row, column);
                        let found = f64::from(found[row][column]);
                        assert!(
                            (found - expected).abs() < 2e-6,
                            "{engine} {settings:?}: {found} {expected}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn biases_do_not_decay_and_weights_do() {
        let settings = SgdSettings {
            weight_decay: 0.5,
            ..SgdSettings::default()
        };
        for engine in Engine::available() {
            let after = |var: &Var| {
                let mut state = SgdState::new(var, engine).unwrap();
                let zero = var.zeros_like().unwrap();
                state.step(var, &zero, 0.1, &settings).unwrap();
                var.flatten_all().unwrap().to_vec1::<f32>().unwrap()
            };
            let bias = Var::new(&[2f32, -2.0], &Device::Cpu).unwrap();
            let weight = Var::new(&[[2f32, -2.0]], &Device::Cpu).unwrap();
            assert_eq!(after(&bias), [2.0, -2.0]);
            assert!(after(&weight)[0] < 1.9);
        }
    }

    #[test]
    fn a_gradient_or_a_velocity_of_another_shape_is_refused() {
        let var = Var::zeros(3, DType::F32, &Device::Cpu).unwrap();
        let other = Tensor::zeros(4, DType::F32, &Device::Cpu).unwrap();
        let settings = SgdSettings::default();
        for engine in Engine::available() {
            let mut state = SgdState::new(&var, engine).unwrap();
            assert!(state.step(&var, &other, 0.01, &settings).is_err());
            assert!(state.restore(&var, &other).is_err());
        }
    }

    #[test]
    fn settings_out_of_range_are_refused_by_name() {
        let said = |momentum, weight_decay| {
            let settings = SgdSettings {
                momentum,
                weight_decay,
                ..SgdSettings::default()
            };
            settings.check().map_err(|error| error.to_string())
        };
        assert_eq!(said(0.0, 1e-4), Ok(()));
        let refused = |found: std::result::Result<(), String>, name: &str| {
            assert!(found.unwrap_err().starts_with(name));
        };
        refused(said(1.0, 0.0), "training.sgd.momentum = 1");
        refused(said(f64::NAN, 0.0), "training.sgd.momentum = NaN");
        refused(said(0.9, -0.5), "training.sgd.weight_decay = -0.5");
        refused(said(0.9, f64::INFINITY), "training.sgd.weight_decay = inf");
    }
}
