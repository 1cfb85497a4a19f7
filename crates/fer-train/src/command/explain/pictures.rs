use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use fer_data::Region;
use fer_model::explain::OcclusionSettings;
use fer_model::file::replace;
use fer_model::{Classifier, Device, Picture, pictures_to_tensor};
use serde::Serialize;

use super::ExplainArguments;
use crate::command::Usage;
use crate::command::model;
use crate::command::output::{self, People, percent};
use crate::insight::Profile;
use crate::report::heat_map::{Bar, HeatMaps, explained_png};

/// One element of the JSON array.
#[derive(Serialize)]
#[serde(untagged)]
enum Element {
    Explained(Box<Explained>),
    Failed { path: String, error: String },
}

#[derive(Serialize)]
struct Explained {
    path: String,
    /// The class predicted.
    expression: String,
    /// The class explained, and its probability.
    class: String,
    probability: f32,
    occlusion: Densities,
    grad_cam: Densities,
    /// The picture that shows it.
    picture: String,
}

/// What a map has in each region, 1 being the mean of the face.
#[derive(Serialize)]
struct Densities {
    regions: BTreeMap<&'static str, f64>,
    outside: f64,
}

pub(super) fn run(arguments: &ExplainArguments) -> Result<ExitCode> {
    let people = People::beside_json(arguments.json);
    let selected = arguments.device.device.select()?;
    let engine = arguments.device.engine.select()?;
    let model = model::load(arguments.model.as_deref(), &selected.device, engine)?;
    let classifier = Classifier::new(model, &selected.device)?;
    let class = match &arguments.class {
        Some(name) => Some(class_named(&classifier, name)?),
        None => None,
    };
    let folder = arguments
        .out
        .clone()
        .unwrap_or_else(|| "explanation".into());
    fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make the directory {}", folder.display()))?;
    let mut elements = Vec::with_capacity(arguments.images.len());
    let names = file_names(&arguments.images);
    for (image, name) in arguments.images.iter().zip(names) {
        let file = folder.join(name);
        let element = match explain(&classifier, image, class, &file) {
            Ok(explained) => Element::Explained(Box::new(explained)),
            Err(error) => Element::Failed {
                path: image.display().to_string(),
                error: output::chain(&error),
            },
        };
        say(&element, arguments.json, people)?;
        elements.push(element);
    }
    if arguments.json {
        output::json(&(serde_json::to_string_pretty(&elements)? + "\n"))?;
    }
    let failed = elements
        .iter()
        .any(|element| matches!(element, Element::Failed { .. }));
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn class_named(classifier: &Classifier, name: &str) -> Result<usize> {
    let classes = classifier.class_names();
    let class = classes.index(name).ok_or_else(|| {
        Usage(format!(
            "the model has no class `{name}`; its classes are: {classes}"
        ))
    })?;
    Ok(class)
}

/// A name for the picture of each image: none that an image bears, and where one before has it already, with
/// the first number that is free.
fn file_names(images: &[PathBuf]) -> Vec<String> {
    let name = |image: &PathBuf| {
        image
            .file_name()
            .map(|name| name.to_string_lossy().to_lowercase())
    };
    let mut taken: BTreeSet<String> = images.iter().filter_map(name).collect();
    let mut names = Vec::with_capacity(images.len());
    for image in images {
        let stem = image.file_stem().unwrap_or_default().to_string_lossy();
        let mut name = format!("{stem}-explained.png");
        let mut number = 1;
        // Some file systems take two names for one that differ in case alone.
        while !taken.insert(name.to_lowercase()) {
            number += 1;
            name = format!("{stem}-{number}-explained.png");
        }
        names.push(name);
    }
    names
}

fn explain(
    classifier: &Classifier,
    image: &Path,
    class: Option<usize>,
    file: &Path,
) -> Result<Explained> {
    let picture = classifier.open_picture(image)?;
    let prediction = classifier.predict(&picture)?;
    let class = class.unwrap_or_else(|| prediction.class());
    let [occlusion, grad_cam] = maps(classifier, &picture, class)?;
    let profiles = [&occlusion, &grad_cam].map(|map| Profile::of(map));
    let explained = Explained {
        path: image.display().to_string(),
        expression: prediction.class_name().to_string(),
        class: classifier.class_names().name(class).to_string(),
        probability: prediction.probabilities()[class],
        occlusion: Densities::of(&profiles[0]),
        grad_cam: Densities::of(&profiles[1]),
        picture: file.display().to_string(),
    };
    let bars = Region::ALL.map(|region| Bar {
        name: region.name(),
        densities: profiles.map(|profile| profile.densities[region.index()]),
    });
    let maps = HeatMaps {
        face: picture.pixels(),
        occlusion: &occlusion,
        grad_cam: &grad_cam,
    };
    replace(file, &explained_png(&title(&explained), &maps, &bars)?)
        .with_context(|| format!("cannot write {}", file.display()))?;
    Ok(explained)
}

/// The maps of one picture by occlusion and Grad-CAM, 48×48 values each.
fn maps(classifier: &Classifier, picture: &Picture, class: usize) -> Result<[Vec<f64>; 2]> {
    let explainer = classifier.explainer()?;
    let pictures = pictures_to_tensor(std::slice::from_ref(picture), &Device::Cpu)?;
    let occlusion = explainer.occlusion(&pictures, &[class], &OcclusionSettings::default())?;
    let grad_cam = explainer.grad_cam(&pictures, &[class])?;
    let mut maps = [Vec::new(), Vec::new()];
    for (map, tensor) in maps.iter_mut().zip([occlusion, grad_cam]) {
        let values: Vec<f32> = tensor.flatten_all()?.to_vec1()?;
        map.extend(values.into_iter().map(f64::from));
    }
    Ok(maps)
}

impl Densities {
    fn of(profile: &Profile) -> Self {
        let names = Region::ALL.map(Region::name).into_iter();
        Densities {
            regions: names.zip(profile.densities).collect(),
            outside: profile.outside,
        }
    }
}

fn title(explained: &Explained) -> String {
    let Explained {
        expression,
        class,
        probability,
        ..
    } = explained;
    let sure = percent(f64::from(*probability));
    match class == expression {
        true => format!("{class} {sure}"),
        false => format!("{class} {sure} (predicted: {expression})"),
    }
}

fn say(element: &Element, json: bool, people: People) -> Result<()> {
    let explained = match element {
        Element::Failed { error, .. } => {
            people_stderr(error)?;
            return Ok(());
        }
        Element::Explained(_) if json => return Ok(()),
        Element::Explained(explained) => explained,
    };
    people.say(&format!("{}: {}", explained.path, title(explained)))?;
    people.say("region   occlusion  Grad-CAM   (1: as much as the face has on the whole)")?;
    for region in Region::ALL {
        let name = region.name();
        let [one, other] = [&explained.occlusion, &explained.grad_cam].map(|map| map.regions[name]);
        people.say(&format!("{name:<8} {one:>9.2} {other:>9.2}"))?;
    }
    let [one, other] = [&explained.occlusion, &explained.grad_cam].map(|map| map.outside);
    people.say(&format!("{:<8} {one:>9.2} {other:>9.2}", "outside"))?;
    people.say(&format!("drawn in    {}", explained.picture))?;
    Ok(())
}

fn people_stderr(error: &str) -> Result<()> {
    Ok(People::Stderr.say(&format!("error: {error}"))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_after_their_image_and_apart() {
        let images = [
            "a/face.png",
            "b/face.jpg",
            "c/face-2.png",
            "d/Face-explained.png",
        ];
        let names = file_names(&images.map(PathBuf::from));
        let expected = [
            "face-2-explained.png",
            "face-3-explained.png",
            "face-2-2-explained.png",
            "Face-explained-explained.png",
        ];
        assert_eq!(names, expected);
        let names = file_names(&["a/x.png", "b/y.png"].map(PathBuf::from));
        assert_eq!(names, ["x-explained.png", "y-explained.png"]);
    }
}
