//! Where the network looked in a face.

use candle_core::Result;
use fer_model::explain::OcclusionSettings;
use fer_model::{Classifier, Device, Picture, pictures_to_tensor};
use serde::Serialize;

/// How much less the network says of a class when a place is hidden.
#[derive(Serialize)]
pub(super) struct Occlusion {
    /// The class that is explained.
    pub(super) class: String,
    /// 48×48 values row by row, in nats: above 0 where the place speaks for the class.
    pub(super) map: Vec<f32>,
}

/// The map of each picture for its class.
pub(super) fn maps(
    classifier: &Classifier,
    pictures: &[Picture],
    classes: &[usize],
) -> Result<Vec<Occlusion>> {
    if pictures.is_empty() {
        return Ok(Vec::new());
    }
    let explainer = classifier.explainer().map_err(candle_core::Error::wrap)?;
    let tensor = pictures_to_tensor(pictures, &Device::Cpu)?;
    let maps = explainer.occlusion(&tensor, classes, &OcclusionSettings::default())?;
    let maps: Vec<Vec<f32>> = maps.flatten_from(1)?.to_vec2()?;
    let named = |(map, class): (Vec<f32>, &usize)| Occlusion {
        class: classifier.class_names().name(*class).to_string(),
        map,
    };
    Ok(maps.into_iter().zip(classes).map(named).collect())
}
