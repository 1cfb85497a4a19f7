use std::path::Path;

use candle_core::{Device, Tensor};
use fer_data::{ClassNames, DataError, Flaw, Picture, Resize};
use image::DynamicImage;

use crate::error::ModelError;
use crate::explain::Explainer;
use crate::file::{self, AbstentionStep, Calibration, Description, Model};
use crate::input::{check_pictures, pictures_to_tensor};
use crate::ops::{Engine, log_probabilities};
use crate::plan::Plan;
use crate::prediction::Prediction;

/// Pictures that go through the network together.
const BATCH: usize = 256;

/// What errors call a picture that has no name.
const NAMELESS: &str = "the picture";

/// A trained network that predicts pictures of faces.
///
/// ```no_run
/// use fer_model::Classifier;
///
/// let classifier = Classifier::builtin()?;
/// let prediction = classifier.predict(&classifier.open_picture("face.png")?)?;
/// println!("{} ({:.0} %)", prediction.class_name(), 100.0 * prediction.probability());
/// for (name, probability) in prediction.iter() {
///     println!("{name:10} {probability:.3}");
/// }
/// # Ok::<(), fer_model::ModelError>(())
/// ```
///
/// | what there is | what asks |
/// |---|---|
/// | a file | [`open_picture`](Self::open_picture), then [`predict`](Self::predict) |
/// | many files | [`open_picture`](Self::open_picture) each, then [`predict_many`](Self::predict_many) |
/// | the bytes of a PNG, JPEG, … | [`predict_bytes`](Self::predict_bytes), or [`decode_picture`](Self::decode_picture) |
/// | an image of the crate [`image`](crate::image) | [`predict_image`](Self::predict_image), or [`picture_of`](Self::picture_of) |
/// | a tensor | [`predict_tensor`](Self::predict_tensor) |
///
/// It is `Send` and `Sync` and changes nothing while it predicts: one serves any number of threads,
/// behind a reference or an [`Arc`](std::sync::Arc). The same pictures get the same bits on any of them.
pub struct Classifier {
    model: Model,
    plan: Option<Plan>,
    device: Device,
}

impl Classifier {
    /// The model that this crate brings along, on the CPU: eight expressions, trained on FER2013 with
    /// FER+ votes.
    ///
    /// ```
    /// use fer_model::Classifier;
    ///
    /// let classifier = Classifier::builtin()?;
    /// assert_eq!(classifier.class_names().len(), 8);
    /// println!("trained on {}", classifier.description().training.data);
    /// # Ok::<(), fer_model::ModelError>(())
    /// ```
    ///
    /// # Errors
    /// None that can happen on a machine with memory; [`ModelError::Refused`] where the built-in file
    /// does not pass its self-test.
    #[cfg(feature = "weights")]
    pub fn builtin() -> Result<Self, ModelError> {
        Self::builtin_on(&Device::Cpu)
    }

    /// As [`builtin`](Self::builtin), on `device`.
    ///
    /// # Errors
    /// As [`builtin`](Self::builtin), and a device that fails.
    #[cfg(feature = "weights")]
    pub fn builtin_on(device: &Device) -> Result<Self, ModelError> {
        Self::new(file::builtin(device, Engine::detect())?, device)
    }

    /// Loads a model file onto `device` and checks it.
    ///
    /// # Errors
    /// [`ModelError::Io`] for a file that cannot be read, [`ModelError::Refused`] with the
    /// [`Refusal`](crate::Refusal) for one that is no usable model.
    pub fn load(path: impl AsRef<Path>, device: &Device) -> Result<Self, ModelError> {
        Self::load_with(path, device, Engine::detect())
    }

    /// As [`load`](Self::load), computed by `engine` when `device` is the CPU.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_with(
        path: impl AsRef<Path>,
        device: &Device,
        engine: Engine,
    ) -> Result<Self, ModelError> {
        Self::new(file::load(path.as_ref(), device, engine)?, device)
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

    /// What tells where the network looks, at a picture as it is: from one view.
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
    /// let classifier = Classifier::load("model.safetensors", &Device::Cpu)?;
    /// let step = classifier.at_risk(0.05)?;
    /// println!("answered {:.0} % of validation", 100.0 * step.coverage);
    /// let prediction = classifier.predict(&classifier.open_picture("face.png")?)?;
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

    /// How the pictures that this network learned from became 48×48. Those that it is to judge must
    /// come the same way, as [`open_picture`](Self::open_picture), [`decode_picture`](Self::decode_picture)
    /// and [`picture_of`](Self::picture_of) make them.
    pub fn resize(&self) -> Resize {
        self.model.description.preprocessing.resize
    }
}

/// Pictures in the network's own way of [`resize`](Classifier::resize), and what it says of them.
impl Classifier {
    /// Reads a picture of a face: PNG, JPEG, BMP, GIF, WebP, TIFF or PNM, told by the content.
    ///
    /// # Errors
    /// [`ModelError::Data`]: a file that cannot be read or decoded, by name.
    pub fn open_picture(&self, path: impl AsRef<Path>) -> Result<Picture, ModelError> {
        Ok(Picture::open_with(path.as_ref(), self.resize())?)
    }

