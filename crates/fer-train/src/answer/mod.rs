//! What is said of the faces in pictures, by the command and by the server alike.

mod faces;

use fer_data::face::Bounds;
use fer_model::Prediction;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(crate) use faces::{Reader, Seen};

/// What is said of a photograph in which nobody is found.
pub(crate) const NO_FACE: &str = "no face found";

/// What is said of a face, or of a picture that has none: one element of the JSON array.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Answer {
    Predicted {
        /// Null where the picture is no file.
        path: Option<String>,
        /// Null where the face is the whole picture.
        face: Option<Bounds>,
        /// Null where it abstained.
        expression: Option<String>,
        #[serde(default, skip_serializing_if = "is_false")]
        abstained: bool,
        probabilities: Map<String, Value>,
    },
    Failed {
        path: Option<String>,
        error: String,
    },
}

fn is_false(value: &bool) -> bool {
    !value
}

impl Answer {
    pub(crate) fn no_face(path: Option<String>) -> Self {
        let error = NO_FACE.to_string();
        Answer::Failed { path, error }
    }

    /// The prediction, or that the network is unsure where it is below `threshold`.
    pub(crate) fn predicted(
        path: Option<String>,
        face: Option<Bounds>,
        prediction: &Prediction,
        threshold: f64,
    ) -> Self {
        let probability =
            |(name, probability): (&str, f32)| (name.to_string(), Value::from(probability));
        Answer::Predicted {
            path,
            face,
            expression: prediction.answer(threshold).map(String::from),
            abstained: prediction.answer(threshold).is_none(),
            probabilities: prediction.iter().map(probability).collect(),
        }
    }
}
