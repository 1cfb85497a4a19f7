//! Pictures with their true and predicted names, five to a row, as the source document shows ten
//! of them.

use super::canvas::{self, text_width};
use super::drawing::{FAINT, INK, WRONG, centred, picture, rectangle, sheet, shortened};
use super::error::FigureError;

/// A picture, what it shows and what it was taken for.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// 48×48 grey pixels row by row, 0 black to 255 white.
    pub pixels: &'a [u8],
    /// Name of its true class.
    pub truth: &'a str,
    /// Name of the class that was predicted.
    pub predicted: &'a str,
}

const COLUMNS: usize = 5;
const PICTURE: f32 = 120.0;
const GAP: f32 = 18.0;
const SIZE: f32 = 13.0;
const LINE: f32 = 17.0;
const HEAD: f32 = 2.0 * LINE + 6.0;
const LONGEST: f32 = 200.0;

/// The samples as an SVG figure, each under its two names; those that were mistaken have coloured
/// names and a coloured frame.
///
/// # Errors
/// [`FigureError::Empty`] without samples, [`FigureError::PictureLength`] for a picture that is
/// not of 48×48 pixels.
pub fn svg(samples: &[Sample]) -> Result<String, FigureError> {
    if samples.is_empty() {
        return Err(FigureError::Empty { what: "sample" });
    }
    let titles: Vec<[String; 2]> = samples.iter().map(titles).collect();
    let widths = titles.iter().flatten().map(|title| text_width(title, SIZE));
    let column = widths.fold(PICTURE, f32::max) + GAP;
    let rows = samples.len().div_ceil(COLUMNS);
    let width = GAP + column * samples.len().min(COLUMNS) as f32;
    let mut figure = sheet(width, GAP + rows as f32 * (HEAD + PICTURE + GAP));
    for (index, (sample, [truth, predicted])) in samples.iter().zip(&titles).enumerate() {
        let middle = (GAP + column * (2 * (index % COLUMNS) + 1) as f32) / 2.0;
        let top = GAP + (index / COLUMNS) as f32 * (HEAD + PICTURE + GAP);
        let (x, y) = (middle - PICTURE / 2.0, top + HEAD);
        let (ink, frame, thickness) = match sample.truth == sample.predicted {
            true => (INK, FAINT, 1.0),
            false => (WRONG, WRONG, 3.0),
        };
        let frame = rectangle(x, y, PICTURE, PICTURE)
            .set("stroke", frame)
            .set("stroke-width", 2.0 * thickness);
        figure = figure
            .add(centred(truth, middle, top + LINE / 2.0, SIZE).set("fill", ink))
            .add(centred(predicted, middle, top + LINE * 1.5, SIZE).set("fill", ink))
            .add(frame)
            .add(picture(sample.pixels, index, (x, y), PICTURE)?);
    }
    Ok(figure.to_string())
}

/// The figure of [`svg()`] as PNG, five pixels to each of a picture's.
///
/// # Errors
/// Those of [`svg()`].
pub fn png(samples: &[Sample]) -> Result<Vec<u8>, FigureError> {
    canvas::png(&svg(samples)?, 2.0)
}

fn titles(sample: &Sample) -> [String; 2] {
    [("True", sample.truth), ("Pred", sample.predicted)]
        .map(|(role, name)| shortened(&format!("{role}: {name}"), SIZE, LONGEST))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const GREY: [u8; 2304] = [128; 2304];

    fn sample<'a>(pixels: &'a [u8], truth: &'a str, predicted: &'a str) -> Sample<'a> {
        Sample {
            pixels,
            truth,
            predicted,
        }
    }

    fn size(samples: &[Sample]) -> (u32, u32) {
        let picture = image::load_from_memory(&png(samples).unwrap()).unwrap();
        (picture.width(), picture.height())
    }

    #[test]
    fn ten_samples_stand_in_two_rows_of_five() {
        let one = sample(&GREY, "happy", "sad");
        assert_eq!(size(&[one; 10]), (2 * (18 + 5 * 138), 2 * (18 + 2 * 178)));
        assert_eq!(size(&[one; 6]), size(&[one; 10]));
        assert_eq!(size(&[one; 3]), (2 * (18 + 3 * 138), 2 * (18 + 178)));
    }

    #[test]
    fn both_names_are_told_and_only_mistakes_are_coloured() {
        let wrong = svg(&[sample(&GREY, "happy", "<b>")]).unwrap();
        assert!(
            wrong.contains("True: happy") && wrong.contains("Pred: &lt;b&gt;"),
            "{wrong}"
        );
        assert!(wrong.contains(WRONG));
        assert!(
            !svg(&[sample(&GREY, "happy", "happy")])
                .unwrap()
                .contains(WRONG)
        );
    }

    #[test]
    fn the_picture_is_drawn_upright_and_unmirrored() {
        let mut pixels = [0; 2304];
        pixels[..10].fill(255);
        let drawn = png(&[sample(&pixels, "sad", "sad")]).unwrap();
        let drawn = image::load_from_memory(&drawn).unwrap().to_luma8();
        let (left, top) = (2 * 18, 2 * (18 + 40));
        assert!(drawn.get_pixel(left + 25, top + 2).0[0] > 230);
        for (x, y) in [
            (left + 215, top + 2),
            (left + 25, top + 237),
            (left + 215, top + 237),
        ] {
            assert!(drawn.get_pixel(x, y).0[0] < 25, "{x} {y}");
        }
    }

    #[test]
    fn no_samples_and_short_pictures_are_refused() {
        assert!(matches!(
            png(&[]),
            Err(FigureError::Empty { what: "sample" })
        ));
        let samples = [
            sample(&GREY, "sad", "sad"),
            sample(&GREY[1..], "sad", "sad"),
        ];
        let error = png(&samples).unwrap_err();
        assert!(matches!(
            error,
            FigureError::PictureLength {
                index: 1,
                got: 2303,
                ..
            }
        ));
    }
}
