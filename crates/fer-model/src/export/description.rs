use std::collections::BTreeMap;

use fer_data::{ClassNames, Resize};
use serde_json::json;

use super::ExportError;
use crate::Views;
use crate::file::{Calibration, Description, TemperatureOrigin};

/// What an ONNX file says beside its graph.
#[derive(Clone, Debug, PartialEq)]
pub struct OnnxDescription {
    /// What the graph is called.
    pub name: String,
    /// What the file says of itself in words.
    pub text: String,
    /// The classes in the order of the outputs.
    pub classes: ClassNames,
    /// What logits are divided by before the softmax, 0.01 to 100.
    pub temperature: f64,
    /// Over which views of a picture logits are the mean.
    pub views: Views,
    /// What stands in the file's `metadata_props`; `classes` and `temperature` are added.
    pub properties: BTreeMap<String, String>,
}

impl OnnxDescription {
    /// A network of this name, with these classes, a temperature of 1 and one view.
    pub fn new(name: &str, classes: ClassNames) -> Self {
        OnnxDescription {
            name: name.into(),
            text: String::new(),
            classes,
            temperature: 1.0,
            views: Views::One,
            properties: BTreeMap::new(),
        }
    }

    /// What a model file says.
    ///
    /// # Errors
    /// None for what came out of a model file.
    pub fn of(description: &Description) -> Result<Self, ExportError> {
        let calibration = description.calibration.as_ref();
        Ok(OnnxDescription {
            name: description.architecture.name().into(),
            text: text(description),
            classes: description.classes.clone(),
            temperature: calibration.map_or(1.0, |calibration| calibration.temperature),
            views: description.preprocessing.views,
            properties: [
                ("fer".to_string(), description.to_json()?),
                ("preprocessing".to_string(), preprocessing(description)),
            ]
            .into(),
        })
    }

    /// All that goes into the file's `metadata_props`, in the order of the keys.
    pub(super) fn entries(&self) -> BTreeMap<String, String> {
        let mut entries = self.properties.clone();
        entries.insert("classes".into(), json!(self.classes).to_string());
        entries.insert("temperature".into(), self.temperature.to_string());
        entries
    }

    pub(super) fn check(&self, outputs: usize) -> Result<(), ExportError> {
        if self.classes.len() != outputs {
            return Err(ExportError::Classes {
                names: self.classes.len(),
                outputs,
            });
        }
        let calibration = Calibration {
            temperature: self.temperature,
            origin: TemperatureOrigin::CarriedOver {
                from: String::new(),
            },
        };
        if !calibration.is_usable() {
            return Err(ExportError::Temperature(self.temperature));
        }
        Ok(())
    }
}

fn text(description: &Description) -> String {
    let architecture = description.architecture.name();
    let classes: Vec<&str> = description.classes.iter().collect();
    let classes = classes.join(", ");
    let data = &description.training.data;
    let library = &description.library;
    format!(
        "The network {architecture} of {library}, trained on {data}, for pictures of one face each. Classes: {classes}. What a face shows is not what a person feels."
    )
}

fn preprocessing(description: &Description) -> String {
    let side = description.preprocessing.side;
    let resize = match description.preprocessing.resize {
        Resize::Antialiased => {
            "with an antialiased triangle filter (Pillow's BILINEAR, but rounded once)"
        }
        Resize::OpencvLinear => "as cv2.resize does with INTER_LINEAR",
    };
    format!(
        "One face a picture, cropped to it. Colours become grey by ITU-R BT.601 (0.299 R + 0.587 G + 0.114 B; Pillow's convert('L'), OpenCV's BGR2GRAY), then {side}×{side} {resize}. The input takes the grey values as they are, uint8 from 0 to 255: the graph itself divides them by 255."
    )
}
