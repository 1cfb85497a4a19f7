use candle_core::{Result, Tensor};

use super::buffers::fit;
use super::ending::{Ending, EndingGradients};
use super::node::{Backward, Gradient, times};
use crate::ops::kernel::Engine;
use crate::ops::kernel::convolution::{
    BackwardWeights, Convolution, Epilogue, ForwardWeights, Maps, Method, SparseWeights, forward,
    input_gradient, pooled_input_gradient, pooled_weight_gradient, weight_gradient,
};
use crate::ops::kernel::depthwise::{self, Depthwise};
use crate::ops::values::values;
use crate::ops::{Affine, ConvolutionBlock, DepthwiseBlock};

/// A convolution with what follows it.
pub(super) struct ConvolutionNode {
    weight: Tensor,
    convolution: Convolution,
    method: Method,
    maps: Maps,
    ending: Ending,
    /// What the convolution gave, where the ending is a pass of its own.
    products: Vec<f32>,
    packed: Packed,
}

/// Weights packed for the kernels, made when they are first needed.
#[derive(Default)]
struct Packed {
    forward: Option<ForwardWeights>,
    backward: Option<BackwardWeights>,
    sparse: Option<SparseWeights>,
}

impl ConvolutionNode {
    pub(super) fn new(engine: Engine, block: &ConvolutionBlock, maps: Maps) -> Self {
        let settings = block.settings();
        let convolution = settings.kernel_shape();
        ConvolutionNode {
            weight: block.weight().clone(),
            convolution,
            method: Method::best(&convolution, maps),
            maps,
            ending: Ending::new(engine, block.affine(), settings.relu, settings.pool),
            products: Vec::new(),
            packed: Packed::default(),
        }
    }

    pub(super) fn trains(&self) -> bool {
        self.weight.is_variable() || self.ending.trains()
    }

    pub(super) fn ending(&mut self) -> &mut Ending {
        &mut self.ending
    }

    /// Convolution, bias, ReLU and pool in one pass, with a sparse way back through the pool.
    fn is_fused(&self, adds: bool) -> bool {
        !adds && matches!(self.ending.affine, Affine::Bias(_))
    }

    pub(super) fn forward(
        &mut self,
        count: usize,
        input: &[f32],
        around: Option<&[f32]>,
        output: &mut [f32],
    ) -> Result<()> {
        let maps = times(&self.maps, count);
        let weights = values(&self.weight)?;
        let packed = self.packed.forward.get_or_insert_with(|| {
            ForwardWeights::new(self.ending.engine, self.convolution, self.method, &weights)
        });
        packed.update(&weights);
        match &self.ending.affine {
            Affine::Bias(bias) if around.is_none() => {
                let bias = values(bias)?;
                let pool = self.ending.pool;
                let epilogue = Epilogue {
                    bias: Some(&bias),
                    residual: None,
                    relu: self.ending.relu,
                    pool,
                };
                let winners = &mut self.ending.winners;
                fit(winners, if pool { output.len() } else { 0 });
                let index = pool.then_some(winners.as_mut_slice());
                forward(packed, maps, input, epilogue, output, index);
                Ok(())
            }
            _ => {
                let out = maps.after(&self.convolution);
                fit(
                    &mut self.products,
                    out.positions() * self.convolution.out_channels,
                );
                forward(
                    packed,
                    maps,
                    input,
                    Epilogue::default(),
                    &mut self.products,
                    None,
                );
                self.ending.forward(out, &self.products, around, output)
            }
        }
    }

    pub(super) fn backward(&mut self, backward: Backward<'_>) -> Result<Vec<Gradient>> {
        if self.ending.pool && self.is_fused(backward.adds) {
            return self.back_through_pool(backward);
        }
        let Backward {
            count,
            input,
            output,
            gradient,
            of_input,
            of_around,
            buffers,
            ..
        } = backward;
        let maps = times(&self.maps, count);
        let out = maps.after(&self.convolution);
        let mut of_products = buffers.take(out.positions() * self.convolution.out_channels);
        let mut gradients = self.ending.backward(
            out,
            [&self.products, output, gradient],
            EndingGradients {
                of_products: &mut of_products,
                of_around,
            },
        )?;
        let (engine, method) = (self.ending.engine, self.method);
        if self.weight.is_variable() {
            let mut of_weight = vec![0.0; self.convolution.weights()];
            weight_gradient(
                engine,
                &self.convolution,
                method,
                maps,
                input,
                &of_products,
                &mut of_weight,
            );
            gradients.push(self.of_weight(of_weight)?);
        }
        if let Some(of_input) = of_input {
            let weights = values(&self.weight)?;
            let packed = self.packed.backward.get_or_insert_with(|| {
                BackwardWeights::new(engine, self.convolution, method, &weights)
            });
            packed.update(&weights);
            input_gradient(packed, maps, &of_products, of_input);
        }
        buffers.give(of_products);
        Ok(gradients)
    }

