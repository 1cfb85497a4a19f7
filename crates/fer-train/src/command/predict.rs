use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
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
    /// Answer `unsure` where the model is not sure enough to be wrong in no more than this share of its
    /// answers, as on its validation pictures; such as 0.05 [default: it always answers]
    #[arg(long, value_name = "SHARE")]
    abstain_risk: Option<f64>,
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
        /// Null where it abstained.
        expression: Option<String>,
        #[serde(skip_serializing_if = "is_false")]
        abstained: bool,
        probabilities: Map<String, Value>,
    },
    Failed {
        path: String,
        error: String,
    },
}

fn is_false(value: &bool) -> bool {
    !value
}

pub(crate) fn run(arguments: &PredictArguments) -> Result<ExitCode> {
    let people = People::beside_json(arguments.json);
    let selected = arguments.device.device.select()?;
    let engine = arguments.device.engine.select()?;
    let model = model::load(arguments.model.as_deref(), &selected.device, engine)?;
    let classifier = Classifier::new(model, &selected.device)?;
    let threshold = match arguments.abstain_risk {
        Some(risk) => threshold(&classifier, risk)?,
        None => 0.0,
    };
    let mut elements = Vec::with_capacity(arguments.images.len());
    for image in &arguments.images {
        let element = predict(&classifier, threshold, image);
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

/// How sure the model must be to keep this risk; says on stderr what that comes to.
fn threshold(classifier: &Classifier, risk: f64) -> Result<f64> {
    let step = classifier.at_risk(risk).context("--abstain-risk")?;
    People::Stderr.say(&format!(
        "unsure      below {}: on validation {} was answered, and {} of that was wrong",
        percent(step.threshold),
        percent(step.coverage),
        percent(step.risk)
    ))?;
    Ok(step.threshold)
}

fn predict(classifier: &Classifier, threshold: f64, image: &Path) -> Element {
    let path = image.display().to_string();
    let predicted = classifier
        .open_picture(image)
        .and_then(|picture| classifier.predict(&picture));
    match predicted {
        Ok(prediction) => Element::Predicted {
            path,
            face: None,
            expression: prediction.answer(threshold).map(String::from),
            abstained: prediction.answer(threshold).is_none(),
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
            let told = |name: &str, probability: f64| format!("{name} {}", percent(probability));
            let mut places = sorted
                .iter()
                .take(3)
                .map(|(name, probability)| told(name, *probability));
            let answer = match expression {
                Some(_) => places.next().unwrap_or_default(),
                None => "unsure".into(),
            };
            let others = places.collect::<Vec<_>>().join(", ");
            people.say(&format!("{path}: {answer} ({others})"))?;
        }
        Element::Failed { error, .. } => People::Stderr.say(&format!("error: {error}"))?,
    }
    Ok(())
}
