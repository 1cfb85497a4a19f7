//! The choice between the direct kernels and Winograd's, and the weights packed for either.

use super::direct::DirectWeights;
use super::input_gradient::DirectBackwardWeights;
use super::{
    Convolution, Epilogue, Maps, check_len, direct, input_gradient as direct_input,
    weight_gradient as direct_weight,
};
use crate::ops::kernel::Engine;
use crate::ops::kernel::winograd::{self, WinogradWeights};

/// How a convolution is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// As the definition says; for every convolution.
    Direct,
    /// Winograd's F(4×4, 3×3); for kernels of side 3 and stride 1. Its error is bounded by
    /// [`winograd::ERROR_BOUND`]; a NaN or an infinity reaches, as NaN, all outputs of the 4×4 tiles
    /// that it has a part in, and not only those whose window it lies in.
    Winograd,
}

impl Method {
    /// The faster method, by a rule that depends on the shapes alone.
    pub fn best(convolution: &Convolution, maps: Maps) -> Self {
        if winograd::pays(convolution, maps) {
            Self::Winograd
        } else {
            Self::Direct
        }
    }

    #[track_caller]
    fn check(self, convolution: &Convolution) {
        assert!(
            self == Self::Direct || winograd::applies(convolution),
            "Winograd's method expects a kernel of side 3 and stride 1, got {} and {}",
            convolution.kernel,
            convolution.stride
        );
    }
}

/// Weights packed for [`forward`].
#[derive(Clone)]
pub struct ForwardWeights(Form<DirectWeights>);

/// Weights packed for [`input_gradient`].
#[derive(Clone)]
pub struct BackwardWeights(Form<DirectBackwardWeights>);

#[derive(Clone)]
enum Form<Direct> {
    Direct(Direct),
    Winograd(WinogradWeights),
}

impl ForwardWeights {
    /// Packs `weights`, laid out (out, in, kernel row, kernel column).
    ///
    /// # Panics
    /// If their number is not [`Convolution::weights`], or `method` does not apply.
    pub fn new(engine: Engine, convolution: Convolution, method: Method, weights: &[f32]) -> Self {
        method.check(&convolution);
        let mut packed = Self(match method {
            Method::Direct => Form::Direct(DirectWeights::new(engine, convolution)),
            Method::Winograd => Form::Winograd(WinogradWeights::forward(engine, convolution)),
        });
        packed.update(weights);
        packed
    }

    /// Packs other `weights` of the same shape into the same buffers.
    ///
    /// # Panics
    /// If their number is not [`Convolution::weights`].
    pub fn update(&mut self, weights: &[f32]) {
        match &mut self.0 {
            Form::Direct(direct) => {
                check_len("weights", weights.len(), direct.convolution.weights());
                direct.pack(weights);
            }
            Form::Winograd(winograd) => {
                check_len("weights", weights.len(), winograd.convolution().weights());
                winograd.pack(weights);
            }
        }
    }
}

impl BackwardWeights {
    /// Packs `weights`, laid out (out, in, kernel row, kernel column).
    ///
    /// # Panics
    /// If their number is not [`Convolution::weights`], or `method` does not apply.
    pub fn new(engine: Engine, convolution: Convolution, method: Method, weights: &[f32]) -> Self {
        method.check(&convolution);
        let mut packed = Self(match method {
            Method::Direct => Form::Direct(DirectBackwardWeights::new(engine, convolution)),
            Method::Winograd => Form::Winograd(WinogradWeights::backward(engine, convolution)),
        });
        packed.update(weights);
        packed
    }

    /// Packs other `weights` of the same shape into the same buffers.
    ///
    /// # Panics
    /// If their number is not [`Convolution::weights`].
    pub fn update(&mut self, weights: &[f32]) {
        match &mut self.0 {
            Form::Direct(direct) => {
                check_len("weights", weights.len(), direct.convolution.weights());
                direct.pack(weights);
            }
            Form::Winograd(winograd) => {
                check_len("weights", weights.len(), winograd.convolution().weights());
                winograd.pack(weights);
            }
        }
    }
}

/// The convolution of `x` (batch, `height`, `width`, `in_channels`) and what follows it, written
/// to `y` (batch, rows, columns, `out_channels`).
///
/// With a pool, `index` (as long as `y`) gets the position of each maximum in its window, row by
/// row from 0 to 3, or 255 where the ReLU has made it zero: what the backward pass needs. Among
/// equals the first wins; a NaN wins against every number.
///
/// # Panics
/// If a length does not fit, or `index` is given without a pool.
pub fn forward(
    weights: &ForwardWeights,
    maps: Maps,
    x: &[f32],
    epilogue: Epilogue<'_>,
    y: &mut [f32],
    index: Option<&mut [u8]>,
) {
    match &weights.0 {
        Form::Direct(weights) => direct::forward(weights, maps, x, epilogue, y, index),
        Form::Winograd(weights) => winograd::forward(weights, maps, x, epilogue, y, index),
    }
}

/// Writes to `dx` (batch, `height`, `width`, `in_channels`) the gradient of the input, given the
/// `gradient` of the convolution's output (batch, rows, columns, `out_channels`). `maps` are the
/// input's.
///
/// # Panics
/// If a length does not fit.
pub fn input_gradient(weights: &BackwardWeights, maps: Maps, gradient: &[f32], dx: &mut [f32]) {
    match &weights.0 {
        Form::Direct(weights) => direct_input::input_gradient(weights, maps, gradient, dx),
        Form::Winograd(weights) => {
            let out = weights.maps_before(maps);
            winograd::forward(weights, out, gradient, Epilogue::default(), dx, None);
        }
    }
}

/// Writes to `dw` (out, in, kernel row, kernel column) the gradient of the weights, given the
/// input `x` (batch, `height`, `width`, `in_channels`) and the `gradient` of the convolution's
/// output (batch, rows, columns, `out_channels`).
///
/// # Panics
/// If a length does not fit, or `method` does not apply.
pub fn weight_gradient(
    engine: Engine,
    convolution: &Convolution,
    method: Method,
    maps: Maps,
    x: &[f32],
    gradient: &[f32],
    dw: &mut [f32],
) {
    method.check(convolution);
    match method {
        Method::Direct => {
            direct_weight::weight_gradient(engine, convolution, maps, x, gradient, dw);
        }
        Method::Winograd => winograd::weight_gradient(engine, convolution, maps, x, gradient, dw),
    }
}
