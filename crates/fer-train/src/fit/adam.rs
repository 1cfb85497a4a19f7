use std::collections::BTreeMap;

use anyhow::{Context, Result};
use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor, Var};
use fer_model::Parameters;
use fer_model::ops::{AdamSettings, AdamState, Engine};

const MOMENTS: [&str; 2] = ["first_moment", "second_moment"];

/// Adam over the trainable variables of a network; its state is kept by tensor name.
pub struct Adam {
    vars: Vec<(String, Var)>,
    state: BTreeMap<String, AdamState>,
    settings: AdamSettings,
    steps: u64,
}

impl Adam {
    /// Starts with zero moments for every trainable variable of `parameters`, to be moved by `engine`
    /// where they are on the CPU.
    ///
    /// # Errors
    /// A device without memory.
    pub fn new(parameters: &Parameters, settings: AdamSettings, engine: Engine) -> Result<Self> {
        let vars = parameters.trainable();
        let mut state = BTreeMap::new();
        for (name, var) in &vars {
            state.insert(name.clone(), AdamState::new(var, engine)?);
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
        for (name, var) in &self.vars {
            let Some(state) = self.state.get(name) else {
                continue;
            };
            for (moment, tensor) in MOMENTS.into_iter().zip(state.moments(var)?) {
                let tensor = tensor.to_device(&Device::Cpu)?;
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
            let moment = |moment: &str| {
                let name = format!("{name}.{moment}");
                tensors
                    .get(&name)
                    .with_context(|| format!("{name} is missing"))
            };
            let [first, second] = MOMENTS;
            let moments = [moment(first)?, moment(second)?];
            if let Some(state) = self.state.get_mut(name) {
                state.restore(var, moments).context(name.clone())?;
            }
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
        // Past 2³² steps the corrections have been 1 for long.
        let step = u32::try_from(self.steps).unwrap_or(u32::MAX);
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
