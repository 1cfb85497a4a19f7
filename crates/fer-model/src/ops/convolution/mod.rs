//! Convolution blocks.

mod depthwise;
mod fused;
mod plain;
mod portable;
mod settings;

use candle_core::{Result, Tensor, bail};
use candle_nn::VarBuilder;

use crate::ops::finish::{Finish, shift};
use crate::ops::kernel::convolution::{Convolution, Maps};
use crate::ops::kernel::norm;
use crate::ops::norm::{BatchNorm, EPSILON};
use crate::ops::precision::Precision;
use crate::ops::values::{maps_of, values};
use crate::ops::{Engine, Mode};
use crate::parameters::{glorot_uniform, he_uniform};

pub use depthwise::DepthwiseBlock;
pub use settings::{ConvolutionSettings, DepthwiseSettings};

/// A convolution with what follows it: a bias or batch normalisation, a residual, a ReLU and 2×2
/// max-pooling, as one operation over maps laid out (pictures, rows, columns, channels).
#[derive(Clone, Debug)]
pub struct ConvolutionBlock {
    name: String,
    settings: ConvolutionSettings,
    weight: Tensor,
    affine: Affine,
    engine: Engine,
    /// The places of a window from the last to the first, for the portable way back.
    reversed: Tensor,
}

/// What each channel is multiplied by and what is added to it.
#[derive(Clone, Debug)]
pub(crate) enum Affine {
    /// Nothing and a bias, f32 of shape (channels).
    Bias(Tensor),
    /// What normalises it.
    Norm(BatchNorm),
}

impl Affine {
    /// The tensors that a gradient could move.
    pub(crate) fn tensors(&self) -> Vec<&Tensor> {
        match self {
            Affine::Bias(bias) => vec![bias],
            Affine::Norm(norm) => norm.tensors()[..2].to_vec(),
        }
    }

    /// The same after the `weight` before it.
    fn tensors_after<'a>(&'a self, weight: &'a Tensor) -> Vec<&'a Tensor> {
        let mut tensors = vec![weight];
        tensors.extend(self.tensors());
        tensors
    }

    /// Whether it or the `weight` before it has a variable, running statistics included.
    fn trains_after(&self, weight: &Tensor) -> bool {
        let own = match self {
            Affine::Bias(bias) => bias.is_variable(),
            Affine::Norm(norm) => norm.tensors().into_iter().any(Tensor::is_variable),
        };
        own || weight.is_variable()
    }

    /// The `weight` before it and itself; a normalisation of which nothing is to be trained, folded in.
    fn fixed_folded(&self, weight: &Tensor) -> Result<(Tensor, Affine)> {
        match self {
            Affine::Norm(norm) if !self.trains_after(weight) => {
                let (scale, shift) = norm.folded()?;
                let weight = weight.broadcast_mul(&scale.reshape(((), 1, 1, 1))?)?;
                Ok((weight, Affine::Bias(shift)))
            }
            _ => Ok((weight.clone(), self.clone())),
        }
    }

    /// A `bias` of zeros, or the tensors of a normalisation under `norm`, from the builder.
    pub(crate) fn new(norm: bool, channels: usize, builder: &VarBuilder<'_>) -> Result<Self> {
        Ok(if norm {
            Affine::Norm(BatchNorm::new(channels, builder.pp("norm"))?)
        } else {
            Affine::Bias(builder.get_with_hints(channels, "bias", candle_nn::init::ZERO)?)
        })
    }

    /// The values of `weight` and of the bias that do the same without a normalisation: one is folded
    /// into them.
    pub(crate) fn fold(&self, weight: &Tensor) -> Result<(Vec<f32>, Vec<f32>)> {
        let mut weights = values(weight)?.to_vec();
        match self {
            Affine::Bias(bias) => Ok((weights, values(bias)?.to_vec())),
            Affine::Norm(batch_norm) => {
                let [gamma, beta, mean, variance] = batch_norm.tensors();
                let factors = norm::Affine::new(
                    &values(mean)?,
                    &values(variance)?,
                    &values(gamma)?,
                    &values(beta)?,
                    EPSILON as f32,
                );
                let mut bias = vec![0.0; factors.scale.len()];
                factors.fold(&mut weights, &mut bias);
                Ok((weights, bias))
            }
        }
    }
}

impl ConvolutionBlock {
    /// Takes from the builder `weight` of shape (outputs, inputs, side, side) and `bias` of shape
    /// (outputs), zero, or for a normalised block `norm.weight`, one, `norm.bias`, zero,
    /// `norm.running_mean`, zero, and `norm.running_var`, one, each of shape (outputs).
    ///
    /// Initial weights are Glorot uniform with a bias, He uniform with a normalisation.
    ///
    /// # Errors
    /// Settings out of range, or a stored tensor that is missing or has another shape.
    pub fn new(
        settings: ConvolutionSettings,
        engine: Engine,
        builder: VarBuilder<'_>,
    ) -> Result<Self> {
        settings.check()?;
        let ConvolutionSettings {
            inputs,
            outputs,
            kernel,
            norm,
            ..
        } = settings;
        let window = kernel * kernel;
        let places = (0..window as u32).rev();
        let init = if norm {
            he_uniform(inputs * window)
        } else {
            glorot_uniform(inputs * window, outputs * window)
        };
        Ok(ConvolutionBlock {
            name: builder.prefix(),
            weight: builder.get_with_hints((outputs, inputs, kernel, kernel), "weight", init)?,
            affine: Affine::new(norm, outputs, &builder)?,
            reversed: Tensor::from_iter(places, builder.device())?,
            settings,
            engine,
        })
    }

