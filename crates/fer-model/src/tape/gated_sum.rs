use super::buffers::fit;
use super::node::{Backward, Forward, times};
use crate::arch::{Residual, StochasticDepth};
use crate::ops::Finish;
use crate::ops::kernel::Engine;
use crate::ops::kernel::convolution::{Epilogue, Maps};
use crate::ops::kernel::gate::{self, GateGradients, sigmoid};
use crate::ops::kernel::norm::Following;

/// A branch times what its gates and stochastic depth say, plus what goes around it.
pub(super) struct GatedSumNode {
    engine: Engine,
    maps: Maps,
    channels: usize,
    finish: Finish,
    depth: Option<StochasticDepth>,
    /// For each picture.
    factors: Option<Vec<f32>>,
    /// The logistic function of the logits; ones where there are none.
    open: Vec<f32>,
    /// Times the pictures' factors.
    gates: Vec<f32>,
    /// Which corner of each window won.
    winners: Vec<u8>,
}

impl GatedSumNode {
    pub(super) fn new(engine: Engine, residual: &Residual, maps: Maps, channels: usize) -> Self {
        GatedSumNode {
            engine,
            maps,
            channels,
            finish: residual.last.finish(),
            depth: residual.depth.clone(),
            factors: None,
            open: Vec::new(),
            gates: Vec::new(),
            winners: Vec::new(),
        }
    }

    pub(super) fn forward(&mut self, forward: Forward<'_>) {
        let Forward { count, output, .. } = forward;
        let depth = self.depth.as_ref();
        self.factors = depth.and_then(|depth| depth.factors(count, forward.mode));
        self.open.clear();
        match forward.gate {
            Some(logits) => self.open.extend(logits.iter().copied().map(sigmoid)),
            None => self.open.resize(count * self.channels, 1.0),
        }
        self.gates.clone_from(&self.open);
        scale(&mut self.gates, self.channels, self.factors.as_deref());
        let Finish { relu, pool, .. } = self.finish;
        let epilogue = Epilogue {
            bias: None,
            residual: forward.around,
            relu,
            pool,
        };
        fit(&mut self.winners, if pool { output.len() } else { 0 });
        let (maps, channels) = (times(&self.maps, count), self.channels);
        let index = pool.then_some(self.winners.as_mut_slice());
        gate::forward(
            self.engine,
            maps,
            channels,
            &self.gates,
            forward.input,
            epilogue,
            output,
            index,
        );
    }

    pub(super) fn backward(&self, backward: Backward<'_>) {
        let Backward {
            count,
            input,
            output,
            gradient,
            of_input: Some(dx),
            of_around: Some(dresidual),
            of_gate,
            buffers,
            ..
        } = backward
        else {
            return;
        };
        let following = match (self.finish.pool, self.finish.relu) {
            (true, _) => Following::Pool(&self.winners),
            (false, true) => Following::Relu(output),
            (false, false) => Following::Nothing,
        };
        let (maps, channels) = (times(&self.maps, count), self.channels);
        let mut dgates = buffers.take(self.gates.len());
        let gradients = GateGradients {
            dx,
            dgates: &mut dgates,
            dresidual,
        };
        gate::backward(
            self.engine,
            maps,
            channels,
            &self.gates,
            input,
            gradient,
            following,
            gradients,
        );
        if let Some(of_gate) = of_gate {
            scale(&mut dgates, channels, self.factors.as_deref());
            for ((to, gradient), open) in of_gate.iter_mut().zip(&dgates).zip(&self.open) {
                *to = gradient * ((1.0 - open) * open);
            }
        }
        buffers.give(dgates);
    }
}

/// Multiplies each picture's values by its factor.
fn scale(values: &mut [f32], channels: usize, factors: Option<&[f32]>) {
    for (values, factor) in values
        .chunks_mut(channels)
        .zip(factors.into_iter().flatten())
    {
        values.iter_mut().for_each(|value| *value *= factor);
    }
}
