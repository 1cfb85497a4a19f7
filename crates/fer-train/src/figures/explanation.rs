use anyhow::Result;
use fer_data::{Dataset, PIXELS, Region, Split};

use crate::insight::{Explanation, Insight};
use crate::report::heat_map::{self, HeatMaps, RegionBox};
use crate::run::RunDirectory;

const FOLDER: &str = "explanation";

/// Writes `explanation.json` and, in `explanation/`, `regions.png`, the regions' boxes on the mean
/// training face, and for each class the mean maps over its mean face. Gives what was written.
///
/// # Errors
/// A picture that cannot be read, or a file that cannot be written.
pub fn write_explanation(
    run: &RunDirectory,
    dataset: &Dataset,
    insight: &Insight,
) -> Result<Explanation> {
    run.make_directory(FOLDER)?;
    let mut training = dataset.indices(Split::Train);
    if training.is_empty() {
        training = (0..dataset.len()).collect();
    }
    let boxes: Vec<RegionBox> = Region::ALL
        .iter()
        .flat_map(|region| {
            let boxes = region.boxes().iter();
            boxes.map(|&edges| RegionBox {
                name: region.name(),
                edges,
            })
        })
        .collect();
    let regions = heat_map::regions_png(&mean_face(dataset, &training)?, &boxes)?;
    run.write(&format!("{FOLDER}/regions.png"), &regions)?;
    let mut explanation = insight.explanation.clone();
    for (number, class) in explanation.classes.iter_mut().enumerate() {
        if class.n == 0 {
            continue;
        }
        let indices = insight.indices.iter().copied();
        let own: Vec<usize> = indices
            .filter(|&index| dataset.entry(index).label == number)
            .collect();
        let maps = HeatMaps {
            face: &mean_face(dataset, &own)?,
            occlusion: &insight.maps.occlusion[number].mean(),
            grad_cam: &insight.maps.grad_cam[number].mean(),
        };
        let name = format!("{FOLDER}/{}", file_name(number, &class.name));
        run.write(&name, &heat_map::png(&maps)?)?;
        class.map = Some(name);
    }
    let json = serde_json::to_string_pretty(&explanation)? + "\n";
    run.write("explanation.json", json.as_bytes())?;
    Ok(explanation)
}

/// Names of classes come from strangers; those that are no plain words become numbers.
fn file_name(number: usize, class: &str) -> String {
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    match class != "regions" && class.chars().all(plain) {
        true => format!("{class}.png"),
        false => format!("class-{number}.png"),
    }
}

/// The mean of pictures, 48×48 greys; of none, black.
fn mean_face(dataset: &Dataset, indices: &[usize]) -> Result<Vec<u8>> {
    let mut sums = vec![0u64; PIXELS];
    for &index in indices {
        let picture = dataset.picture(index)?;
        sums.iter_mut()
            .zip(picture.pixels())
            .for_each(|(sum, &pixel)| *sum += u64::from(pixel));
    }
    let count = indices.len().max(1) as u64;
    Ok(sums
        .iter()
        .map(|sum| ((sum + count / 2) / count) as u8)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_words_name_files() {
        assert_eq!(file_name(4, "happy"), "happy.png");
        assert_eq!(file_name(4, "../happy"), "class-4.png");
        assert_eq!(file_name(2, "Happy"), "class-2.png");
        assert_eq!(file_name(2, "regions"), "class-2.png");
    }
}
