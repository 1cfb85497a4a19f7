//! 3×3 convolutions of each channel by itself.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};
use candle_nn::VarBuilder;

use super::{Affine, DepthwiseSettings, portable};
use crate::ops::finish::{Finish, shift};
use crate::ops::kernel;
use crate::ops::kernel::depthwise::{forward, input_gradient, weight_gradient};
use crate::ops::values::{maps_of, slice, values};
use crate::ops::{Engine, Mode};
use crate::parameters::{glorot_uniform, he_uniform};

/// A 3×3 convolution of each channel by itself with a bias or batch normalisation and a ReLU, over
/// maps laid out (pictures, rows, columns, channels).
#[derive(Clone, Debug)]
pub struct DepthwiseBlock {
    name: String,
    settings: DepthwiseSettings,
    weight: Tensor,
    affine: Affine,
    engine: Engine,
}

impl DepthwiseBlock {
    /// Takes from the builder `weight` of shape (channels, 1, 3, 3) and the rest as
    /// [`ConvolutionBlock`](crate::ops::ConvolutionBlock) does.
    ///
    /// # Errors
    /// Settings out of range, or a stored tensor that is missing or has another shape.
    pub fn new(
        settings: DepthwiseSettings,
        engine: Engine,
        builder: VarBuilder<'_>,
    ) -> Result<Self> {
        settings.check()?;
        let init = if settings.norm {
            he_uniform(9)
        } else {
            glorot_uniform(9, 9)
        };
        Ok(DepthwiseBlock {
            name: builder.prefix(),
            weight: builder.get_with_hints((settings.channels, 1, 3, 3), "weight", init)?,
            affine: Affine::new(settings.norm, settings.channels, &builder)?,
            settings,
            engine,
        })
    }

    /// The settings that it was made with.
    pub fn settings(&self) -> &DepthwiseSettings {
        &self.settings
    }

    /// (pictures, height, width, channels) → (pictures, rows, columns, channels), where rows are
    /// ⌊(height + 2·padding − 3) / stride⌋ + 1, columns likewise.
    ///
    /// # Errors
    /// Channels that do not fit, or maps smaller than the window.
    pub fn forward(&self, maps: &Tensor, mode: Mode) -> Result<Tensor> {
        let (_, height, width, channels) = maps.dims4()?;
        let sides = [height, width].map(|side| self.settings.output_side(side));
        if channels != self.settings.channels || sides.contains(&0) {
            bail!(
                "a depthwise convolution of {} channels with padding {} takes maps of at least 3×3 after padding with as many channels, got {height}×{width} with {channels}",
                self.settings.channels,
                self.settings.padding
            );
        }
        let finish = Finish {
            relu: self.settings.relu,
            pool: false,
            engine: self.engine,
        };
        match &self.affine {
            Affine::Norm(norm) if mode.trains() && self.affine.trains_after(&self.weight) => {
                norm.normalise(&self.convolve(maps, &self.weight)?, None, finish)
            }
            Affine::Norm(norm) => {
                let (scale, bias) = norm.folded()?;
                let weight = self.weight.broadcast_mul(&scale.reshape(((), 1, 1, 1))?)?;
                shift(&self.convolve(maps, &weight)?, &bias, None, finish)
            }
            Affine::Bias(bias) => shift(&self.convolve(maps, &self.weight)?, bias, None, finish),
        }
    }

    /// The same, with its normalisation folded in where nothing of it is to be trained.
    pub(crate) fn fixed_folded(&self) -> Result<Self> {
        let (weight, affine) = self.affine.fixed_folded(&self.weight)?;
        Ok(Self {
            weight,
            affine,
            ..self.clone()
        })
    }

    /// The tensors that a gradient could move.
    pub(crate) fn tensors(&self) -> Vec<&Tensor> {
        self.affine.tensors_after(&self.weight)
    }

    fn convolve(&self, maps: &Tensor, weight: &Tensor) -> Result<Tensor> {
        match self.engine.kernels_for(maps) {
            Some(engine) => {
                let settings = self.settings;
                maps.contiguous()?
                    .apply_op2(&weight.contiguous()?, Plain { engine, settings })
            }
            None => portable::depthwise(&self.settings, maps, weight),
        }
    }

    /// What its tensors' names begin with, such as `residual1.conv1`.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn weight(&self) -> &Tensor {
        &self.weight
    }

    pub(crate) fn affine(&self) -> &Affine {
        &self.affine
    }
}

/// The CPU's form of the convolution alone.
struct Plain {
    engine: kernel::Engine,
    settings: DepthwiseSettings,
}

impl CustomOp2 for Plain {
    fn name(&self) -> &'static str {
        "depthwise-convolution"
    }

    fn cpu_fwd(
        &self,
        maps: &CpuStorage,
        maps_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let depthwise = self.settings.kernel_shape();
        let (shape, _) = maps_of(maps_layout.dims())?;
        let out = depthwise.after(shape);
        let mut output = vec![0.0; out.positions() * depthwise.channels];
        let (maps, weight) = (slice(maps, maps_layout)?, slice(weight, weight_layout)?);
        forward(
            self.engine,
            &depthwise,
            shape,
            maps,
            weight,
            None,
            false,
            &mut output,
        );
        let dims = (out.batch, out.height, out.width, depthwise.channels);
        Ok((CpuStorage::F32(output), Shape::from(dims)))
    }

    fn bwd(
        &self,
        maps: &Tensor,
        weight: &Tensor,
        _result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let depthwise = self.settings.kernel_shape();
        let (shape, _) = maps_of(maps.dims())?;
        let gradient = gradient.contiguous()?;
        let gradient = values(&gradient)?;
        let mut of_weight = None;
        // A frozen weight needs none, nor do the first layer's pictures.
        if weight.track_op() {
            let mut sums = vec![0.0; weight.elem_count()];
            let input = values(maps)?;
            weight_gradient(self.engine, &depthwise, shape, &input, &gradient, &mut sums);
            of_weight = Some(Tensor::from_vec(sums, weight.shape(), maps.device())?);
        }
        if !maps.track_op() {
            return Ok((None, of_weight));
        }
        let mut of_maps = vec![0.0; maps.elem_count()];
        let weights = values(weight)?;
        input_gradient(
            self.engine,
            &depthwise,
            shape,
            &weights,
            &gradient,
            &mut of_maps,
        );
        let of_maps = Tensor::from_vec(of_maps, maps.shape(), maps.device())?;
        Ok((Some(of_maps), of_weight))
    }
}
