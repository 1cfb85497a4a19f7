use std::sync::{Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};
use candle_nn::VarBuilder;

use crate::ops::kernel::Engine;
use crate::ops::kernel::activation::{channel_sums, relu_gradient};
use crate::ops::kernel::convolution::{
    BackwardWeights, Convolution, Epilogue, ForwardWeights, Maps, Method, SparseWeights, forward,
    input_gradient, pooled_input_gradient, pooled_weight_gradient, weight_gradient,
};
use crate::ops::max_pool;
use crate::ops::values::{slice, values};
use crate::parameters::glorot_uniform;

/// A 3×3 convolution of stride 1 without padding, with a bias, a ReLU and, if asked for, 2×2
/// max-pooling, as one operation over maps laid out (pictures, rows, columns, channels).
#[derive(Clone, Debug)]
pub struct ConvolutionBlock {
    weight: Tensor,
    bias: Tensor,
    pool: bool,
}

impl ConvolutionBlock {
    /// Pixels along each side of the window.
    pub const WINDOW: usize = 3;

    /// Takes `weight` of shape (outputs, inputs, 3, 3), Glorot uniform, and `bias` of shape
    /// (outputs), zero, from the builder.
    ///
    /// # Errors
    /// A stored tensor that is missing or has another shape.
    pub fn new(inputs: usize, outputs: usize, pool: bool, builder: VarBuilder<'_>) -> Result<Self> {
        let window = Self::WINDOW * Self::WINDOW;
        let init = glorot_uniform(inputs * window, outputs * window);
        let shape = (outputs, inputs, Self::WINDOW, Self::WINDOW);
        Ok(ConvolutionBlock {
            weight: builder.get_with_hints(shape, "weight", init)?,
            bias: builder.get_with_hints(outputs, "bias", candle_nn::init::ZERO)?,
            pool,
        })
    }

    /// (pictures, height, width, inputs) → (pictures, height − 2, width − 2, outputs), both sides
    /// halved, rounded down, when pooling.
    ///
    /// # Errors
    /// Channels that do not fit, or maps smaller than the window.
    pub fn forward(&self, maps: &Tensor) -> Result<Tensor> {
        self.check(maps)?;
        if maps.device().is_cpu() {
            let operation = Block {
                pool: self.pool,
                winners: Mutex::default(),
            };
            maps.contiguous()?
                .apply_op3(&self.weight, &self.bias, operation)
        } else {
            self.forward_portable(maps)
        }
    }

    /// The same out of operations that every device has.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn forward_portable(&self, maps: &Tensor) -> Result<Tensor> {
        self.check(maps)?;
        let bias = self.bias.reshape((1, (), 1, 1))?;
        let channels_first = maps.permute((0, 3, 1, 2))?.contiguous()?;
        let active = channels_first
            .conv2d(&self.weight, 0, 1, 1, 1)?
            .broadcast_add(&bias)?
            .relu()?;
        let pooled = if self.pool {
            max_pool(&active)?
        } else {
            active
        };
        pooled.permute((0, 2, 3, 1))
    }

    fn check(&self, maps: &Tensor) -> Result<()> {
        let (_, height, width, channels) = maps.dims4()?;
        let (outputs, inputs, _, _) = self.weight.dims4()?;
        let least = if self.pool {
            Self::WINDOW + 1
        } else {
            Self::WINDOW
        };
        if channels != inputs || height < least || width < least {
            candle_core::bail!(
                "a convolution of {inputs} to {outputs} channels takes maps of at least {least}×{least} with {inputs} channels, got {height}×{width} with {channels}"
            );
        }
        Ok(())
    }
}

/// The CPU's form: bias, ReLU and pool in the pass of the convolution; a pool remembers which corner
/// of each window won, so that the backward pass touches nothing else.
struct Block {
    pool: bool,
    winners: Mutex<Vec<u8>>,
}

fn shapes(maps: &Shape, weight: &Shape) -> Result<(Convolution, Maps)> {
    let (batch, height, width, in_channels) = maps.dims4()?;
    let (out_channels, _, kernel, _) = weight.dims4()?;
    let convolution = Convolution {
        in_channels,
        out_channels,
        kernel,
        stride: 1,
        padding: 0,
    };
    Ok((
        convolution,
        Maps {
            batch,
            height,
            width,
        },
    ))
}

