use std::path::Path;

use candle_core::Device;
use fer_data::{ClassNames, Picture, Resize};

use crate::arch::Network;
use crate::error::ModelError;
use crate::explain::Explainer;
use crate::file::{self, AbstentionStep, Calibration, Description, Model};
use crate::input::pictures_to_tensor;
use crate::ops::{Engine, Mode, log_probabilities};
use crate::plan::Plan;

/// Pictures that go through the network together.
const BATCH: usize = 256;

/// A trained network that predicts pictures of faces.
///
/// ```no_run
/// use fer_model::{Classifier, Device};
///
/// let classifier = Classifier::load("runs/drawn-cnn/model.safetensors".as_ref(), &Device::Cpu)?;
/// let face = classifier.open_picture("face.png".as_ref())?;
/// let prediction = classifier.predict(&face)?;
/// println!("{} ({:.0} %)", prediction.class_name(), 100.0 * prediction.probability());
/// for (name, probability) in prediction.iter() {
///     println!("{name:10} {probability:.3}");
/// }
/// # Ok::<(), fer_model::ModelError>(())
/// ```
pub struct Classifier {
    model: Model,
    plan: Option<Plan>,
    device: Device,
}

impl Classifier {
    /// Loads a model file onto `device` and checks it.
    ///
    /// # Errors
    /// A file that cannot be read or that is refused, with the reason.
    pub fn load(path: &Path, device: &Device) -> Result<Self, ModelError> {
        Self::load_with(path, device, Engine::detect())
    }

