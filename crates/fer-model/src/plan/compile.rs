//! From blocks to steps.

use std::sync::Mutex;

use candle_core::Result;

use super::Plan;
use super::step::{Source, Step, Work};
use crate::arch::{Block, Residual, Sequential};
use crate::ops::kernel::Engine;
use crate::ops::kernel::convolution::{ForwardWeights, Maps, Method};
use crate::ops::values::values;
use crate::ops::{ConvolutionBlock, Dense, DepthwiseBlock, SqueezeBlock};

/// The plan of a network; `None` where the kernels may not compute on its weights.
pub(super) fn plan(network: &Sequential) -> Result<Option<Plan>> {
    let Some(engine) = network
        .weight()
        .and_then(|weight| network.engine.kernels_for(weight))
    else {
        return Ok(None);
    };
    let [channels, height, width] = network.input;
    let mut compiler = Compiler {
        engine,
        steps: Vec::new(),
        sizes: Vec::new(),
        free: Vec::new(),
    };
    let maps = Maps {
        batch: 1,
        height,
        width,
    };
    let mut flow = Flow {
        from: Source::Pictures,
        maps,
        channels,
    };
    if channels > 1 {
        flow = compiler.push(Work::ChannelsLast { maps, channels }, flow, None);
    }
    flow = compiler.blocks(&network.blocks, flow, false)?;
    let Compiler { steps, sizes, .. } = compiler;
    Ok(Some(Plan {
        input: network.input,
        outputs: flow.channels,
        steps,
        sizes,
        rest: Mutex::default(),
    }))
}

/// What flows, and where it lies; a row is one position of many channels.
#[derive(Clone, Copy)]
struct Flow {
    from: Source,
    maps: Maps,
    channels: usize,
}

struct Compiler {
    engine: Engine,
    steps: Vec<Step>,
    sizes: Vec<usize>,
    /// Buffers whose values nobody reads any more.
    free: Vec<usize>,
}

impl Compiler {
    /// The blocks one after the other; the input's buffer stays as it is when `keep` says so.
    fn blocks(&mut self, blocks: &[Block], mut flow: Flow, keep: bool) -> Result<Flow> {
        let input = flow.from;
        for block in blocks {
            let before = flow;
            flow = self.block(block, flow)?;
            if flow.from != before.from && !(keep && before.from == input) {
                self.release(before.from);
            }
        }
        Ok(flow)
    }

    fn block(&mut self, block: &Block, flow: Flow) -> Result<Flow> {
        let Flow { maps, channels, .. } = flow;
        let engine = self.engine;
        Ok(match block {
            Block::Convolution(block) => {
                let work = self.convolve(block, maps)?;
                self.push(work, flow, None)
            }
            Block::Depthwise(block) => {
                let work = depthwise(engine, block, maps)?;
                self.push(work, flow, None)
            }
            Block::Residual(residual) => self.residual(residual, flow)?,
            Block::GlobalMean => {
                let work = Work::GlobalMean {
                    engine,
                    maps,
                    channels,
                };
                self.push(work, flow, None)
            }
            Block::Flatten => self.push(Work::ChannelsFirst { maps, channels }, flow, None),
            Block::Dense(dense) => {
                let work = fully_connected(engine, dense)?;
                self.push(work, flow, None)
            }
            // Dropout does nothing to a prediction.
            Block::Dropout { .. } => flow,
        })
    }

    fn residual(&mut self, residual: &Residual, input: Flow) -> Result<Flow> {
        let around = match &residual.shortcut {
            Some(shortcut) => {
                let work = self.convolve(shortcut, input.maps)?;
                self.push(work, input, None)
            }
            None => input,
        };
        let inner = self.blocks(&residual.body, input, true)?;
        let output = match &residual.squeeze {
            Some(squeeze) => self.gated(&residual.last, squeeze, inner, around)?,
            None => {
                let work = self.convolve(&residual.last, inner.maps)?;
                self.push(work, inner, Some(around.from))
            }
        };
        for used in [inner.from, around.from] {
            if used != input.from {
                self.release(used);
            }
        }
        Ok(output)
    }

