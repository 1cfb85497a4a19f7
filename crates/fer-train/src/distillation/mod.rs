//! Networks that teach another: a part of its training targets is what they answer to the same pictures.
//!
//! With a share s and n teachers, the target of a picture x that the data give as t is
//! (1 − s)·t + s·(1/n)·Σ softmax(teacher(x)), x changed as the student sees it, and the
//! loss is what it was. This is Hinton et al. 2015, "Distilling the knowledge in a neural
//! network", at temperature 1, by an ensemble as in its section 3, with the teachers looking at what the student
//! looks at (Beyer et al. 2022, "Knowledge distillation: A good teacher is patient and consistent"). A network may be
//! taught by an earlier one of its own kind (Furlanello et al. 2018, "Born-again neural networks").

mod error;
mod settings;

use std::path::Path;

use anyhow::Result;
use candle_core::{Device, Tensor};
use fer_data::{ClassNames, Resize};
use fer_model::Plan;
use fer_model::file::{self, Distillation, Model, TeacherModel};
use fer_model::ops::{Engine, log_probabilities};

use crate::digest::sha256;
use crate::initial::{InitSettings, named_bytes};

pub use error::DistillationError;
pub use settings::DistillationSettings;

/// Networks that teach.
pub struct Teachers {
    members: Vec<Teacher>,
    settings: DistillationSettings,
}

/// A trained network that teaches.
pub struct Teacher {
    model: Model,
    plan: Option<Plan>,
    name: String,
    summary: TeacherModel,
}

impl Teachers {
    /// Reads the models and checks them.
    ///
    /// # Errors
    /// [`DistillationSettings::check`]; a file that cannot be read or is no usable model;
    /// [`DistillationError::OtherFile`]; [`InitialError::NoBuiltin`](crate::initial::InitialError::NoBuiltin).
    pub fn open(settings: &DistillationSettings, device: &Device, engine: Engine) -> Result<Self> {
        settings.check()?;
        let members = settings.teachers.iter().enumerate().map(|(place, path)| {
            let expected = settings.sha256.get(place).map(String::as_str);
            Teacher::open(path, expected, device, engine)
        });
        let members: Vec<Teacher> = members.collect::<Result<_>>()?;
        let digests = members.iter().map(|teacher| teacher.summary.sha256.clone());
        Ok(Teachers {
            settings: DistillationSettings {
                sha256: digests.collect(),
                ..settings.clone()
            },
            members,
        })
    }

    /// The settings that they were opened by, with their digests.
    pub fn settings(&self) -> &DistillationSettings {
        &self.settings
    }

    /// One by one.
    pub fn members(&self) -> &[Teacher] {
        &self.members
    }

    /// What a model file says of them.
    pub fn summary(&self) -> Distillation {
        let summaries = self.members.iter().map(|teacher| teacher.summary.clone());
        Distillation {
            share: self.settings.share,
            teachers: summaries.collect(),
        }
    }

    /// Checks that they know these classes and learned from pictures made like these.
    ///
    /// # Errors
    /// [`DistillationError`].
    pub fn check_for(
        &self,
        class_names: &ClassNames,
        resize: Resize,
    ) -> Result<(), DistillationError> {
        for Teacher { model, name, .. } in &self.members {
            let description = &model.description;
            if description.classes != *class_names {
                return Err(DistillationError::Classes {
                    model: name.clone(),
                    expected: class_names.clone(),
                    found: description.classes.clone(),
                });
            }
            let found = description.preprocessing.resize;
            if found != resize {
                return Err(DistillationError::Resize {
                    model: name.clone(),
                    expected: resize,
                    found,
                });
            }
        }
        Ok(())
    }

    /// `targets` of shape (pictures, classes) with the teachers' share of what they answer to `pictures`, f32 of
    /// shape (pictures, 1, 48, 48).
    ///
    /// # Errors
    /// Shapes that do not fit, or a device that fails.
    pub fn blend(&self, pictures: &Tensor, targets: &Tensor) -> Result<Tensor> {
        let (share, count) = (self.settings.share, self.members.len() as f64);
        let mut blended = (targets * (1.0 - share))?;
        for teacher in &self.members {
            let taught = teacher.probabilities(pictures)?;
            blended = (blended + (taught * (share / count))?)?;
        }
        Ok(blended.detach())
    }
}

impl Teacher {
    fn open(path: &Path, expected: Option<&str>, device: &Device, engine: Engine) -> Result<Self> {
        let bytes = named_bytes(path)?;
        let (found, name) = (sha256(&bytes), path.display().to_string());
        if let Some(expected) = expected.filter(|&expected| expected != found) {
            return Err(DistillationError::OtherFile {
                model: name,
                expected: expected.into(),
                found,
            }
            .into());
        }
        let model = file::load_bytes(&bytes, path, device, engine)?;
        let training = &model.description.training;
        let summary = TeacherModel {
            sha256: found,
            builtin: path.as_os_str() == InitSettings::BUILTIN,
            data: training.data.clone(),
            data_hash: training.data_hash.clone(),
        };
        Ok(Teacher {
            plan: Plan::new(&model.network)?,
            model,
            name,
            summary,
        })
    }

    /// What people call it: `builtin`, or its path.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the model says of itself.
    pub fn description(&self) -> &file::Description {
        &self.model.description
    }

    fn probabilities(&self, pictures: &Tensor) -> Result<Tensor> {
        let logits = self.model.logits(self.plan.as_ref(), pictures)?;
        Ok(log_probabilities(&logits)?.exp()?)
    }
}