    /// The settings that it was made with.
    pub fn settings(&self) -> &ConvolutionSettings {
        &self.settings
    }

    /// (pictures, height, width, inputs) → (pictures, rows, columns, outputs), where rows are
    /// ⌊(height + 2·padding − kernel) / stride⌋ + 1, columns likewise, both halved, rounded down, when
    /// pooling.
    ///
    /// When training, a normalised block uses the batch's statistics and moves its running ones; when
    /// predicting, and where these are no variables, it uses the running ones.
    ///
    /// # Errors
    /// Channels that do not fit, or maps smaller than the window.
    pub fn forward(&self, maps: &Tensor, mode: Mode) -> Result<Tensor> {
        self.forward_adding(maps, None, mode)
    }

    /// As [`forward`](Self::forward), with `residual`, of the shape before pooling, added before the
    /// ReLU.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), and a residual of another shape.
    pub fn forward_adding(
        &self,
        maps: &Tensor,
        residual: Option<&Tensor>,
        mode: Mode,
    ) -> Result<Tensor> {
        self.check(maps, residual)?;
        let finish = self.finish();
        match &self.affine {
            Affine::Norm(norm) if mode.trains() && self.affine.trains_after(&self.weight) => {
                let maps = self.convolve(maps, &self.weight, mode)?;
                norm.normalise(&maps, residual, finish)
            }
            Affine::Norm(norm) => {
                let (scale, bias) = norm.folded()?;
                let weight = self.weight.broadcast_mul(&scale.reshape(((), 1, 1, 1))?)?;
                self.biased(maps, [&weight, &bias], residual, mode)
            }
            Affine::Bias(bias) => self.biased(maps, [&self.weight, bias], residual, mode),
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

    /// The same without ReLU and pool, with the same tensors.
    pub(crate) fn bare(&self) -> Self {
        let settings = ConvolutionSettings {
            relu: false,
            pool: false,
            ..self.settings
        };
        ConvolutionBlock {
            settings,
            ..self.clone()
        }
    }

    /// What comes after the bias or the normalisation.
    pub(crate) fn finish(&self) -> Finish {
        Finish {
            relu: self.settings.relu,
            pool: self.settings.pool,
            engine: self.engine,
        }
    }

    fn biased(
        &self,
        maps: &Tensor,
        [weight, bias]: [&Tensor; 2],
        residual: Option<&Tensor>,
        mode: Mode,
    ) -> Result<Tensor> {
        match (self.engine.kernels_for(maps), residual) {
            (Some(engine), None) => fused::apply(engine, &self.settings, maps, weight, bias),
            _ => {
                let maps = self.convolve(maps, weight, mode)?;
                shift(&maps, bias, residual, self.finish())
            }
        }
    }

    fn convolve(&self, maps: &Tensor, weight: &Tensor, mode: Mode) -> Result<Tensor> {
        match self.engine.kernels_for(maps) {
            Some(engine) => plain::apply(engine, &self.settings, maps, weight),
            None => {
                let precision = Precision::of(self.engine, mode);
                portable::convolve(&self.settings, maps, weight, &self.reversed, precision)
            }
        }
    }

    fn check(&self, maps: &Tensor, residual: Option<&Tensor>) -> Result<()> {
        let (count, height, width, channels) = maps.dims4()?;
        let ConvolutionSettings {
            inputs,
            outputs,
            ref kernel,
            ..
        } = self.settings;
        let (rows, columns) = (
            self.settings.before_pool(height),
            self.settings.before_pool(width),
        );
        let least = if self.settings.pool { 2 } else { 1 };
        if channels != inputs || rows < least || columns < least {
            bail!(
                "a {kernel}×{kernel} convolution of {inputs} to {outputs} channels takes maps of at least {0}×{0} with {inputs} channels, got {height}×{width} with {channels}",
                self.settings.least_side()
            );
        }
        match residual {
            Some(residual) if residual.dims() != [count, rows, columns, outputs] => bail!(
                "a residual of shape {:?} cannot be added to maps of shape {:?}",
                residual.dims(),
                [count, rows, columns, outputs]
            ),
            _ => Ok(()),
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

/// What the kernels call the convolution over these maps.
fn shapes(settings: &ConvolutionSettings, maps: &[usize]) -> Result<(Convolution, Maps)> {
    Ok((settings.kernel_shape(), maps_of(maps)?.0))
}
