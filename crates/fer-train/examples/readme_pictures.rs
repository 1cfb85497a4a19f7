//! Draws the pictures of the README: `cargo run -p fer-train --example readme_pictures`.

use std::fs;

use anyhow::Result;
use fer_data::drawn::{DrawnFace, DrawnFaces};
use fer_data::{Expression, PIXELS};
use fer_train::report::contact_sheet::{Row, png};

const PEOPLE: u32 = 12;

fn main() -> Result<()> {
    let drawn = DrawnFaces::new(1).subjects(PEOPLE).takes(1);
    let faces: Vec<DrawnFace> = (0..drawn.len()).map(|index| drawn.draw(index)).collect();
    let row = |expression: Expression| Row {
        label: expression.name(),
        pictures: faces
            .iter()
            .filter(|face| face.expression == expression)
            .map(|face| face.pixels.as_slice())
            .collect(),
    };
    let rows: Vec<Row<'_>> = Expression::ALL.into_iter().map(row).collect();
    fs::write("assets/faces.png", png(&rows, PEOPLE as usize)?)?;

    let happy = faces
        .iter()
        .find(|face| face.expression == Expression::Happy);
    if let Some(face) = happy {
        let mut file = std::io::Cursor::new(Vec::with_capacity(PIXELS));
        image::write_buffer_with_format(
            &mut file,
            &face.pixels,
            48,
            48,
            image::ExtendedColorType::L8,
            image::ImageFormat::Png,
        )?;
        fs::write("assets/face.png", file.into_inner())?;
    }
    Ok(())
}