    /// As [`load`](Self::load), computed by `engine` when `device` is the CPU.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_with(path: &Path, device: &Device, engine: Engine) -> Result<Self, ModelError> {
        Self::new(file::load(path, device, engine)?, device)
    }

    /// The model that this crate brings along, on `device`.
    ///
    /// ```
    /// use fer_model::{Classifier, Device};
    ///
    /// let classifier = Classifier::embedded(&Device::Cpu)?;
    /// println!("trained on {}", classifier.description().training.data);
    /// # Ok::<(), fer_model::ModelError>(())
    /// ```
    ///
    /// # Errors
    /// A device that fails.
    #[cfg(feature = "weights")]
    pub fn embedded(device: &Device) -> Result<Self, ModelError> {
        Self::new(file::embedded(device, Engine::detect())?, device)
    }

    /// Predicts with a model that was loaded onto `device`.
    ///
    /// # Errors
    /// A device that fails.
    pub fn new(model: Model, device: &Device) -> Result<Self, ModelError> {
        Ok(Classifier {
            plan: Plan::new(&model.network)?,
            model,
            device: device.clone(),
        })
    }

    /// What the model file says of itself.
    pub fn description(&self) -> &Description {
        &self.model.description
    }

    /// What tells where the network looks.
    ///
    /// # Errors
    /// Weights that cannot be read.
    pub fn explainer(&self) -> Result<Explainer<'_>, ModelError> {
        Ok(Explainer::new(&self.model.network)?)
    }

    /// The classes in the order of the probabilities.
    pub fn class_names(&self) -> &ClassNames {
        &self.model.description.classes
    }

    /// What makes the probabilities honest, if anything does: see [`Calibration`].
    pub fn calibration(&self) -> Option<&Calibration> {
        self.model.description.calibration.as_ref()
    }

    /// How sure the network must be for a share of at most `risk` of its answers to be wrong, as it was on
    /// validation: the least threshold that kept that risk, and what else it came to. The threshold goes
    /// to [`Prediction::answer`].
    ///
    /// ```no_run
    /// use fer_model::{Classifier, Device};
    ///
    /// let classifier = Classifier::load("model.safetensors".as_ref(), &Device::Cpu)?;
    /// let step = classifier.at_risk(0.05)?;
    /// println!("answered {:.0} % of validation", 100.0 * step.coverage);
    /// let prediction = classifier.predict(&classifier.open_picture("face.png".as_ref())?)?;
    /// println!("{}", prediction.answer(step.threshold).unwrap_or("unsure"));
    /// # Ok::<(), fer_model::ModelError>(())
    /// ```
    ///
    /// # Errors
    /// [`ModelError::NoAbstention`] for a model that was not measured so, [`ModelError::Risk`] for a
    /// risk that was never kept, [`ModelError::Setting`] for one that is not from 0 to 1.
    pub fn at_risk(&self, risk: f64) -> Result<AbstentionStep, ModelError> {
        if !(0.0..=1.0).contains(&risk) {
            return Err(ModelError::Setting {
                name: "risk",
                value: risk.to_string(),
                expected: "a share of wrong answers from 0 to 1, such as 0.05",
            });
        }
        let abstention = self.model.description.abstention.as_ref();
        let abstention = abstention.ok_or(ModelError::NoAbstention)?;
        abstention.at_risk(risk).ok_or(ModelError::Risk {
            wanted: risk,
            least: abstention.least_risk(),
            pictures: abstention.pictures(),
        })
    }

    /// How the pictures that this network learned from became 48×48; those that it is to judge must
    /// come the same way: `Picture::decode_with(bytes, name, classifier.resize())`.
    pub fn resize(&self) -> Resize {
        self.model.description.preprocessing.resize
    }

    /// Reads a picture of a face in the network's own way of [`resize`](Self::resize).
    ///
    /// # Errors
    /// [`ModelError::Data`]: a file that cannot be read or decoded, by name.
    pub fn open_picture(&self, path: &Path) -> Result<Picture, ModelError> {
        Ok(Picture::open_with(path, self.resize())?)
    }

    /// Predicts one picture of a face.
    ///
    /// # Errors
    /// A device that fails.
    pub fn predict(&self, picture: &Picture) -> Result<Prediction, ModelError> {
        let mut predictions = self.predict_many(std::slice::from_ref(picture))?;
        Ok(predictions.remove(0))
    }

    /// Predicts pictures of faces, in their order.
    ///
    /// # Errors
    /// A device that fails.
    pub fn predict_many(&self, pictures: &[Picture]) -> Result<Vec<Prediction>, ModelError> {
        let mut predictions = Vec::with_capacity(pictures.len());
        for batch in pictures.chunks(BATCH) {
            let input = pictures_to_tensor(batch, &self.device)?;
            let logits = match &self.plan {
                Some(plan) => plan.forward(&input)?,
                None => self.model.network.forward(&input, Mode::Predict)?,
            };
            let logits = match self.calibration() {
                Some(calibration) => calibration.apply(&logits)?,
                None => logits,
            };
            let rows = log_probabilities(&logits)?.exp()?.to_vec2::<f32>()?;
            predictions.extend(rows.into_iter().map(|probabilities| Prediction {
                probabilities,
                class_names: self.class_names().clone(),
            }));
        }
        Ok(predictions)
    }
}

/// What a network says of one picture: a probability for each class.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    probabilities: Vec<f32>,
    class_names: ClassNames,
}

impl Prediction {
    /// The class of the highest probability, the first of equals.
    pub fn class(&self) -> usize {
        most_probable(&self.probabilities)
    }

    /// The name of that class.
    pub fn class_name(&self) -> &str {
        self.class_names.name(self.class())
    }

    /// The highest probability, 0 to 1.
    pub fn probability(&self) -> f32 {
        self.probabilities[self.class()]
    }

    /// The name of the most probable class, or `None`, unsure, where its probability is below
    /// `threshold`; see [`Classifier::at_risk`].
    pub fn answer(&self, threshold: f64) -> Option<&str> {
        (f64::from(self.probability()) >= threshold).then(|| self.class_name())
    }

    /// One probability a class, in class order, summing to 1.
    pub fn probabilities(&self) -> &[f32] {
        &self.probabilities
    }

    /// Class names with their probabilities, in class order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, f32)> {
        self.class_names
            .iter()
            .zip(self.probabilities.iter().copied())
    }
}

/// The class of the highest value in a row of logits, probabilities or their logarithms; the first
/// of equals.
pub fn most_probable(row: &[f32]) -> usize {
    let mut best = 0;
    for (class, value) in row.iter().enumerate() {
        if *value > row[best] {
            best = class;
        }
    }
    best
}
