use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use fer_model::{Classifier, Prediction};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::command::arguments::DeviceArguments;
use crate::command::model;
use crate::command::output::{self, People, percent};

/// What `predict` takes.
#[derive(Args)]
pub(crate) struct PredictArguments {
    /// The saved model [default: the built-in one]
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
    /// Pictures of one face each, cropped to it: PNG, JPEG, BMP, GIF, WebP, TIFF or PNM
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,
    /// Print one JSON array on stdout, and everything else on stderr
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    device: DeviceArguments,
}

/// One element of the JSON array. The face is the whole picture, so its box is null.
#[derive(Serialize)]
#[serde(untagged)]
enum Element {
    Predicted {
        path: String,
        face: Option<()>,
        expression: String,
        probabilities: Map<String, Value>,
    },
    Failed {
        path: String,
        error: String,
    },
}

pub(crate) fn run(arguments: &PredictArguments) -> Result<ExitCode> {
    let people = People::beside_json(arguments.json);
    let selected = arguments.device.device.select()?;
    let engine = arguments.device.engine.select()?;
    let model = model::load(arguments.model.as_deref(), &selected.device, engine)?;
    let classifier = Classifier::new(model, &selected.device)?;
    let mut elements = Vec::with_capacity(arguments.images.len());
    for image in &arguments.images {
        let element = predict(&classifier, image);
        if !arguments.json || matches!(element, Element::Failed { .. }) {
            say(&element, people)?;
        }
        elements.push(element);
    }
    if arguments.json {
        output::data(&(serde_json::to_string_pretty(&elements)? + "\n"))?;
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

fn predict(classifier: &Classifier, image: &Path) -> Element {
    let path = image.display().to_string();
    let predicted = classifier
        .open_picture(image)
        .and_then(|picture| classifier.predict(&picture));
    match predicted {
        Ok(prediction) => Element::Predicted {
            path,
            face: None,
            expression: prediction.class_name().to_string(),
            probabilities: probabilities(&prediction),
        },
        Err(error) => Element::Failed {
            path,
            error: error.to_string(),
        },
    }
}

fn probabilities(prediction: &Prediction) -> Map<String, Value> {
    prediction
        .iter()
        .map(|(name, probability)| (name.to_string(), Value::from(probability)))
        .collect()
}

fn say(element: &Element, people: People) -> Result<()> {
    match element {
        Element::Predicted {
            path,
            expression,
            probabilities,
            ..
        } => {
            let mut sorted: Vec<(&String, f64)> = probabilities
                .iter()
                .map(|(name, value)| (name, value.as_f64().unwrap_or(0.0)))
                .collect();
            sorted.sort_by(|one, other| other.1.total_cmp(&one.1));
            let others: Vec<String> = sorted
                .iter()
                .skip(1)
                .take(2)
                .map(|(name, probability)| format!("{name} {}", percent(*probability)))
                .collect();
            let first = sorted.first().map_or(0.0, |first| first.1);
            people.say(&format!(
                "{path}: {expression} {} ({})",
                percent(first),
                others.join(", ")
            ))?;
        }
        Element::Failed { error, .. } => People::Stderr.say(&format!("error: {error}"))?,
    }
    Ok(())
}
