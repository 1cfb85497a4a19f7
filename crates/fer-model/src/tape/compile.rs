//! From blocks to nodes.

use candle_core::Result;

use super::buffers::Buffers;
use super::convolution::{ConvolutionNode, DepthwiseNode};
use super::dense::DenseNode;
use super::gated_sum::GatedSumNode;
use super::node::{Node, Work};
use super::record::Record;
use crate::arch::{Block, Residual, Sequential};
use crate::ops::kernel::Engine;
use crate::ops::kernel::convolution::Maps;
use crate::ops::{ConvolutionBlock, Dense, Mode, SqueezeBlock};

pub(super) fn record(network: &Sequential) -> Result<Option<Record>> {
    let Some(anchor) = network.anchor() else {
        return Ok(None);
    };
    let Some(engine) = network.engine.kernels_for(anchor) else {
        return Ok(None);
    };
    let [channels, height, width] = network.input;
    let maps = Maps {
        batch: 1,
        height,
        width,
    };
    let mut compiler = Compiler {
        engine,
        nodes: Vec::new(),
    };
    let mut flow = Flow {
        value: 0,
        maps,
        channels,
    };
    if channels > 1 {
        let work = Work::Layout {
            maps,
            channels,
            last: true,
        };
        flow = compiler.push(work, flow, flow.maps, channels);
    }
    compiler.blocks(&network.blocks, flow)?;
    let outputs = vec![Vec::new(); compiler.nodes.len()];
    Ok(Some(Record {
        input: network.input,
        nodes: compiler.nodes,
        anchor: anchor.clone(),
        outputs,
        buffers: Buffers::default(),
        collected: Vec::new(),
        mode: Mode::Predict,
        pass: 0,
        count: 0,
    }))
}

/// What flows; a row is one position of many channels.
#[derive(Clone, Copy)]
struct Flow {
    value: usize,
    maps: Maps,
    channels: usize,
}

const POSITION: Maps = Maps {
    batch: 1,
    height: 1,
    width: 1,
};

struct Compiler {
    engine: Engine,
    nodes: Vec<Node>,
}

impl Compiler {
    fn blocks(&mut self, blocks: &[Block], mut flow: Flow) -> Result<Flow> {
        for block in blocks {
            flow = self.block(block, flow)?;
        }
        Ok(flow)
    }

    fn block(&mut self, block: &Block, flow: Flow) -> Result<Flow> {
        let Flow { maps, channels, .. } = flow;
        let engine = self.engine;
        Ok(match block {
            Block::Convolution(block) => self.convolution(block, flow, None)?,
            Block::Depthwise(block) => {
                let node = DepthwiseNode::new(engine, &block.fixed_folded()?, maps);
                let work = Work::Depthwise(Box::new(node));
                let out = block.settings().kernel_shape().after(maps);
                self.push(work, flow, out, channels)
            }
            Block::Residual(residual) => self.residual(residual, flow)?,
            Block::GlobalMean => {
                let work = Work::GlobalMean {
                    engine,
                    maps,
                    channels,
                };
                self.push(work, flow, POSITION, channels)
            }
            Block::Flatten => {
                let work = Work::Layout {
                    maps,
                    channels,
                    last: false,
                };
                self.push(work, flow, POSITION, maps.positions() * channels)
            }
            Block::Dense(layer) => self.dense(layer, flow)?,
            Block::Dropout { rate: 0.0, .. } => flow,
            Block::Dropout { name, rate } => {
                let work = Work::Dropout {
                    name: name.clone(),
                    rate: *rate,
                    mask: None,
                };
                self.push(work, flow, maps, channels)
            }
        })
    }

    fn residual(&mut self, residual: &Residual, input: Flow) -> Result<Flow> {
        let around = match &residual.shortcut {
            Some(shortcut) => self.convolution(shortcut, input, None)?,
            None => input,
        };
        let inner = self.blocks(&residual.body, input)?;
        match &residual.squeeze {
            Some(squeeze) => self.gated(&residual.last, squeeze, inner, around),
            None => self.convolution(&residual.last, inner, Some(around.value)),
        }
    }

    /// The last convolution of a residual, its gates, and the sum.
    fn gated(
        &mut self,
        last: &ConvolutionBlock,
        squeeze: &SqueezeBlock,
        inner: Flow,
        around: Flow,
    ) -> Result<Flow> {
        let branch = self.convolution(&last.bare(), inner, None)?;
        let gates = self.gates(squeeze, branch)?;
        let Flow { maps, channels, .. } = branch;
        let finish = last.finish();
        let out = if finish.pool { maps.pooled() } else { maps };
        let work = Work::GatedSum(GatedSumNode::new(self.engine, finish, maps, channels));
        let flow = self.push(work, branch, out, channels);
        if let Some(node) = self.nodes.last_mut() {
            node.around = Some(around.value);
            node.gate = Some(gates.value);
        }
        Ok(flow)
    }

    /// The logits of a branch's gates.
    fn gates(&mut self, squeeze: &SqueezeBlock, branch: Flow) -> Result<Flow> {
        let mut flow = self.block(&Block::GlobalMean, branch)?;
        for layer in squeeze.layers() {
            flow = self.dense(layer, flow)?;
        }
        Ok(flow)
    }

    fn dense(&mut self, layer: &Dense, flow: Flow) -> Result<Flow> {
        let node = DenseNode::new(self.engine, layer)?;
        let outputs = node.outputs();
        Ok(self.push(Work::Dense(node), flow, POSITION, outputs))
    }

    fn convolution(
        &mut self,
        block: &ConvolutionBlock,
        flow: Flow,
        around: Option<usize>,
    ) -> Result<Flow> {
        let settings = block.settings();
        let work = ConvolutionNode::new(self.engine, &block.fixed_folded()?, flow.maps);
        let mut out = flow.maps.after(&settings.kernel_shape());
        if settings.pool {
            out = out.pooled();
        }
        let outputs = settings.outputs;
        let flow = self.push(Work::Convolution(Box::new(work)), flow, out, outputs);
        if let Some(node) = self.nodes.last_mut() {
            node.around = around;
        }
        Ok(flow)
    }

    fn push(&mut self, work: Work, flow: Flow, maps: Maps, channels: usize) -> Flow {
        self.nodes.push(Node {
            work,
            from: flow.value,
            around: None,
            gate: None,
            size: maps.positions() * channels,
        });
        Flow {
            value: self.nodes.len(),
            maps,
            channels,
        }
    }
}
