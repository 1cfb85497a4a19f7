use super::buffers::fit;
use super::node::{Backward, Forward, times};
use crate::ops::Finish;
use crate::ops::kernel::Engine;
use crate::ops::kernel::convolution::{Epilogue, Maps};
use crate::ops::kernel::gate::{self, GateGradients, sigmoid};
use crate::ops::kernel::norm::Following;

/// A branch times its gates, plus what goes around it.
pub(super) struct GatedSumNode {
    engine: Engine,
    maps: Maps,
    channels: usize,
    finish: Finish,
    /// The logistic function of the logits.
    gates: Vec<f32>,
    /// Which corner of each window won.
    winners: Vec<u8>,
}

impl GatedSumNode {
    pub(super) fn new(engine: Engine, finish: Finish, maps: Maps, channels: usize) -> Self {
        GatedSumNode {
            engine,
            maps,
            channels,
            finish,
            gates: Vec::new(),
            winners: Vec::new(),
        }
    }

    pub(super) fn forward(&mut self, forward: Forward<'_>) {
        let Forward { count, output, .. } = forward;
        let logits = forward.gate.unwrap_or_default();
        self.gates.clear();
        self.gates.extend(logits.iter().copied().map(sigmoid));
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
            of_gate: Some(dgates),
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
        let gradients = GateGradients {
            dx,
            dgates,
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
        for (gradient, gate) in dgates.iter_mut().zip(&self.gates) {
            *gradient *= (1.0 - gate) * gate;
        }
    }
}
