use candle_core::{Result, Tensor};

use super::buffers::Buffers;
use super::convolution::{ConvolutionNode, DepthwiseNode};
use super::dense::DenseNode;
use super::ending::Ending;
use super::gated_sum::GatedSumNode;
use crate::ops::kernel::Engine;
use crate::ops::kernel::convolution::Maps;
use crate::ops::kernel::layout::{channels_first, channels_last};
use crate::ops::kernel::mean::{global_mean, global_mean_gradient};
use crate::ops::{Mode, dropout_mask};

/// One step of a recorded network. Values are numbered: 0 are the pictures, n + 1 is what node n
/// gives.
pub(super) struct Node {
    pub(super) work: Work,
    /// The value that it reads.
    pub(super) from: usize,
    /// The value that it adds before the ReLU.
    pub(super) around: Option<usize>,
    /// The value whose logistic function it multiplies by.
    pub(super) gate: Option<usize>,
    /// Values of one picture that come out.
    pub(super) size: usize,
}

pub(super) enum Work {
    Convolution(Box<ConvolutionNode>),
    Depthwise(Box<DepthwiseNode>),
    Dense(DenseNode),
    GatedSum(GatedSumNode),
    GlobalMean {
        engine: Engine,
        maps: Maps,
        channels: usize,
    },
    /// To channels first, or back.
    Layout {
        maps: Maps,
        channels: usize,
        last: bool,
    },
    Dropout {
        name: String,
        rate: f32,
        mask: Option<Vec<f32>>,
    },
}

/// A variable with its gradient.
pub(super) type Gradient = (Tensor, Tensor);

/// What a node reads in the forward pass.
pub(super) struct Forward<'a> {
    pub(super) count: usize,
    pub(super) input: &'a [f32],
    pub(super) around: Option<&'a [f32]>,
    pub(super) gate: Option<&'a [f32]>,
    pub(super) output: &'a mut [f32],
    pub(super) mode: Mode,
}

/// What a node reads and writes in the backward pass.
pub(super) struct Backward<'a> {
    pub(super) count: usize,
    pub(super) input: &'a [f32],
    /// Whether another value was added before the ReLU.
    pub(super) adds: bool,
    pub(super) output: &'a [f32],
    pub(super) gradient: &'a [f32],
    /// For the input, where anybody wants it.
    pub(super) of_input: Option<&'a mut [f32]>,
    /// For the value that was added, where anybody wants it.
    pub(super) of_around: Option<&'a mut [f32]>,
    /// For the gate's value.
    pub(super) of_gate: Option<&'a mut [f32]>,
    pub(super) buffers: &'a mut Buffers,
}

impl Work {
    pub(super) fn forward(&mut self, forward: Forward<'_>) -> Result<()> {
        if let Work::GatedSum(node) = self {
            node.forward(forward);
            return Ok(());
        }
        let Forward {
            count,
            input,
            around,
            output,
            mode,
            ..
        } = forward;
        match self {
            Work::Convolution(node) => node.forward(count, input, around, output)?,
            Work::Depthwise(node) => node.forward(count, input, output)?,
            Work::Dense(node) => node.forward(count, input, output)?,
            Work::GlobalMean {
                engine,
                maps,
                channels,
            } => global_mean(*engine, times(maps, count), *channels, input, output),
            Work::Layout {
                maps,
                channels,
                last,
            } => transpose(*last, times(maps, count), *channels, input, output),
            Work::Dropout { name, rate, mask } => {
                *mask = dropout_mask([count, input.len() / count.max(1)], *rate, name, mode);
                multiply(input, mask.as_deref(), output);
            }
            Work::GatedSum(_) => (),
        }
        Ok(())
    }

    /// What follows a convolution.
    pub(super) fn ending(&mut self) -> Option<&mut Ending> {
        match self {
            Work::Convolution(node) => Some(node.ending()),
            Work::Depthwise(node) => Some(node.ending()),
            Work::Dense(_)
            | Work::GatedSum(_)
            | Work::GlobalMean { .. }
            | Work::Layout { .. }
            | Work::Dropout { .. } => None,
        }
    }

    /// Whether it has a variable.
    pub(super) fn trains(&self) -> bool {
        match self {
            Work::Convolution(node) => node.trains(),
            Work::Depthwise(node) => node.trains(),
            Work::Dense(node) => node.trains(),
            Work::GatedSum(_)
            | Work::GlobalMean { .. }
            | Work::Layout { .. }
            | Work::Dropout { .. } => false,
        }
    }

    /// Writes the gradients of the input and of what was added, and returns those of its tensors.
    pub(super) fn backward(&mut self, backward: Backward<'_>) -> Result<Vec<Gradient>> {
        match self {
            Work::Convolution(node) => return node.backward(backward),
            Work::Depthwise(node) => return node.backward(backward),
            Work::Dense(node) => return node.backward(backward),
            Work::GatedSum(node) => {
                node.backward(backward);
                return Ok(Vec::new());
            }
            _ => (),
        }
        let Backward {
            count,
            gradient,
            of_input: Some(of_input),
            ..
        } = backward
        else {
            return Ok(Vec::new());
        };
        match self {
            Work::GlobalMean { maps, channels, .. } => {
                global_mean_gradient(times(maps, count), *channels, gradient, of_input);
            }
            Work::Layout {
                maps,
                channels,
                last,
            } => transpose(!*last, times(maps, count), *channels, gradient, of_input),
            Work::Dropout { mask, .. } => multiply(gradient, mask.as_deref(), of_input),
            Work::Convolution(_) | Work::Depthwise(_) | Work::Dense(_) | Work::GatedSum(_) => (),
        }
        Ok(Vec::new())
    }
}

fn transpose(last: bool, maps: Maps, channels: usize, from: &[f32], to: &mut [f32]) {
    if last {
        channels_last(maps, channels, from, to);
    } else {
        channels_first(maps, channels, from, to);
    }
}

fn multiply(from: &[f32], factors: Option<&[f32]>, to: &mut [f32]) {
    match factors {
        Some(factors) => {
            for (to, (from, factor)) in to.iter_mut().zip(from.iter().zip(factors)) {
                *to = from * factor;
            }
        }
        None => to.copy_from_slice(from),
    }
}

pub(super) fn times(maps: &Maps, batch: usize) -> Maps {
    Maps { batch, ..*maps }
}
