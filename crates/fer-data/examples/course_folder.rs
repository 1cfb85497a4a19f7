//! Draws a folder laid out as the source document's: `images/0` to `images/18`, one folder a
//! person, eight files named by expression, and a csv of the people beside them:
//! `cargo run -p fer-data --example course_folder -- DIR`.

use std::path::PathBuf;
use std::{env, fs};

use fer_data::drawn::DrawnFaces;
use image::GrayImage;

const PEOPLE: u32 = 19;
const NAMES: [&str; 8] = [
    "Anger",
    "Contempt",
    "Disgust",
    "Fear",
    "Happy",
    "Neutral",
    "Sad",
    "Surprised",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Some(folder) = env::args_os().nth(1).map(PathBuf::from) else {
        return Err("usage: course_folder DIR".into());
    };
    let faces = DrawnFaces::new(5).subjects(PEOPLE).takes(1);
    let mut people = String::from("set_id,age,gender,country\n");
    for index in 0..faces.len() {
        let face = faces.draw(index);
        let person = folder.join("images").join(face.subject.to_string());
        fs::create_dir_all(&person)?;
        let image = GrayImage::from_raw(48, 48, face.pixels).ok_or("a face of another size")?;
        image.save(person.join(format!("{}.jpg", NAMES[face.expression.index()])))?;
    }
    for person in 0..PEOPLE {
        let gender = if person % 2 == 0 { "FEMALE" } else { "MALE" };
        people.push_str(&format!("{person},{},{gender},drawn\n", 20 + person));
    }
    Ok(fs::write(folder.join("emotions.csv"), people)?)
}
