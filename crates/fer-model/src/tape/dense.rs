use candle_core::{Result, Tensor};

use super::node::{Backward, Gradient};
use crate::ops::Dense;
use crate::ops::kernel::Engine;
use crate::ops::kernel::activation::relu_gradient;
use crate::ops::kernel::dense;
use crate::ops::values::values;

/// A fully connected layer.
pub(super) struct DenseNode {
    engine: Engine,
    layer: Dense,
    inputs: usize,
    outputs: usize,
}

impl DenseNode {
    pub(super) fn new(engine: Engine, layer: &Dense) -> Result<Self> {
        let (outputs, inputs) = layer.tensors()[0].dims2()?;
        Ok(DenseNode {
            engine,
            layer: layer.clone(),
            inputs,
            outputs,
        })
    }

    pub(super) fn trains(&self) -> bool {
        self.layer.tensors().into_iter().any(Tensor::is_variable)
    }

    pub(super) fn outputs(&self) -> usize {
        self.outputs
    }

    fn shape(&self, batch: usize) -> dense::Dense {
        dense::Dense {
            batch,
            inputs: self.inputs,
            outputs: self.outputs,
        }
    }

    pub(super) fn forward(&self, count: usize, input: &[f32], output: &mut [f32]) -> Result<()> {
        let [weight, bias] = self.layer.tensors();
        dense::forward(
            self.engine,
            self.shape(count),
            input,
            &values(weight)?,
            Some(&values(bias)?),
            self.layer.has_relu(),
            output,
        );
        Ok(())
    }

    pub(super) fn backward(&self, backward: Backward<'_>) -> Result<Vec<Gradient>> {
        let Backward {
            count,
            input,
            output,
            gradient,
            of_input,
            buffers,
            ..
        } = backward;
        let mut passed = Vec::new();
        let gradient = if self.layer.has_relu() {
            passed = buffers.take(gradient.len());
            relu_gradient(self.engine, output, gradient, &mut passed);
            &passed
        } else {
            gradient
        };
        let [weight, bias] = self.layer.tensors();
        let mut of_weight = vec![0.0; weight.elem_count()];
        let mut of_bias = vec![0.0; self.outputs];
        dense::backward(
            self.engine,
            self.shape(count),
            input,
            &values(weight)?,
            gradient,
            &mut of_weight,
            &mut of_bias,
            of_input,
        );
        buffers.give(passed);
        let tensor = |values, of: &Tensor| Tensor::from_vec(values, of.shape(), of.device());
        Ok(vec![
            (weight.clone(), tensor(of_weight, weight)?),
            (bias.clone(), tensor(of_bias, bias)?),
        ])
    }
}
