use candle_core::{Result, Tensor, bail};

use super::buffers::fit;
use super::node::Gradient;
use crate::ops::Affine;
use crate::ops::kernel::Engine;
use crate::ops::kernel::activation::{channel_sums, relu_gradient};
use crate::ops::kernel::convolution::{Epilogue, Maps};
use crate::ops::kernel::norm::{self, Following, NormGradients, Statistics};
use crate::ops::kernel::pool::max_pool_gradient;
use crate::ops::norm::{BatchNorm, EPSILON};
use crate::ops::values::values;

/// What follows the products of a convolution, with what its backward pass needs.
pub(super) struct Ending {
    pub(super) engine: Engine,
    pub(super) affine: Affine,
    pub(super) relu: bool,
    pub(super) pool: bool,
    statistics: Option<Statistics>,
    /// Which corner of each window won.
    pub(super) winners: Vec<u8>,
}

/// The gradients that an ending writes.
pub(super) struct EndingGradients<'a> {
    pub(super) of_products: &'a mut [f32],
    pub(super) of_around: Option<&'a mut [f32]>,
}

impl Ending {
    pub(super) fn new(engine: Engine, affine: &Affine, relu: bool, pool: bool) -> Self {
        Ending {
            engine,
            affine: affine.clone(),
            relu,
            pool,
            statistics: None,
            winners: Vec::new(),
        }
    }

    pub(super) fn trains(&self) -> bool {
        self.affine.tensors().into_iter().any(Tensor::is_variable)
    }

    /// From products over `maps` to `output`.
    pub(super) fn forward(
        &mut self,
        maps: Maps,
        products: &[f32],
        around: Option<&[f32]>,
        output: &mut [f32],
    ) -> Result<()> {
        let factors = match &self.affine {
            Affine::Bias(bias) => {
                let shift = values(bias)?.to_vec();
                norm::Affine {
                    scale: vec![1.0; shift.len()],
                    shift,
                }
            }
            Affine::Norm(batch_norm) => {
                let statistics = statistics(self.engine, batch_norm, maps, products)?;
                let [gamma, beta, ..] = batch_norm.tensors();
                let (gamma, beta) = (values(gamma)?, values(beta)?);
                let (mean, variance) = (&statistics.mean, &statistics.variance);
                let factors = norm::Affine::new(mean, variance, &gamma, &beta, EPSILON as f32);
                self.statistics = Some(statistics);
                factors
            }
        };
        let epilogue = Epilogue {
            bias: None,
            residual: around,
            relu: self.relu,
            pool: self.pool,
        };
        fit(&mut self.winners, if self.pool { output.len() } else { 0 });
        let index = self.pool.then_some(self.winners.as_mut_slice());
        norm::apply(
            self.engine,
            maps,
            &factors,
            products,
            epilogue,
            output,
            index,
        );
        Ok(())
    }

    /// From the gradient of `output` to that of the products and of what was added; returns those of
    /// the variables.
    pub(super) fn backward(
        &self,
        maps: Maps,
        [products, output, gradient]: [&[f32]; 3],
        gradients: EndingGradients<'_>,
    ) -> Result<Vec<Gradient>> {
        match (&self.affine, &self.statistics) {
            (Affine::Bias(bias), _) => {
                self.back_through_bias(bias, maps, output, gradient, gradients)
            }
            (Affine::Norm(batch_norm), Some(statistics)) => {
                let [weight, bias, ..] = batch_norm.tensors();
                let channels = weight.elem_count();
                let (mut dgamma, mut dbeta) = (vec![0.0; channels], vec![0.0; channels]);
                let following = match (self.pool, self.relu) {
                    (true, _) => Following::Pool(&self.winners),
                    (false, true) => Following::Relu(output),
                    (false, false) => Following::Nothing,
                };
                norm::backward(
                    self.engine,
                    maps,
                    products,
                    statistics,
                    EPSILON as f32,
                    &values(weight)?,
                    gradient,
                    following,
                    NormGradients {
                        dx: gradients.of_products,
                        dgamma: &mut dgamma,
                        dbeta: &mut dbeta,
                        dresidual: gradients.of_around,
                    },
                );
                let tensor = |values| Tensor::from_vec(values, channels, weight.device());
                Ok(vec![
                    (weight.clone(), tensor(dgamma)?),
                    (bias.clone(), tensor(dbeta)?),
                ])
            }
            (Affine::Norm(_), None) => bail!("a backward pass without a forward pass"),
        }
    }

    fn back_through_bias(
        &self,
        bias: &Tensor,
        maps: Maps,
        output: &[f32],
        gradient: &[f32],
        gradients: EndingGradients<'_>,
    ) -> Result<Vec<Gradient>> {
        let channels = bias.elem_count();
        let passed = gradients.of_products;
        match (self.pool, self.relu) {
            (true, _) => {
                max_pool_gradient(self.engine, maps, channels, gradient, &self.winners, passed);
            }
            (false, true) => relu_gradient(self.engine, output, gradient, passed),
            (false, false) => passed.copy_from_slice(gradient),
        }
        if let Some(of_around) = gradients.of_around {
            of_around.copy_from_slice(passed);
        }
        let mut of_bias = vec![0.0; channels];
        channel_sums(self.engine, maps.batch, passed, &mut of_bias);
        let of_bias = Tensor::from_vec(of_bias, channels, bias.device())?;
        Ok(vec![(bias.clone(), of_bias)])
    }
}

/// What a normalisation normalises by: the batch's statistics, towards which the running ones move, or
/// these, where they are fixed.
fn statistics(
    engine: Engine,
    batch_norm: &BatchNorm,
    maps: Maps,
    products: &[f32],
) -> Result<Statistics> {
    if let Some(fixed) = batch_norm.fixed_statistics()? {
        return Ok(fixed);
    }
    if products.is_empty() {
        bail!("there are no statistics of an empty batch");
    }
    let [gamma, ..] = batch_norm.tensors();
    let statistics = Statistics::of(engine, maps, gamma.elem_count(), products);
    batch_norm.track_all(&statistics)?;
    Ok(statistics)
}
