use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor, Var};
use fer_model::Parameters;
use fer_model::ops::{AdamSettings, AdamState};

const FIRST: &str = "first_moment";
const SECOND: &str = "second_moment";

/// Adam over all variables of a network; its state is kept by tensor name.
pub struct Adam {
    vars: Vec<(String, Var)>,
    state: BTreeMap<String, AdamState>,
    settings: AdamSettings,
    steps: u64,
}

impl Adam {
    /// Starts with zero moments for every variable of `parameters`.
    ///
    /// # Errors
    /// A device without memory.
    pub fn new(parameters: &Parameters, settings: AdamSettings) -> Result<Self> {
        let vars = parameters.vars();
        let mut state = BTreeMap::new();
        for (name, var) in &vars {
            state.insert(name.clone(), AdamState::new(var)?);
        }
        Ok(Adam {
            vars,
            state,
            settings,
            steps: 0,
        })
    }

    /// How many steps were made.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Copies of what is remembered of each variable, on the CPU: two tensors of its shape, named
    /// after it with `.first_moment` and `.second_moment`.
    ///
    /// # Errors
    /// A device that cannot be read.
    pub fn state(&self) -> Result<BTreeMap<String, Tensor>> {
        let mut tensors = BTreeMap::new();
        for (name, state) in &self.state {
            for (moment, tensor) in [(FIRST, &state.first_moment), (SECOND, &state.second_moment)] {
                let tensor = tensor.to_device(&Device::Cpu)?.detach().copy()?;
                tensors.insert(format!("{name}.{moment}"), tensor);
            }
        }
        Ok(tensors)
    }

    /// Goes back to a [`state`](Self::state) as it was after `steps` steps.
    ///
    /// # Errors
    /// A moment that is missing, by name, or has another shape.
    pub fn restore(&mut self, tensors: &BTreeMap<String, Tensor>, steps: u64) -> Result<()> {
        for (name, var) in &self.vars {
            let moment = |moment: &str| -> Result<Tensor> {
                let name = format!("{name}.{moment}");
                let tensor = tensors
                    .get(&name)
                    .with_context(|| format!("{name} is missing"))?;
                ensure!(
                    tensor.shape() == var.shape(),
                    "{name} has shape {:?}, expected {:?}",
                    tensor.shape(),
                    var.shape()
                );
                Ok(tensor.to_device(var.device())?.copy()?)
            };
            let state = AdamState {
                first_moment: moment(FIRST)?,
                second_moment: moment(SECOND)?,
            };
            self.state.insert(name.clone(), state);
        }
        self.steps = steps;
        Ok(())
    }

    /// Moves every variable by its gradient.
    ///
    /// # Errors
    /// A variable without a gradient, by name: the network does not use it.
    pub fn step(&mut self, gradients: &GradStore, learning_rate: f64) -> Result<()> {
        self.steps += 1;
        // Past 2³¹ steps the corrections have been 1 for long.
        let step = i32::try_from(self.steps).unwrap_or(i32::MAX);
        for (name, var) in &self.vars {
            let gradient = gradients
                .get(var)
                .with_context(|| format!("{name} has no gradient"))?;
            if let Some(state) = self.state.get_mut(name) {
                state.step(var, gradient, learning_rate, step, &self.settings)?;
            }
        }
        Ok(())
    }
}
