use std::collections::BTreeMap;

use anyhow::{Context, Result};
use candle_core::Var;
use candle_core::backprop::GradStore;
use fer_model::Parameters;
use fer_model::ops::{AdamSettings, AdamState, Engine};

/// Adam over the trainable variables of a network; its state is kept by tensor name.
pub struct Adam {
    vars: Vec<(String, Var)>,
    state: BTreeMap<String, AdamState>,
    settings: AdamSettings,
    step: u32,
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
            step: 0,
        })
    }

    /// Moves every variable by its gradient.
    ///
    /// # Errors
    /// A variable without a gradient, by name: the network does not use it.
    pub fn step(&mut self, gradients: &GradStore, learning_rate: f64) -> Result<()> {
        self.step += 1;
        for (name, var) in &self.vars {
            let gradient = gradients
                .get(var)
                .with_context(|| format!("{name} has no gradient"))?;
            if let Some(state) = self.state.get_mut(name) {
                state.step(var, gradient, learning_rate, self.step, &self.settings)?;
            }
        }
        Ok(())
    }
}
