//! Predicts a picture of a face with the built-in model:
//! `cargo run -p fer-model --example predict -- assets/face.png`.

#![expect(clippy::print_stdout, reason = "a program of its own")]

use fer_model::Classifier;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: predict PICTURE")?;
    let classifier = Classifier::builtin()?;
    let prediction = classifier.predict(&classifier.open_picture(path)?)?;
    for (name, probability) in prediction.iter() {
        println!("{name:10} {probability:.3}");
    }
    Ok(())
}
