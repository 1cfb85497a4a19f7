use std::fmt;
use std::str::FromStr;

use candle_core::{DType, Device, Tensor};

use crate::error::ModelError;
use crate::ops::kernel;

/// What computes the operations of a network where its tensors are f32 on the CPU. On every other
/// device, and for every other type, it is the portable form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Engine {
    /// This crate's kernels, with one set of instructions.
    Kernels(kernel::Engine),
    /// candle's own operations, which every device has: what a GPU executes.
    Portable,
    /// The same, where the convolutions of training steps take numbers of 16 bits, bf16, and give such, forward and
    /// back. Weights, what moves them, normalisations, losses and predictions keep 32 bits, as in PyTorch's autocast;
    /// bf16 has the range of f32, so the loss needs no scale. A GPU multiplies such numbers faster. The CPU does
    /// not: there they are rounded and multiplied as f32, to see what rounding does to a training.
    Bf16,
}

impl Engine {
    /// The fastest engine of this machine, unless the environment variable [`FER_ENGINE`](EngineChoice::VARIABLE) names
    /// one that it has.
    pub fn detect() -> Self {
        EngineChoice::Auto.select().unwrap_or(Engine::fastest())
    }

    fn fastest() -> Self {
        Engine::Kernels(kernel::Engine::detect())
    }

    /// `avx512`, `avx2`, `plain`, `portable` or `bf16`.
    pub fn name(self) -> &'static str {
        match self {
            Engine::Kernels(instructions) => instructions.name(),
            Engine::Portable => "portable",
            Engine::Bf16 => "bf16",
        }
    }

    /// Every engine that this machine has and that computes in 32 bits, the fastest first.
    pub fn available() -> Vec<Self> {
        kernel::Engine::ALL
            .into_iter()
            .filter(|instructions| instructions.is_available())
            .map(Engine::Kernels)
            .chain([Engine::Portable])
            .collect()
    }

    /// Whether its kernels compute on this device. Where they do not, candle's operations do: what is asked of the
    /// device is then answered some time later, and reading waits for it.
    pub fn has_kernels_on(self, device: &Device) -> bool {
        device.is_cpu() && matches!(self, Engine::Kernels(_))
    }

    /// The kernels that may compute on this tensor, if any may.
    pub(crate) fn kernels_for(self, tensor: &Tensor) -> Option<kernel::Engine> {
        match self {
            Engine::Kernels(instructions)
                if tensor.device().is_cpu() && tensor.dtype() == DType::F32 =>
            {
                Some(instructions)
            }
            _ => None,
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What a user asks for: `auto`, `avx512`, `avx2`, `plain`, `portable` or `bf16`.
///
/// `auto` is what the environment variable `FER_ENGINE` says, in these words, and without it the fastest.
///
/// ```
/// use fer_model::ops::{Engine, EngineChoice};
///
/// assert_eq!("auto".parse::<EngineChoice>()?.select()?, Engine::detect());
/// assert_eq!("portable".parse::<EngineChoice>()?.select()?, Engine::Portable);
/// assert!("sse".parse::<EngineChoice>().is_err());
/// # Ok::<(), fer_model::ModelError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EngineChoice {
    /// What the environment says, else the fastest that this machine has.
    #[default]
    Auto,
    /// This one and no other.
    Only(Engine),
}

impl EngineChoice {
    /// Every word that is understood.
    pub const NAMES: [&str; 6] = ["auto", "avx512", "avx2", "plain", "portable", "bf16"];

    /// The environment variable that decides where nothing else does, so that a whole program, or all tests, run
    /// on the operations that a GPU executes: `FER_ENGINE=portable`.
    pub const VARIABLE: &str = "FER_ENGINE";

    /// The engine. An explicit choice never falls back.
    ///
    /// # Errors
    /// [`ModelError::Engine`] when this machine lacks the instructions that were asked for;
    /// [`ModelError::UnknownEngine`] for a word in the environment that is none.
    pub fn select(self) -> Result<Engine, ModelError> {
        match self {
            EngineChoice::Auto => match std::env::var_os(Self::VARIABLE) {
                Some(word) => match word.to_string_lossy().parse()? {
                    EngineChoice::Auto => Ok(Engine::fastest()),
                    named => named.select(),
                },
                None => Ok(Engine::fastest()),
            },
            EngineChoice::Only(Engine::Kernels(instructions)) if !instructions.is_available() => {
                Err(ModelError::Engine(instructions.name()))
            }
            EngineChoice::Only(engine) => Ok(engine),
        }
    }
}

impl FromStr for EngineChoice {
    type Err = ModelError;

    fn from_str(word: &str) -> Result<Self, ModelError> {
        match word {
            "auto" => Ok(EngineChoice::Auto),
            "portable" => Ok(EngineChoice::Only(Engine::Portable)),
            "bf16" => Ok(EngineChoice::Only(Engine::Bf16)),
            _ => word
                .parse()
                .map(|instructions| EngineChoice::Only(Engine::Kernels(instructions)))
                .map_err(|_| ModelError::UnknownEngine(word.to_string())),
        }
    }
}

impl fmt::Display for EngineChoice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            EngineChoice::Auto => "auto",
            EngineChoice::Only(engine) => engine.name(),
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_choices() {
        for name in EngineChoice::NAMES {
            assert_eq!(name.parse::<EngineChoice>().unwrap().to_string(), name);
        }
        let error = "neon".parse::<EngineChoice>().unwrap_err().to_string();
        assert!(
            error.contains("neon") && error.contains("portable"),
            "{error}"
        );
    }

    #[test]
    fn kernels_take_no_other_type_than_f32() {
        let tensor = |dtype| Tensor::zeros(2, dtype, &candle_core::Device::Cpu).unwrap();
        let engine = Engine::fastest();
        assert!(engine.kernels_for(&tensor(DType::F32)).is_some());
        assert!(engine.kernels_for(&tensor(DType::F64)).is_none());
        assert!(Engine::Portable.kernels_for(&tensor(DType::F32)).is_none());
    }
}
