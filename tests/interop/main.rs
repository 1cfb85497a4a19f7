//! The Rust side of `just interop`: what other programs are given, and what fer says itself.
//!
//! `interop make FOLDER` leaves networks, pictures and answers; `interop answer MODEL FOLDER FILE` writes
//! what a model says of the pictures in that folder.

mod exchange;

use std::env;
use std::path::Path;

use anyhow::{Result, bail};
use candle_core::Device;
use fer_data::{PIXELS, Picture};
use fer_model::file;
use fer_model::ops::Engine;

fn main() -> Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["make", folder] => exchange::write(Path::new(folder)),
        ["answer", model, folder, file] => {
            answer(Path::new(model), Path::new(folder), Path::new(file))
        }
        _ => bail!("interop make FOLDER, or interop answer MODEL FOLDER FILE"),
    }
}

/// Writes what a model says of the faces in `folder`.
fn answer(model: &Path, folder: &Path, answers: &Path) -> Result<()> {
    let stored = candle_core::safetensors::load(folder.join("pictures.safetensors"), &Device::Cpu)?;
    let pixels: Vec<u8> = stored["pictures"].flatten_all()?.to_vec1()?;
    let pictures: Result<Vec<Picture>, _> = pixels
        .chunks(PIXELS)
        .map(|pixels| Picture::from_pixels(pixels, "face"))
        .collect();
    let model = file::load(model, &Device::Cpu, Engine::available()[0])?;
    exchange::answer(&model, &pictures?, answers)
}
