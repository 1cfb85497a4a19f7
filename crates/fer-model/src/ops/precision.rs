use candle_core::{DType, Result, Tensor};

use crate::ops::{Engine, Mode};

/// The numbers that a convolution multiplies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Precision {
    /// Those that it is given.
    Given,
    /// 16 bits, in place of 32: what it is given is rounded, and so is what it gives.
    Bf16,
}

impl Precision {
    /// Of an engine's convolutions in a mode.
    pub(crate) fn of(engine: Engine, mode: Mode) -> Self {
        match engine {
            Engine::Bf16 if mode.trains() => Precision::Bf16,
            _ => Precision::Given,
        }
    }

    /// What is multiplied in place of a tensor. The CPU has no product of 16 bits: there it is the same
    /// numbers in 32.
    pub(crate) fn operand(self, tensor: &Tensor) -> Result<Tensor> {
        if self == Precision::Given || tensor.dtype() != DType::F32 {
            return Ok(tensor.clone());
        }
        let rounded = tensor.to_dtype(DType::BF16)?;
        match tensor.device().is_cpu() {
            true => rounded.to_dtype(DType::F32),
            false => Ok(rounded),
        }
    }

    /// A product of operands, in the type of what they stand for.
    pub(crate) fn product(self, tensor: &Tensor, dtype: DType) -> Result<Tensor> {
        match self {
            Precision::Given => Ok(tensor.clone()),
            Precision::Bf16 => self.operand(tensor)?.to_dtype(dtype),
        }
    }
}