impl CustomOp3 for Block {
    fn name(&self) -> &'static str {
        "convolution-bias-relu-pool"
    }

    fn cpu_fwd(
        &self,
        maps: &CpuStorage,
        maps_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (convolution, shape) = shapes(maps_layout.shape(), weight_layout.shape())?;
        let mut out = shape.after(&convolution);
        if self.pool {
            out = out.pooled();
        }
        let mut output = vec![0.0; out.positions() * convolution.out_channels];
        let mut winners = vec![0; if self.pool { output.len() } else { 0 }];
        let epilogue = Epilogue {
            bias: Some(slice(bias, bias_layout)?),
            residual: None,
            relu: true,
            pool: self.pool,
        };
        let method = Method::best(&convolution, shape);
        let packed = ForwardWeights::new(
            Engine::detect(),
            convolution,
            method,
            slice(weight, weight_layout)?,
        );
        let index = self.pool.then_some(winners.as_mut_slice());
        forward(
            &packed,
            shape,
            slice(maps, maps_layout)?,
            epilogue,
            &mut output,
            index,
        );
        *self.winners.lock().unwrap_or_else(PoisonError::into_inner) = winners;
        let dims = (out.batch, out.height, out.width, convolution.out_channels);
        Ok((CpuStorage::F32(output), Shape::from(dims)))
    }

    fn bwd(
        &self,
        maps: &Tensor,
        weight: &Tensor,
        _bias: &Tensor,
        result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (convolution, shape) = shapes(maps.shape(), weight.shape())?;
        let gradient = gradient.contiguous()?;
        let (maps_values, weights, gradient) = (values(maps)?, values(weight)?, values(&gradient)?);
        let mut gradients = Gradients {
            weight: vec![0.0; convolution.weights()],
            bias: vec![0.0; convolution.out_channels],
            // The first layer's pictures need no gradient.
            maps: maps.track_op().then(|| vec![0.0; maps.elem_count()]),
        };
        if self.pool {
            let winners = self.winners.lock().unwrap_or_else(PoisonError::into_inner);
            gradients.through_pool(
                &convolution,
                shape,
                [&maps_values, &weights, &gradient],
                &winners,
            );
        } else {
            let result = values(result)?;
            gradients.through_relu(
                &convolution,
                shape,
                [&maps_values, &weights, &gradient],
                &result,
            );
        }
        let device = maps.device();
        Ok((
            gradients
                .maps
                .map(|values| Tensor::from_vec(values, maps.shape(), device))
                .transpose()?,
            Some(Tensor::from_vec(gradients.weight, weight.shape(), device)?),
            Some(Tensor::from_vec(
                gradients.bias,
                convolution.out_channels,
                device,
            )?),
        ))
    }
}

struct Gradients {
    weight: Vec<f32>,
    bias: Vec<f32>,
    maps: Option<Vec<f32>>,
}

impl Gradients {
    fn through_pool(
        &mut self,
        convolution: &Convolution,
        shape: Maps,
        [maps, weights, gradient]: [&[f32]; 3],
        winners: &[u8],
    ) {
        let engine = Engine::detect();
        pooled_weight_gradient(
            engine,
            convolution,
            shape,
            maps,
            gradient,
            winners,
            &mut self.weight,
            &mut self.bias,
        );
        if let Some(maps) = &mut self.maps {
            let packed = SparseWeights::new(engine, *convolution, weights);
            pooled_input_gradient(&packed, shape, gradient, winners, maps);
        }
    }

    fn through_relu(
        &mut self,
        convolution: &Convolution,
        shape: Maps,
        [maps, weights, gradient]: [&[f32]; 3],
        result: &[f32],
    ) {
        let engine = Engine::detect();
        let mut passed = vec![0.0; gradient.len()];
        relu_gradient(engine, result, gradient, &mut passed);
        channel_sums(engine, shape.batch, &passed, &mut self.bias);
        let method = Method::best(convolution, shape);
        weight_gradient(
            engine,
            convolution,
            method,
            shape,
            maps,
            &passed,
            &mut self.weight,
        );
        if let Some(maps) = &mut self.maps {
            let packed = BackwardWeights::new(engine, *convolution, method, weights);
            input_gradient(&packed, shape, &passed, maps);
        }
    }
}
