use std::sync::{Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp2, D, Layout, Result, Shape, Tensor, bail};

use crate::ops::Engine;
use crate::ops::kernel::softmax;
use crate::ops::values::slice;

/// Logarithms of the softmax: logits (rows, classes) → log-probabilities (rows, classes).
///
/// # Errors
/// A tensor without a last dimension.
pub fn log_probabilities(logits: &Tensor) -> Result<Tensor> {
    candle_nn::ops::log_softmax(logits, D::Minus1)
}

/// Categorical cross-entropy from logits, averaged over the rows: a scalar in nats.
///
/// `logits` and `targets` are (rows, classes); each row of `targets` is a distribution, one-hot or
/// soft, or any weights of the classes that are not negative. The loss is −Σ target · log softmax(logits) over the classes, as Keras's
/// `CategoricalCrossentropy(from_logits=True)` has it. The targets get no gradient.
///
/// # Errors
/// Shapes that differ, or no class.
pub fn cross_entropy(logits: &Tensor, targets: &Tensor, engine: Engine) -> Result<Tensor> {
    let (rows, classes) = logits.dims2()?;
    if targets.dims() != [rows, classes] || classes == 0 {
        bail!(
            "logits of shape {:?} and targets of shape {:?} do not fit together",
            logits.dims(),
            targets.dims()
        );
    }
    match engine.kernels_for(logits) {
        Some(_) => logits
            .contiguous()?
            .apply_op2(&targets.contiguous()?, CrossEntropy::default()),
        None => (targets * log_probabilities(logits)?)?.sum_all()? / -(rows as f64),
    }
}

/// Loss and gradient in one pass over the logits.
#[derive(Default)]
struct CrossEntropy {
    gradient: Mutex<Vec<f32>>,
}

impl CustomOp2 for CrossEntropy {
    fn name(&self) -> &'static str {
        "softmax-cross-entropy"
    }

    fn cpu_fwd(
        &self,
        logits: &CpuStorage,
        logits_layout: &Layout,
        targets: &CpuStorage,
        targets_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let classes = logits_layout.dims().last().copied().unwrap_or(0);
        let (logits, targets) = (
            slice(logits, logits_layout)?,
            slice(targets, targets_layout)?,
        );
        let mut gradient = vec![0.0; logits.len()];
        let loss = softmax::cross_entropy(classes, logits, targets, Some(&mut gradient));
        *self.gradient.lock().unwrap_or_else(PoisonError::into_inner) = gradient;
        Ok((CpuStorage::F32(vec![loss]), Shape::from(())))
    }

    fn bwd(
        &self,
        logits: &Tensor,
        _targets: &Tensor,
        _result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let of_logits = self
            .gradient
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let of_logits = Tensor::from_vec(of_logits, logits.shape(), logits.device())?;
        Ok((Some(of_logits.broadcast_mul(gradient)?), None))
    }
}
