//! What a run begins with: the weights of a trained model, some of them frozen.
//!
//! An [`Initial`] is such a model; what a run on other data takes of it is a [`Transfer`]: every tensor,
//! but for the last layer where the classes are others, which is drawn as always. A frozen tensor gets no
//! gradient, no decay and no average, and a normalisation that is frozen keeps its running statistics and
//! normalises by them.

mod error;
mod freezing;
mod settings;
mod transfer;

use std::borrow::Cow;
use std::path::Path;

use anyhow::Result;
use fer_data::Resize;
use fer_model::file::{self, Description, Model};
use fer_model::ops::Engine;
use fer_model::{Architecture, Device};

use crate::digest::sha256;

pub use error::InitialError;
pub use settings::InitSettings;
pub use transfer::Transfer;

/// A trained model to begin with.
pub struct Initial {
    pub(crate) model: Model,
    pub(crate) settings: InitSettings,
    pub(crate) sha256: String,
}

impl Initial {
    /// Reads the model and checks it.
    ///
    /// # Errors
    /// A file that cannot be read or is no usable model; [`InitialError::OtherFile`];
    /// [`InitialError::NoBuiltin`].
    pub fn open(settings: &InitSettings) -> Result<Self> {
        let bytes = named_bytes(&settings.model)?;
        let sha256 = sha256(&bytes);
        let expected = settings.sha256.as_ref();
        if let Some(expected) = expected.filter(|expected| **expected != sha256) {
            return Err(InitialError::OtherFile {
                model: settings.model.display().to_string(),
                expected: expected.clone(),
                found: sha256,
            }
            .into());
        }
        let (device, engine) = (Device::Cpu, Engine::detect());
        Ok(Initial {
            model: file::load_bytes(&bytes, &settings.model, &device, engine)?,
            settings: InitSettings {
                sha256: Some(sha256.clone()),
                ..settings.clone()
            },
            sha256,
        })
    }

    /// The settings that it was opened by, with its digest.
    pub fn settings(&self) -> &InitSettings {
        &self.settings
    }

    /// What people call it: `builtin`, or its path.
    pub fn name(&self) -> String {
        self.settings.model.display().to_string()
    }

    /// What the model says of itself.
    pub fn description(&self) -> &Description {
        &self.model.description
    }

    /// Its network.
    pub fn architecture(&self) -> &Architecture {
        &self.description().architecture
    }

    /// How the pictures that it learned from became 48×48.
    pub fn resize(&self) -> Resize {
        self.description().preprocessing.resize
    }
}

/// The bytes of a model file, or of the model that comes along where `model` is the word `builtin`.
pub(crate) fn named_bytes(model: &Path) -> Result<Cow<'static, [u8]>> {
    match model.as_os_str() == InitSettings::BUILTIN {
        true => Ok(Cow::Borrowed(builtin()?)),
        false => Ok(Cow::Owned(file::bytes(model)?)),
    }
}

#[cfg(feature = "weights")]
fn builtin() -> Result<&'static [u8]> {
    Ok(file::BUILTIN)
}

#[cfg(not(feature = "weights"))]
fn builtin() -> Result<&'static [u8]> {
    Err(InitialError::NoBuiltin.into())
}
