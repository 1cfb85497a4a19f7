use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor, Var};
use fer_model::Parameters;
use fer_model::ops::{AdamSettings, AdamState, Engine, SgdSettings, SgdState};
use serde::{Deserialize, Serialize};

use crate::fit::together::{self, Together};

const MOMENTS: [&str; 2] = ["first_moment", "second_moment"];
const VELOCITY: &str = "velocity";

/// The kind of optimiser.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimiserKind {
    /// Adam, or AdamW with a weight decay; its constants are `training.adam`.
    #[default]
    Adam,
    /// Stochastic gradient descent with momentum; its constants are `training.sgd`.
    Sgd,
}

/// How gradients move the variables.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum UpdateRule {
    /// Adam or AdamW.
    Adam(AdamSettings),
    /// Stochastic gradient descent with momentum.
    Sgd(SgdSettings),
}

impl From<AdamSettings> for UpdateRule {
    fn from(settings: AdamSettings) -> Self {
        UpdateRule::Adam(settings)
    }
}

impl From<SgdSettings> for UpdateRule {
    fn from(settings: SgdSettings) -> Self {
        UpdateRule::Sgd(settings)
    }
}

/// What is remembered of one variable, with the constants of its rule.
enum Memory {
    Adam(AdamState, AdamSettings),
    Sgd(SgdState, SgdSettings),
}

/// Variables that are moved together.
struct Moved {
    vars: Together,
    memory: Memory,
}

/// An update rule over the trainable variables of a network; its state is kept by tensor name.
pub struct Optimiser {
    moved: Vec<Moved>,
    steps: u64,
}

impl Optimiser {
    /// Starts with zero moments, or no velocity, for every trainable variable of `parameters`, to be
    /// moved by `engine` where they are on the CPU.
    ///
    /// # Errors
    /// A device without memory.
    pub fn new(
        parameters: &Parameters,
        rule: impl Into<UpdateRule>,
        engine: Engine,
    ) -> Result<Self> {
        let rule = rule.into();
        let moved = Together::divide(parameters.trainable(), engine)?;
        let moved = moved.into_iter().map(|vars| {
            let whole = vars.whole();
            let memory = match rule {
                UpdateRule::Adam(settings) => {
                    Memory::Adam(AdamState::new(whole, engine)?, settings)
                }
                UpdateRule::Sgd(settings) => Memory::Sgd(SgdState::new(whole, engine)?, settings),
            };
            Ok(Moved { vars, memory })
        });
        Ok(Optimiser {
            moved: moved.collect::<Result<_>>()?,
            steps: 0,
        })
    }

    /// How many steps were made.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Copies of what is remembered of each variable, on the CPU: tensors of its shape, named after
    /// it with `.first_moment` and `.second_moment`, or with `.velocity`.
    ///
    /// # Errors
    /// A device that cannot be read.
    pub fn state(&self) -> Result<BTreeMap<String, Tensor>> {
        let mut tensors = BTreeMap::new();
        for Moved { vars, memory } in &self.moved {
            let mut keep = |what: &str, whole: Tensor| -> Result<()> {
                for (name, part) in vars.parts(&whole.to_device(&Device::Cpu)?)? {
                    tensors.insert(format!("{name}.{what}"), part);
                }
                Ok(())
            };
            match memory {
                Memory::Adam(state, _) => {
                    let [first, second] = state.moments(vars.whole())?;
                    keep(MOMENTS[0], first)?;
                    keep(MOMENTS[1], second)?;
                }
                Memory::Sgd(state, _) => keep(VELOCITY, state.velocity(vars.whole())?)?,
            }
        }
        Ok(tensors)
    }

