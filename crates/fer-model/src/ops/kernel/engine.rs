//! The choice between the instruction sets.

use std::fmt;
use std::str::FromStr;

#[cfg(target_arch = "x86_64")]
use super::simd::{Avx2, Avx512};
use super::simd::{Kernel, Plain, Simd};

/// The instruction set that the kernels use.
///
/// Results of two engines agree to rounding, not to the bit; results of one engine are the same
/// bits for any number of threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Engine {
    /// AVX-512 (F, BW, VL, DQ): sixteen lanes, 32 registers.
    Avx512,
    /// AVX2 with FMA: eight lanes, 16 registers.
    Avx2,
    /// Plain Rust in groups of four lanes, which the compiler turns into whatever the target has.
    Plain,
}

impl Engine {
    /// Every engine, the fastest first.
    pub const ALL: [Self; 3] = [Self::Avx512, Self::Avx2, Self::Plain];

    /// The fastest engine that this machine has.
    pub fn detect() -> Self {
        Self::ALL
            .into_iter()
            .find(|engine| engine.is_available())
            .unwrap_or(Self::Plain)
    }

    /// Whether this machine has the engine's instructions.
    pub fn is_available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => Avx512::new().is_some(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => Avx2::new().is_some(),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx512 | Self::Avx2 => false,
            Self::Plain => true,
        }
    }

    /// The engine's name on the command line: `avx512`, `avx2` or `plain`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Avx512 => "avx512",
            Self::Avx2 => "avx2",
            Self::Plain => "plain",
        }
    }

    /// Runs `kernel` with this engine's instructions.
    ///
    /// # Panics
    /// If the machine does not have them.
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[cfg(target_arch = "x86_64")]
        match self {
            Self::Avx512 => {
                if let Some(simd) = Avx512::new() {
                    return simd.call(kernel);
                }
            }
            Self::Avx2 => {
                if let Some(simd) = Avx2::new() {
                    return simd.call(kernel);
                }
            }
            Self::Plain => {}
        }
        assert!(self == Self::Plain, "this machine has no {self}");
        Plain.call(kernel)
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A name that is no engine's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownEngine(
    /// The name that was given.
    pub String,
);

impl fmt::Display for UnknownEngine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "expected avx512, avx2 or plain, got {:?}",
            self.0
        )
    }
}

impl std::error::Error for UnknownEngine {}

impl FromStr for Engine {
    type Err = UnknownEngine;

    fn from_str(name: &str) -> Result<Self, UnknownEngine> {
        Self::ALL
            .into_iter()
            .find(|engine| engine.name() == name)
            .ok_or_else(|| UnknownEngine(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_engines() {
        for engine in Engine::ALL {
            assert_eq!(engine.name().parse(), Ok(engine));
        }
        let error = "sse".parse::<Engine>().map_err(|error| error.to_string());
        assert_eq!(
            error,
            Err("expected avx512, avx2 or plain, got \"sse\"".to_owned())
        );
    }

    #[test]
    fn the_detected_engine_is_the_first_that_is_available() {
        assert!(Engine::Plain.is_available());
        let detected = Engine::detect();
        let faster = Engine::ALL.iter().take_while(|engine| **engine != detected);
        assert!(detected.is_available());
        assert!(faster.into_iter().all(|engine| !engine.is_available()));
    }
}
