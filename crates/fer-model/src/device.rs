//! Which device computes, and why that one.

use std::collections::BTreeMap;
use std::fmt;
use std::panic;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use candle_core::Device;

use crate::error::ModelError;

/// What a user asks for: `auto`, `cpu`, `cuda`, `cuda:N`, `metal` or `metal:N`.
///
/// ```
/// use fer_model::DeviceChoice;
///
/// let selected = "auto".parse::<DeviceChoice>()?.select()?;
/// println!("{selected}"); // such as: cpu (built without CUDA and Metal)
/// assert!("gpu".parse::<DeviceChoice>().is_err());
/// # Ok::<(), fer_model::ModelError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The first GPU that this build knows and that answers, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The CUDA GPU of this number, and nothing else.
    Cuda(usize),
    /// The Metal GPU of this number, and nothing else.
    Metal(usize),
}

impl FromStr for DeviceChoice {
    type Err = ModelError;

    fn from_str(word: &str) -> Result<Self, ModelError> {
        let unknown = || ModelError::UnknownDevice(word.to_string());
        let (kind, number) = match word.split_once(':') {
            Some((kind, number)) => (kind, Some(number.parse().map_err(|_| unknown())?)),
            None => (word, None),
        };
        match (kind, number) {
            ("auto", None) => Ok(DeviceChoice::Auto),
            ("cpu", None) => Ok(DeviceChoice::Cpu),
            ("cuda", number) => Ok(DeviceChoice::Cuda(number.unwrap_or(0))),
            ("metal", number) => Ok(DeviceChoice::Metal(number.unwrap_or(0))),
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DeviceChoice::Auto => formatter.write_str("auto"),
            DeviceChoice::Cpu => formatter.write_str("cpu"),
            DeviceChoice::Cuda(number) => write!(formatter, "cuda:{number}"),
            DeviceChoice::Metal(number) => write!(formatter, "metal:{number}"),
        }
    }
}

/// A device that answers, and why it was taken.
#[derive(Clone, Debug)]
pub struct SelectedDevice {
    /// The device.
    pub device: Device,
    /// `cpu`, `cuda:N` or `metal:N`.
    pub name: String,
    /// Why this one, in a few words.
    pub reason: String,
}

impl fmt::Display for SelectedDevice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.name, self.reason)
    }
}

impl DeviceChoice {
    /// Opens the device. `auto` falls back to the CPU and says why; an explicit choice never falls
    /// back.
    ///
    /// # Errors
    /// [`ModelError::Device`] when an explicitly chosen device is not in this build or does not
    /// answer.
    pub fn select(self) -> Result<SelectedDevice, ModelError> {
        match self {
            DeviceChoice::Auto => Ok(automatic()),
            DeviceChoice::Cpu => Ok(cpu("asked for".into())),
            DeviceChoice::Cuda(_) | DeviceChoice::Metal(_) => {
                let name = self.to_string();
                match self.open() {
                    Ok(device) => Ok(SelectedDevice {
                        device,
                        name,
                        reason: "asked for".into(),
                    }),
                    Err(reason) => Err(ModelError::Device {
                        device: name,
                        reason,
                    }),
                }
            }
        }
    }

    /// Opens a GPU; candle panics where a machine has no Metal device, so panics are caught.
    fn open(self) -> Result<Device, String> {
        let opened = match self {
            DeviceChoice::Cuda(_) if !cfg!(feature = "cuda") => {
                return Err("this build has no CUDA; build with `--features cuda`".into());
            }
            DeviceChoice::Metal(_) if !cfg!(feature = "metal") => {
                return Err("this build has no Metal; build with `--features metal`".into());
            }
            DeviceChoice::Cuda(number) => panic::catch_unwind(|| cuda(number)),
            DeviceChoice::Metal(number) => panic::catch_unwind(|| Device::new_metal(number)),
            DeviceChoice::Auto | DeviceChoice::Cpu => return Ok(Device::Cpu),
        };
        match opened {
            Ok(Ok(device)) => Ok(device),
            Ok(Err(error)) => Err(first_line(&error.to_string())),
            Err(_) => Err("the driver found no device".into()),
        }
    }
}

/// A CUDA GPU with one stream for all threads and for everybody in the process who asks for it.
///
/// candle's own `Device::new_cuda` gives every thread a stream of its own and orders nothing between them: what
/// one thread computes another may read before it is there.
fn cuda(number: usize) -> candle_core::Result<Device> {
    static OPENED: Mutex<BTreeMap<usize, Device>> = Mutex::new(BTreeMap::new());
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(device) = opened.get(&number) {
        return Ok(device.clone());
    }
    let device = Device::new_cuda_with_stream(number)?;
    opened.insert(number, device.clone());
    Ok(device)
}

fn automatic() -> SelectedDevice {
    let mut refusals = Vec::new();
    let candidates = [
        (cfg!(feature = "cuda"), DeviceChoice::Cuda(0)),
        (cfg!(feature = "metal"), DeviceChoice::Metal(0)),
    ];
    for (compiled, choice) in candidates {
        if !compiled {
            continue;
        }
        match choice.open() {
            Ok(device) => {
                let reason = "the first GPU that answers".into();
                return SelectedDevice {
                    device,
                    name: choice.to_string(),
                    reason,
                };
            }
            Err(reason) => refusals.push(format!("{choice} does not answer: {reason}")),
        }
    }
    if refusals.is_empty() {
        refusals.push("built without CUDA and Metal".into());
    }
    cpu(refusals.join("; "))
}

fn cpu(reason: String) -> SelectedDevice {
    SelectedDevice {
        device: Device::Cpu,
        name: "cpu".into(),
        reason,
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_string()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_read_and_written_back() {
        for (word, choice) in [
            ("auto", DeviceChoice::Auto),
            ("cpu", DeviceChoice::Cpu),
            ("cuda", DeviceChoice::Cuda(0)),
            ("cuda:3", DeviceChoice::Cuda(3)),
            ("metal:1", DeviceChoice::Metal(1)),
        ] {
            assert_eq!(word.parse::<DeviceChoice>().unwrap(), choice);
            assert_eq!(choice.to_string().parse::<DeviceChoice>().unwrap(), choice);
        }
        for word in ["", "gpu", "cpu:1", "cuda:", "cuda:x", "auto:0", "CUDA"] {
            assert!(word.parse::<DeviceChoice>().is_err(), "{word}");
        }
    }

    #[test]
    fn automatic_choice_always_gives_a_device_and_a_reason() {
        let selected = DeviceChoice::Auto.select().unwrap();
        assert!(!selected.reason.is_empty());
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn an_explicit_gpu_that_is_not_built_in_is_an_error_that_names_the_feature() {
        let error = DeviceChoice::Cuda(0).select().unwrap_err().to_string();
        assert!(
            error.contains("cuda:0") && error.contains("--features cuda"),
            "{error}"
        );
    }
}
