//! Loads a model and predicts one picture of a face:
//! `cargo run -p fer-model --example predict -- MODEL PICTURE`.

use std::env;
use std::path::PathBuf;

use fer_model::{Classifier, Device};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let paths: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [model, picture] = paths.as_slice() else {
        return Err("usage: predict MODEL PICTURE".into());
    };
    let classifier = Classifier::load(model, &Device::Cpu)?;
    let prediction = classifier.predict(&classifier.open_picture(picture)?)?;
    let lines: Vec<String> = prediction
        .iter()
        .map(|(name, probability)| format!("{name:10} {probability:.3}\n"))
        .collect();
    std::io::Write::write_all(&mut std::io::stdout(), lines.concat().as_bytes())?;
    Ok(())
}
