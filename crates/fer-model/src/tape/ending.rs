use std::sync::Arc;

use candle_core::{Result, Tensor, bail};

use super::buffers::fit;
use super::exchange::Exchange;
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
    /// Where the other parts of the batch are, if there are any.
    pub(super) exchange: Option<Arc<dyn Exchange>>,
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
            exchange: None,
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
                let statistics = self.statistics(batch_norm, maps, products)?;
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
                norm::backward_in_part(
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
                    |sums| self.sum(statistics, sums),
                )?;
                let tensor = |values| Tensor::from_vec(values, channels, weight.device());
                Ok(vec![
                    (weight.clone(), tensor(dgamma)?),
                    (bias.clone(), tensor(dbeta)?),
                ])
            }
            (Affine::Norm(_), None) => bail!("a backward pass without a forward pass"),
        }
    }

    /// What a normalisation normalises by: the batch's statistics, towards which the running ones move,
    /// or these, where they are fixed.
    fn statistics(
        &self,
        batch_norm: &BatchNorm,
        maps: Maps,
        products: &[f32],
    ) -> Result<Statistics> {
        if let Some(fixed) = batch_norm.fixed_statistics()? {
            return Ok(fixed);
        }
        let [gamma, ..] = batch_norm.tensors();
        let channels = gamma.elem_count();
        let statistics = match &self.exchange {
            Some(exchange) => {
                let mut totals = Statistics::totals(self.engine, maps, channels, products);
                exchange.sum(&mut totals)?;
                Statistics::from_totals(&totals)
            }
            None if products.is_empty() => bail!("there are no statistics of an empty batch"),
            None => Statistics::of(self.engine, maps, channels, products),
        };
        batch_norm.track_all(&statistics)?;
        Ok(statistics)
    }

    /// The sums of the backward pass over all parts of the batch; fixed statistics take none.
    fn sum(&self, statistics: &Statistics, sums: &mut [f64]) -> Result<()> {
        match &self.exchange {
            Some(exchange) if statistics.count > 0 => exchange.sum(sums),
            _ => Ok(()),
        }
    }

    /// The forward pass of a part of the batch that has no picture: the statistics of the others.
    pub(super) fn forward_empty(&mut self) -> Result<()> {
        if let Affine::Norm(batch_norm) = &self.affine {
            let nothing = Maps {
                batch: 0,
                height: 1,
                width: 1,
            };
            self.statistics = Some(self.statistics(batch_norm, nothing, &[])?);
        }
        Ok(())
    }

    /// The backward pass after [`forward_empty`](Self::forward_empty).
    pub(super) fn backward_empty(&self) -> Result<()> {
        match &self.statistics {
            Some(statistics) => self.sum(statistics, &mut vec![0.0; 2 * statistics.mean.len()]),
            None => Ok(()),
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