    /// Goes back to a [`state`](Self::state) as it was after `steps` steps.
    ///
    /// # Errors
    /// A tensor that is missing or has another shape, by name.
    pub fn restore(&mut self, tensors: &BTreeMap<String, Tensor>, steps: u64) -> Result<()> {
        for Moved { vars, memory } in &mut self.moved {
            let kept = |what: &str| vars.joined(|name, var| kept(tensors, name, what, var));
            let whole = vars.whole();
            match memory {
                Memory::Adam(state, _) => {
                    state.restore(whole, [&kept(MOMENTS[0])?, &kept(MOMENTS[1])?])?;
                }
                Memory::Sgd(state, _) => state.restore(whole, &kept(VELOCITY)?)?,
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
        let Some(Moved { vars, .. }) = self.moved.first() else {
            return Ok(());
        };
        let device = vars.whole().device().clone();
        together::in_pool(&device, || self.step_each(gradients, learning_rate))
    }

    fn step_each(&mut self, gradients: &GradStore, learning_rate: f64) -> Result<()> {
        // Past 2³² steps Adam's corrections have been 1 for long.
        let step = u32::try_from(self.steps).unwrap_or(u32::MAX);
        for Moved { vars, memory } in &mut self.moved {
            let gradient = vars.joined(|name, var| {
                let own = gradients.get(var).cloned();
                own.with_context(|| format!("{name} has no gradient"))
            })?;
            vars.gather()?;
            let whole = vars.whole();
            match memory {
                Memory::Adam(state, settings) => {
                    state.step(whole, &gradient, learning_rate, step, settings)?;
                }
                Memory::Sgd(state, settings) => {
                    state.step(whole, &gradient, learning_rate, settings)?;
                }
            }
            vars.scatter()?;
        }
        Ok(())
    }
}

/// What is remembered of a variable, from a state.
fn kept(tensors: &BTreeMap<String, Tensor>, name: &str, what: &str, var: &Var) -> Result<Tensor> {
    let name = format!("{name}.{what}");
    let tensor = tensors
        .get(&name)
        .with_context(|| format!("{name} is missing"))?;
    ensure!(
        tensor.shape() == var.shape(),
        "{name} has shape {:?}, its variable {:?}",
        tensor.shape(),
        var.shape()
    );
    Ok(tensor.to_device(var.device())?)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn parameters() -> Parameters {
        let parameters = Parameters::new(3, &Device::Cpu);
        let builder = parameters.builder();
        builder.get((2, 3), "dense.weight").unwrap();
        builder.get(2, "dense.bias").unwrap();
        parameters
    }

    /// The gradients of half the sum of squares: the values themselves.
    fn gradients(parameters: &Parameters) -> GradStore {
        let squares = parameters.trainable().into_iter().map(|(_, var)| {
            let sum = var.sqr().unwrap().sum_all().unwrap();
            (sum * 0.5).unwrap()
        });
        let sum = squares.reduce(|sum, square| (sum + square).unwrap());
        sum.unwrap().backward().unwrap()
    }

    fn bits(parameters: &Parameters) -> Vec<u32> {
        let values = parameters.vars().into_iter().flat_map(|(_, var)| {
            let values = var.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            values.into_iter().map(f32::to_bits)
        });
        values.collect()
    }

    fn after(rule: UpdateRule, restored_at: Option<u64>) -> Vec<u32> {
        let parameters = parameters();
        for (name, var) in parameters.vars() {
            let values = Tensor::ones(var.shape(), var.dtype(), &Device::Cpu).unwrap();
            var.set(&(values * name.len() as f64).unwrap()).unwrap();
        }
        let mut optimiser = Optimiser::new(&parameters, rule, Engine::detect()).unwrap();
        for step in 0..4 {
            if restored_at == Some(step) {
                let state = optimiser.state().unwrap();
                optimiser = Optimiser::new(&parameters, rule, Engine::detect()).unwrap();
                optimiser.restore(&state, step).unwrap();
            }
            optimiser.step(&gradients(&parameters), 0.1).unwrap();
        }
        assert_eq!(optimiser.steps(), 4);
        bits(&parameters)
    }

    fn rules() -> [UpdateRule; 2] {
        [
            AdamSettings::default().into(),
            SgdSettings::default().into(),
        ]
    }

    #[test]
    fn a_state_that_comes_back_goes_on_to_the_same_bits() {
        for rule in rules() {
            let undisturbed = after(rule, None);
            assert_ne!(undisturbed, bits(&parameters()), "{rule:?}");
            for step in 0..4 {
                assert_eq!(after(rule, Some(step)), undisturbed, "{rule:?}");
            }
        }
        assert_ne!(after(rules()[0], None), after(rules()[1], None));
    }

    #[test]
    fn the_state_is_named_after_the_variables_and_missing_tensors_are_named() {
        let parameters = parameters();
        let states = rules().map(|rule| {
            let optimiser = Optimiser::new(&parameters, rule, Engine::detect()).unwrap();
            optimiser.state().unwrap()
        });
        let names = |state: &BTreeMap<String, Tensor>| state.keys().cloned().collect::<Vec<_>>();
        assert_eq!(
            names(&states[0]),
            [
                "dense.bias.first_moment",
                "dense.bias.second_moment",
                "dense.weight.first_moment",
                "dense.weight.second_moment"
            ]
        );
        assert_eq!(
            names(&states[1]),
            ["dense.bias.velocity", "dense.weight.velocity"]
        );
        let refused = |rule: UpdateRule, state| {
            let mut optimiser = Optimiser::new(&parameters, rule, Engine::detect()).unwrap();
            optimiser.restore(state, 1).unwrap_err().to_string()
        };
        let [adam, sgd] = rules();
        // Which comes first depends on what is moved together.
        let names_one = |refusal: String, missing: &str| {
            ["bias", "weight"]
                .iter()
                .any(|name| refusal.contains(&format!("dense.{name}.{missing} is missing")))
        };
        assert!(names_one(refused(adam, &states[1]), "first_moment"));
        assert!(names_one(refused(sgd, &states[0]), "velocity"));
    }

    #[test]
    fn a_variable_without_a_gradient_is_named() {
        let parameters = parameters();
        let (_, bias) = parameters.trainable().remove(0);
        let gradients = bias.sum_all().unwrap().backward().unwrap();
        for rule in rules() {
            let mut optimiser = Optimiser::new(&parameters, rule, Engine::detect()).unwrap();
            let refusal = optimiser.step(&gradients, 0.1).unwrap_err().to_string();
            assert!(refusal.contains("dense.weight"), "{refusal}");
        }
    }
}
