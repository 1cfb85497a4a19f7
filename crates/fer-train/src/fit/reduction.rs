//! The gradients of all the parts of a batch, added up.

use anyhow::{Context, Result};
use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, Device, Storage, Tensor, Var};
use fer_model::Parameters;

use crate::parallel::Parallel;

/// Adds up gradients over a group in one flat sum, with which the running statistics of normalisations
/// travel where each member has its own.
pub(super) struct Reduction {
    parallel: Parallel,
    vars: Vec<(String, Var)>,
    statistics: Vec<Var>,
    flat: Vec<f32>,
}

impl Reduction {
    /// For the variables of `parameters`.
    pub(super) fn new(parameters: &Parameters, parallel: &Parallel) -> Self {
        let vars = parameters.trainable();
        let mut statistics = Vec::new();
        if parallel.group().size() > 1 && !parallel.has_synchronised_statistics() {
            let trains = |name: &String| vars.iter().any(|(trained, _)| trained == name);
            let others = parameters.vars().into_iter();
            let others = others.filter(|(name, _)| !trains(name) && !parameters.is_frozen(name));
            statistics.extend(others.map(|(_, var)| var));
        }
        Reduction {
            parallel: parallel.clone(),
            vars,
            statistics,
            flat: Vec::new(),
        }
    }

    /// Replaces each gradient by its sum over the group, and the running statistics by their mean; this
    /// member's count by `share`, that of its pictures.
    pub(super) fn sum(&mut self, gradients: &mut GradStore, share: f64) -> Result<()> {
        let group = self.parallel.group();
        if group.size() == 1 {
            return Ok(());
        }
        let flat = &mut self.flat;
        flat.clear();
        for (name, var) in &self.vars {
            let gradient = gradients.get(var);
            append(
                gradient.with_context(|| format!("{name} has no gradient"))?,
                flat,
            )?;
        }
        for var in &self.statistics {
            append(&(var.as_detached_tensor() * share)?, flat)?;
        }
        group.sum(flat)?;
        let mut rest = flat.as_slice();
        for (_, var) in &self.vars {
            gradients.insert(var, take(&mut rest, var)?);
        }
        for var in &self.statistics {
            var.set(&take(&mut rest, var)?)?;
        }
        Ok(())
    }

    /// The gradients of a part without pictures.
    pub(super) fn zeros(&self) -> Result<GradStore> {
        let (_, first) = self.vars.first().context("nothing trains")?;
        let mut gradients = first.sum_all()?.backward()?;
        for (_, var) in &self.vars {
            gradients.insert(var, var.zeros_like()?);
        }
        Ok(gradients)
    }
}

fn append(tensor: &Tensor, flat: &mut Vec<f32>) -> Result<()> {
    let (storage, layout) = tensor.storage_and_layout();
    match (&*storage, layout.contiguous_offsets()) {
        (Storage::Cpu(CpuStorage::F32(values)), Some((start, end))) => {
            flat.extend_from_slice(&values[start..end]);
        }
        _ => {
            let tensor = tensor.to_device(&Device::Cpu)?;
            flat.extend(tensor.flatten_all()?.to_vec1::<f32>()?);
        }
    }
    Ok(())
}

/// As many of the first values as `like` has, in its shape; they are taken away.
fn take(values: &mut &[f32], like: &Var) -> Result<Tensor> {
    let (first, rest) = values.split_at(like.elem_count());
    *values = rest;
    Ok(Tensor::from_slice(first, like.shape(), like.device())?)
}