    fn back_through_pool(&mut self, backward: Backward<'_>) -> Result<Vec<Gradient>> {
        let Affine::Bias(bias) = &self.ending.affine else {
            return Ok(Vec::new());
        };
        let engine = self.ending.engine;
        let maps = times(&self.maps, backward.count);
        let mut of_weight = vec![0.0; self.convolution.weights()];
        let mut of_bias = vec![0.0; self.convolution.out_channels];
        pooled_weight_gradient(
            engine,
            &self.convolution,
            maps,
            backward.input,
            backward.gradient,
            &self.ending.winners,
            &mut of_weight,
            &mut of_bias,
        );
        if let Some(of_input) = backward.of_input {
            let weights = values(&self.weight)?;
            let packed = self
                .packed
                .sparse
                .get_or_insert_with(|| SparseWeights::new(engine, self.convolution, &weights));
            packed.update(&weights);
            let winners = &self.ending.winners;
            pooled_input_gradient(packed, maps, backward.gradient, winners, of_input);
        }
        let of_bias = Tensor::from_vec(of_bias, bias.shape(), bias.device())?;
        Ok(vec![(bias.clone(), of_bias), self.of_weight(of_weight)?])
    }

    fn of_weight(&self, values: Vec<f32>) -> Result<Gradient> {
        let gradient = Tensor::from_vec(values, self.weight.shape(), self.weight.device())?;
        Ok((self.weight.clone(), gradient))
    }
}

/// A convolution of each channel by itself with what follows it.
pub(super) struct DepthwiseNode {
    weight: Tensor,
    depthwise: Depthwise,
    maps: Maps,
    ending: Ending,
    products: Vec<f32>,
}

impl DepthwiseNode {
    pub(super) fn trains(&self) -> bool {
        self.weight.is_variable() || self.ending.trains()
    }

    pub(super) fn ending(&mut self) -> &mut Ending {
        &mut self.ending
    }

    pub(super) fn new(engine: Engine, block: &DepthwiseBlock, maps: Maps) -> Self {
        DepthwiseNode {
            weight: block.weight().clone(),
            depthwise: block.settings().kernel_shape(),
            maps,
            ending: Ending::new(engine, block.affine(), block.settings().relu, false),
            products: Vec::new(),
        }
    }

    pub(super) fn forward(
        &mut self,
        count: usize,
        input: &[f32],
        output: &mut [f32],
    ) -> Result<()> {
        let maps = times(&self.maps, count);
        fit(&mut self.products, output.len());
        depthwise::forward(
            self.ending.engine,
            &self.depthwise,
            maps,
            input,
            &values(&self.weight)?,
            None,
            false,
            &mut self.products,
        );
        let out = self.depthwise.after(maps);
        self.ending.forward(out, &self.products, None, output)
    }

    pub(super) fn backward(&mut self, backward: Backward<'_>) -> Result<Vec<Gradient>> {
        let (engine, depthwise) = (self.ending.engine, &self.depthwise);
        let maps = times(&self.maps, backward.count);
        let mut of_products = backward.buffers.take(backward.output.len());
        let mut gradients = self.ending.backward(
            depthwise.after(maps),
            [&self.products, backward.output, backward.gradient],
            EndingGradients {
                of_products: &mut of_products,
                of_around: None,
            },
        )?;
        if self.weight.is_variable() {
            let mut sums = vec![0.0; self.weight.elem_count()];
            let input = backward.input;
            depthwise::weight_gradient(engine, depthwise, maps, input, &of_products, &mut sums);
            let of_weight = Tensor::from_vec(sums, self.weight.shape(), self.weight.device())?;
            gradients.push((self.weight.clone(), of_weight));
        }
        if let Some(of_input) = backward.of_input {
            let weights = values(&self.weight)?;
            depthwise::input_gradient(engine, depthwise, maps, &weights, &of_products, of_input);
        }
        backward.buffers.give(of_products);
        Ok(gradients)
    }
}
