//! What the leader knows, given to all.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use candle_core::{Device, Tensor};
use fer_model::Parameters;
use serde::{Deserialize, Serialize};

use super::Group;
use crate::fit::{Record, RunState};

/// Gives every member the leader's variables.
pub(crate) fn share_weights(group: &dyn Group, parameters: &Parameters) -> Result<()> {
    if group.size() == 1 {
        return Ok(());
    }
    let mut values = Vec::new();
    let own = parameters.snapshot()?;
    if group.leads() {
        append(&own, &mut values)?;
    }
    let mut counts = vec![0; group.size()];
    counts[0] = own.values().map(Tensor::elem_count).sum();
    let values = group.gather(&values, &counts)?;
    let mut rest = values.as_slice();
    let weights = own
        .iter()
        .map(|(name, own)| Ok((name.clone(), take(&mut rest, own.dims())?)));
    parameters.restore(&weights.collect::<Result<_>>()?)?;
    Ok(())
}

/// Gives every member the leader's state, if it has one.
pub(crate) fn share_state(group: &dyn Group, state: Option<RunState>) -> Result<Option<RunState>> {
    if group.size() == 1 {
        return Ok(state);
    }
    let mut values = Vec::new();
    let mut outline = Vec::new();
    if let Some(state) = state.as_ref().filter(|_| group.leads()) {
        outline = serde_json::to_vec(&Outline::of(state))?;
        for tensors in groups(state).into_iter().flatten() {
            append(tensors, &mut values)?;
        }
    }
    let outline = group.broadcast(outline)?;
    if outline.is_empty() {
        return Ok(None);
    }
    let outline: Outline = serde_json::from_slice(&outline)?;
    let mut counts = vec![0; group.size()];
    counts[0] = outline.values();
    let values = group.gather(&values, &counts)?;
    if group.leads() {
        return Ok(state);
    }
    outline.state(&values).map(Some)
}

type Shapes = Vec<(String, Vec<usize>)>;

/// A state but for the values of its tensors.
#[derive(Serialize, Deserialize)]
struct Outline {
    record: Record,
    /// Weights, optimiser, average, best.
    groups: [Option<Shapes>; 4],
}

fn groups(state: &RunState) -> [Option<&BTreeMap<String, Tensor>>; 4] {
    [
        Some(&state.weights),
        Some(&state.optimiser),
        state.average.as_ref(),
        state.best.as_ref(),
    ]
}

impl Outline {
    fn of(state: &RunState) -> Self {
        let shape = |(name, tensor): (&String, &Tensor)| (name.clone(), tensor.dims().to_vec());
        Outline {
            record: state.record.clone(),
            groups: groups(state).map(|tensors| Some(tensors?.iter().map(shape).collect())),
        }
    }

    /// How many values the tensors have.
    fn values(&self) -> usize {
        let shapes = self.groups.iter().flatten().flatten();
        shapes.map(|(_, dims)| dims.iter().product::<usize>()).sum()
    }

    fn state(self, mut values: &[f32]) -> Result<RunState> {
        let mut tensors = |shapes: Shapes| -> Result<BTreeMap<String, Tensor>> {
            let named = shapes.into_iter().map(|(name, dims)| {
                let tensor = take(&mut values, &dims)?;
                Ok((name, tensor))
            });
            named.collect()
        };
        let [weights, optimiser, average, best] = self.groups;
        Ok(RunState {
            record: self.record,
            weights: tensors(weights.unwrap_or_default())?,
            optimiser: tensors(optimiser.unwrap_or_default())?,
            average: average.map(&mut tensors).transpose()?,
            best: best.map(&mut tensors).transpose()?,
            timings: Vec::new(),
        })
    }
}

fn append(tensors: &BTreeMap<String, Tensor>, values: &mut Vec<f32>) -> Result<()> {
    for tensor in tensors.values() {
        values.extend(tensor.flatten_all()?.to_vec1::<f32>()?);
    }
    Ok(())
}

/// The first values as a tensor of this shape; they are taken away.
fn take(values: &mut &[f32], dims: &[usize]) -> Result<Tensor> {
    let count = dims.iter().product();
    let (first, rest) = values
        .split_at_checked(count)
        .context("the leader has other tensors than this process")?;
    *values = rest;
    Ok(Tensor::from_slice(first, dims, &Device::Cpu)?)
}