    /// Decodes the bytes of such a file; `name` is what an error calls it.
    ///
    /// # Errors
    /// [`ModelError::Data`]: bytes that are no whole picture, or one that is too large.
    pub fn decode_picture(&self, bytes: &[u8], name: &str) -> Result<Picture, ModelError> {
        Ok(Picture::decode_with(bytes, name, self.resize())?)
    }

    /// The picture of an image of any size and colours, upright as it is. Colours become grey, alpha is
    /// dropped, 16-bit values keep their upper byte.
    ///
    /// # Errors
    /// [`ModelError::Data`]: an image of no pixels.
    pub fn picture_of(&self, image: &DynamicImage) -> Result<Picture, ModelError> {
        if image.width() == 0 || image.height() == 0 {
            return Err(ModelError::Data(DataError::Decode {
                name: NAMELESS.into(),
                flaw: Flaw::Broken,
                reason: format!("it is {}×{} pixels", image.width(), image.height()),
            }));
        }
        Ok(Picture::from_image_with(image, self.resize()))
    }

    /// Predicts one picture of a face.
    ///
    /// # Errors
    /// [`ModelError::Tensor`]: a device that fails.
    pub fn predict(&self, picture: &Picture) -> Result<Prediction, ModelError> {
        let mut predictions = self.predict_many(std::slice::from_ref(picture))?;
        Ok(predictions.remove(0))
    }

    /// Predicts pictures of faces, in their order: faster than one by one. There may be none.
    ///
    /// # Errors
    /// As [`predict`](Self::predict).
    pub fn predict_many(&self, pictures: &[Picture]) -> Result<Vec<Prediction>, ModelError> {
        let mut predictions = Vec::with_capacity(pictures.len());
        for batch in pictures.chunks(BATCH) {
            predictions.extend(self.answers(&pictures_to_tensor(batch, &self.device)?)?);
        }
        Ok(predictions)
    }

    /// Predicts the picture of a face whose file has these bytes, as
    /// [`decode_picture`](Self::decode_picture) decodes it.
    ///
    /// # Errors
    /// As [`decode_picture`](Self::decode_picture) and [`predict`](Self::predict).
    pub fn predict_bytes(&self, bytes: &[u8]) -> Result<Prediction, ModelError> {
        self.predict(&self.decode_picture(bytes, NAMELESS)?)
    }

    /// Predicts an image of a face, as [`picture_of`](Self::picture_of) makes a picture of it.
    ///
    /// ```
    /// use fer_model::Classifier;
    /// use fer_model::image::{DynamicImage, GrayImage};
    ///
    /// let grey = DynamicImage::from(GrayImage::from_pixel(60, 60, [128].into()));
    /// let prediction = Classifier::builtin()?.predict_image(&grey)?;
    /// assert_eq!(prediction.probabilities().len(), 8);
    /// # Ok::<(), fer_model::ModelError>(())
    /// ```
    ///
    /// # Errors
    /// As [`picture_of`](Self::picture_of) and [`predict`](Self::predict).
    pub fn predict_image(&self, image: &DynamicImage) -> Result<Prediction, ModelError> {
        self.predict(&self.picture_of(image)?)
    }

    /// Predicts pictures that are a tensor, in their order: f32 of shape (pictures, 1, 48, 48) on any
    /// device, with values from 0, black, to 1, white, and nothing subtracted. There may be none;
    /// [`pictures_to_tensor`] makes such a tensor.
    ///
    /// ```
    /// use fer_model::candle_core::Tensor;
    /// use fer_model::{Classifier, Device};
    ///
    /// let pictures = Tensor::full(0.5_f32, (3, 1, 48, 48), &Device::Cpu)?;
    /// assert_eq!(Classifier::builtin()?.predict_tensor(&pictures)?.len(), 3);
    /// # Ok::<(), fer_model::ModelError>(())
    /// ```
    ///
    /// # Errors
    /// [`ModelError::Pictures`]: another type or shape, or a value that is not from 0 to 1 (to a
    /// thousandth). [`ModelError::Tensor`]: a device that fails.
    pub fn predict_tensor(&self, pictures: &Tensor) -> Result<Vec<Prediction>, ModelError> {
        check_pictures(pictures)?;
        let count = pictures.dim(0)?;
        let mut predictions = Vec::with_capacity(count);
        for first in (0..count).step_by(BATCH) {
            let batch = pictures.narrow(0, first, BATCH.min(count - first))?;
            let batch = batch.detach().to_device(&self.device)?.contiguous()?;
            predictions.extend(self.answers(&batch)?);
        }
        Ok(predictions)
    }

    /// What the network says of a batch, f32 of shape (pictures, 1, 48, 48) on its device.
    fn answers(&self, input: &Tensor) -> Result<Vec<Prediction>, ModelError> {
        let logits = self.model.logits(self.plan.as_ref(), input)?;
        let logits = match self.calibration() {
            Some(calibration) => calibration.apply(&logits)?,
            None => logits,
        };
        let rows = log_probabilities(&logits)?.exp()?.to_vec2::<f32>()?;
        let answers = rows.into_iter().map(|probabilities| Prediction {
            probabilities,
            class_names: self.class_names().clone(),
        });
        Ok(answers.collect())
    }
}
