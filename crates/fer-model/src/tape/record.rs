use candle_core::{Result, Tensor, bail};
use rayon::prelude::*;

use super::buffers::{Buffers, fit};
use super::compile;
use super::ending::Ending;
use super::node::{Backward, Forward, Gradient, Node, Work};
use crate::arch::Sequential;
use crate::ops::Mode;

/// Numbers that a thread adds at a time.
const CHUNK: usize = 1 << 15;

/// The nodes of a network with everything that one step leaves for its way back.
pub(super) struct Record {
    pub(super) input: [usize; 3],
    pub(super) nodes: Vec<Node>,
    /// A variable through which candle sees that the network is to be trained.
    pub(super) anchor: Tensor,
    /// What each node gave.
    pub(super) outputs: Vec<Vec<f32>>,
    pub(super) buffers: Buffers,
    pub(super) collected: Vec<Gradient>,
    pub(super) mode: Mode,
    pub(super) pass: u64,
    pub(super) count: usize,
}

impl Record {
    /// The record of a network; `None` where it is not to be trained, its weights are not f32 on the
    /// CPU, or its engine has no kernels.
    pub(super) fn of(network: &Sequential) -> Result<Option<Self>> {
        compile::record(network)
    }

    pub(super) fn anchor(&self) -> Tensor {
        self.anchor.clone()
    }

    /// The number of the last forward pass.
    pub(super) fn pass(&self) -> u64 {
        self.pass
    }

    pub(super) fn check(&self, pictures: &Tensor) -> Result<()> {
        let (_, channels, height, width) = pictures.dims4()?;
        if [channels, height, width] != self.input {
            bail!(
                "the network takes pictures of {:?} (channels, rows, columns), got {:?}",
                self.input,
                [channels, height, width]
            );
        }
        Ok(())
    }

    pub(super) fn start(&mut self, mode: Mode) {
        self.mode = mode;
        self.pass += 1;
        self.collected.clear();
    }

    pub(super) fn forward(&mut self, pictures: &[f32], count: usize) -> Result<Vec<f32>> {
        self.count = count;
        for (number, node) in self.nodes.iter_mut().enumerate() {
            let (before, rest) = self.outputs.split_at_mut(number);
            let value = |value: usize| match value {
                0 => pictures,
                number => &before[number - 1],
            };
            let output = &mut rest[0];
            fit(output, count * node.size);
            node.work.forward(Forward {
                count,
                input: value(node.from),
                around: node.around.map(value),
                gate: node.gate.map(value),
                output,
                mode: self.mode,
            })?;
        }
        Ok(self.outputs.last().cloned().unwrap_or_default())
    }

    /// Goes back from the gradient of the logits; gives that of the pictures when it is asked for.
    pub(super) fn backward(
        &mut self,
        pictures: &[f32],
        logits: &[f32],
        of_pictures: bool,
    ) -> Result<Option<Vec<f32>>> {
        let mut gradients: Vec<Option<Vec<f32>>> = vec![None; self.nodes.len() + 1];
        let mut last = self.buffers.take(logits.len());
        last.copy_from_slice(logits);
        if let Some(gradient) = gradients.last_mut() {
            *gradient = Some(last);
        }
        let wanted = self.wanted(of_pictures);
        for number in (0..self.nodes.len()).rev() {
            let Some(gradient) = gradients[number + 1].take() else {
                continue;
            };
            let node = &mut self.nodes[number];
            let value = |value: usize| match value {
                0 => pictures,
                number => &self.outputs[number - 1],
            };
            let buffers = &mut self.buffers;
            // A gated sum has all of its gradients from one pass.
            let all = matches!(node.work, Work::GatedSum(_));
            let mut room = |place: Option<usize>| {
                let place = place.filter(|&place| wanted[place] || all)?;
                Some(buffers.take(value(place).len()))
            };
            let mut of_input = room(Some(node.from));
            let mut of_around = room(node.around);
            let mut of_gate = room(node.gate);
            let found = node.work.backward(Backward {
                count: self.count,
                input: value(node.from),
                adds: node.around.is_some(),
                output: value(number + 1),
                gradient: &gradient,
                of_input: of_input.as_deref_mut(),
                of_around: of_around.as_deref_mut(),
                of_gate: of_gate.as_deref_mut(),
                buffers,
            })?;
            let moved = found.into_iter().filter(|(tensor, _)| tensor.is_variable());
            self.collected.extend(moved);
            buffers.give(gradient);
            for (place, gradient) in [
                (Some(node.from), of_input),
                (node.around, of_around),
                (node.gate, of_gate),
            ] {
                match (place, gradient) {
                    (Some(place), Some(gradient)) if wanted[place] => {
                        add(&mut gradients[place], gradient, buffers);
                    }
                    (_, gradient) => buffers.give(gradient.unwrap_or_default()),
                }
            }
        }
        Ok(gradients[0].take())
    }

    /// What follows each convolution, in the order of the forward pass.
    pub(super) fn endings(&mut self) -> impl DoubleEndedIterator<Item = &mut Ending> {
        self.nodes.iter_mut().filter_map(|node| node.work.ending())
    }

    /// For which values a gradient is wanted: those that a variable had a part in, and the pictures
    /// where somebody asks for them.
    fn wanted(&self, of_pictures: bool) -> Vec<bool> {
        let mut wanted = vec![of_pictures];
        for node in &self.nodes {
            let mut reads = [Some(node.from), node.around, node.gate]
                .into_iter()
                .flatten();
            let wants = node.work.trains() || reads.any(|value| wanted[value]);
            wanted.push(wants);
        }
        wanted
    }

    /// The gradient of one variable, out of those collected.
    pub(super) fn take(&mut self, variable: &Tensor) -> Option<Tensor> {
        let place = self
            .collected
            .iter()
            .position(|(collected, _)| collected.id() == variable.id())?;
        Some(self.collected.swap_remove(place).1)
    }

    /// The gradients of the variables.
    pub(super) fn collected(&mut self) -> Result<Vec<Gradient>> {
        if self.pass > 0 && self.collected.is_empty() {
            bail!(
                "no gradient reaches the tape's last forward pass: is the loss made of its logits?"
            );
        }
        Ok(std::mem::take(&mut self.collected))
    }
}

/// Adds to what is there.
fn add(sum: &mut Option<Vec<f32>>, gradient: Vec<f32>, buffers: &mut Buffers) {
    match sum {
        Some(sum) => {
            sum.par_chunks_mut(CHUNK)
                .zip(gradient.par_chunks(CHUNK))
                .for_each(|(sum, gradient)| {
                    for (sum, gradient) in sum.iter_mut().zip(gradient) {
                        *sum += gradient;
                    }
                });
            buffers.give(gradient);
        }
        None => *sum = Some(gradient),
    }
}