    /// The last convolution of a residual, its gates, and the sum.
    fn gated(
        &mut self,
        last: &ConvolutionBlock,
        squeeze: &SqueezeBlock,
        inner: Flow,
        around: Flow,
    ) -> Result<Flow> {
        let work = self.convolve(&last.bare(), inner.maps)?;
        let branch = self.push(work, inner, None);
        let Flow { maps, channels, .. } = branch;
        let engine = self.engine;
        let work = Work::GlobalMean {
            engine,
            maps,
            channels,
        };
        let mut gates = self.push(work, branch, None);
        for layer in squeeze.layers() {
            let before = gates;
            gates = self.push(fully_connected(engine, layer)?, before, None);
            self.release(before.from);
        }
        let work = Work::GatedSum {
            engine,
            maps,
            channels,
            relu: last.settings().relu,
            pool: last.settings().pool,
        };
        let output = self.push(work, branch, Some(around.from));
        if let Some(step) = self.steps.last_mut() {
            step.gate = Some(gates.from);
        }
        self.release(branch.from);
        self.release(gates.from);
        Ok(output)
    }

    fn convolve(&self, block: &ConvolutionBlock, maps: Maps) -> Result<Work> {
        let settings = block.settings();
        let convolution = settings.kernel_shape();
        let (weights, bias) = block.affine().fold(block.weight())?;
        let method = Method::best(&convolution, maps);
        Ok(Work::Convolve {
            convolution,
            maps,
            weights: ForwardWeights::new(self.engine, convolution, method, &weights),
            bias,
            relu: settings.relu,
            pool: settings.pool,
        })
    }

    fn push(&mut self, work: Work, flow: Flow, around: Option<Source>) -> Flow {
        let size = work.output();
        let to = self.free.pop().unwrap_or_else(|| {
            self.sizes.push(0);
            self.sizes.len() - 1
        });
        self.sizes[to] = self.sizes[to].max(size);
        let (maps, channels) = match &work {
            Work::Convolve {
                convolution, pool, ..
            } => {
                let maps = flow.maps.after(convolution);
                let maps = if *pool { maps.pooled() } else { maps };
                (maps, convolution.out_channels)
            }
            Work::Depthwise { depthwise, .. } => (depthwise.after(flow.maps), depthwise.channels),
            Work::GatedSum { pool: true, .. } => (flow.maps.pooled(), flow.channels),
            Work::GatedSum { .. } | Work::ChannelsLast { .. } => (flow.maps, flow.channels),
            Work::ChannelsFirst { .. } | Work::GlobalMean { .. } | Work::Dense { .. } => {
                let position = Maps {
                    batch: 1,
                    height: 1,
                    width: 1,
                };
                (position, size)
            }
        };
        self.steps.push(Step {
            work,
            from: flow.from,
            around,
            gate: None,
            to,
        });
        Flow {
            from: Source::Buffer(to),
            maps,
            channels,
        }
    }

    fn release(&mut self, source: Source) {
        if let Source::Buffer(number) = source {
            self.free.push(number);
        }
    }
}

fn depthwise(engine: Engine, block: &DepthwiseBlock, maps: Maps) -> Result<Work> {
    let (weights, bias) = block.affine().fold(block.weight())?;
    Ok(Work::Depthwise {
        engine,
        depthwise: block.settings().kernel_shape(),
        maps,
        weights,
        bias,
        relu: block.settings().relu,
    })
}

fn fully_connected(engine: Engine, dense: &Dense) -> Result<Work> {
    let [weight, bias] = dense.tensors();
    let (outputs, inputs) = weight.dims2()?;
    Ok(Work::Dense {
        engine,
        inputs,
        outputs,
        weights: values(weight)?.to_vec(),
        bias: values(bias)?.to_vec(),
        relu: dense.has_relu(),
    })
}
