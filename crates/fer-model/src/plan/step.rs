use crate::ops::kernel::Engine;
use crate::ops::kernel::convolution::{Convolution, Epilogue, ForwardWeights, Maps, forward};
use crate::ops::kernel::dense;
use crate::ops::kernel::depthwise::{self, Depthwise};
use crate::ops::kernel::gate::{self, sigmoid};
use crate::ops::kernel::layout::{channels_first, channels_last};
use crate::ops::kernel::mean::global_mean;

/// One step: from one place to another.
pub(super) struct Step {
    pub(super) work: Work,
    pub(super) from: Source,
    /// What is added before the ReLU.
    pub(super) around: Option<Source>,
    /// The logits of what each channel is multiplied by.
    pub(super) gate: Option<Source>,
    /// The number of a buffer.
    pub(super) to: usize,
}

/// Where a step reads.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Pictures,
    Buffer(usize),
}

/// What a step does, for pictures of the size in its `maps`.
pub(super) enum Work {
    Convolve {
        convolution: Convolution,
        maps: Maps,
        weights: ForwardWeights,
        bias: Vec<f32>,
        relu: bool,
        pool: bool,
    },
    Depthwise {
        engine: Engine,
        depthwise: Depthwise,
        maps: Maps,
        weights: Vec<f32>,
        bias: Vec<f32>,
        relu: bool,
    },
    /// Maps times gates plus what is added.
    GatedSum {
        engine: Engine,
        maps: Maps,
        channels: usize,
        relu: bool,
        pool: bool,
    },
    ChannelsLast {
        maps: Maps,
        channels: usize,
    },
    ChannelsFirst {
        maps: Maps,
        channels: usize,
    },
    GlobalMean {
        engine: Engine,
        maps: Maps,
        channels: usize,
    },
    Dense {
        engine: Engine,
        inputs: usize,
        outputs: usize,
        weights: Vec<f32>,
        bias: Vec<f32>,
        relu: bool,
    },
}

/// What a step reads.
pub(super) struct Inputs<'a> {
    pub(super) input: &'a [f32],
    /// What is added.
    pub(super) residual: Option<&'a [f32]>,
    /// Logits, or nothing.
    pub(super) gate: &'a [f32],
}

impl Work {
    /// Values that one picture brings.
    pub(super) fn input(&self) -> usize {
        match self {
            Work::Convolve {
                convolution, maps, ..
            } => maps.positions() * convolution.in_channels,
            Work::Depthwise {
                depthwise, maps, ..
            } => maps.positions() * depthwise.channels,
            Work::ChannelsLast { maps, channels }
            | Work::ChannelsFirst { maps, channels }
            | Work::GatedSum { maps, channels, .. }
            | Work::GlobalMean { maps, channels, .. } => maps.positions() * channels,
            Work::Dense { inputs, .. } => *inputs,
        }
    }

    /// Gates that one picture brings.
    pub(super) fn gates(&self) -> usize {
        match self {
            Work::GatedSum { channels, .. } => *channels,
            _ => 0,
        }
    }

    /// Values that one picture takes away before a pool.
    pub(super) fn before_pool(&self) -> usize {
        match self {
            Work::Convolve {
                convolution, maps, ..
            } => maps.after(convolution).positions() * convolution.out_channels,
            Work::GatedSum { .. } => self.input(),
            _ => self.output(),
        }
    }

    /// Values that one picture takes away.
    pub(super) fn output(&self) -> usize {
        match self {
            Work::Convolve {
                convolution,
                maps,
                pool: true,
                ..
            } => maps.after(convolution).pooled().positions() * convolution.out_channels,
            Work::GatedSum {
                maps,
                channels,
                pool: true,
                ..
            } => maps.pooled().positions() * channels,
            Work::Convolve { .. } | Work::GatedSum { .. } => self.before_pool(),
            Work::Depthwise {
                depthwise, maps, ..
            } => depthwise.after(*maps).positions() * depthwise.channels,
            Work::ChannelsLast { .. } | Work::ChannelsFirst { .. } => self.input(),
            Work::GlobalMean { channels, .. } => *channels,
            Work::Dense { outputs, .. } => *outputs,
        }
    }

    /// Does it for `count` pictures.
    pub(super) fn run(
        &self,
        count: usize,
        Inputs {
            input,
            residual,
            gate,
        }: Inputs<'_>,
        output: &mut [f32],
    ) {
        match self {
            Work::Convolve {
                maps,
                weights,
                bias,
                relu,
                pool,
                ..
            } => {
                let epilogue = Epilogue {
                    bias: Some(bias),
                    residual,
                    relu: *relu,
                    pool: *pool,
                };
                forward(weights, times(maps, count), input, epilogue, output, None);
            }
            Work::Depthwise {
                engine,
                depthwise,
                maps,
                weights,
                bias,
                relu,
            } => {
                let (maps, bias) = (times(maps, count), Some(&bias[..]));
                depthwise::forward(
                    *engine, depthwise, maps, input, weights, bias, *relu, output,
                );
            }
            Work::GatedSum {
                engine,
                maps,
                channels,
                relu,
                pool,
            } => {
                let epilogue = Epilogue {
                    bias: None,
                    residual,
                    relu: *relu,
                    pool: *pool,
                };
                let gates = Vec::from_iter(gate.iter().copied().map(sigmoid));
                let maps = times(maps, count);
                gate::forward(
                    *engine, maps, *channels, &gates, input, epilogue, output, None,
                );
            }
            Work::ChannelsLast { maps, channels } => {
                channels_last(times(maps, count), *channels, input, output);
            }
            Work::ChannelsFirst { maps, channels } => {
                channels_first(times(maps, count), *channels, input, output);
            }
            Work::GlobalMean {
                engine,
                maps,
                channels,
            } => global_mean(*engine, times(maps, count), *channels, input, output),
            Work::Dense {
                engine,
                inputs,
                outputs,
                weights,
                bias,
                relu,
            } => {
                let shape = dense::Dense {
                    batch: count,
                    inputs: *inputs,
                    outputs: *outputs,
                };
                dense::forward(*engine, shape, input, weights, Some(bias), *relu, output);
            }
        }
    }
}

fn times(maps: &Maps, batch: usize) -> Maps {
    Maps { batch, ..*maps }
}
