//! Many pictures at a glance, in labelled rows.

use super::canvas::{self, text_width};
use super::drawing::{SIDE, middle, picture, sheet, shortened, text};
use super::error::FigureError;

/// Pictures that belong together.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// What they have in common, written to their left.
    pub label: &'a str,
    /// Each 48×48 grey pixels row by row, 0 black to 255 white.
    pub pictures: Vec<&'a [u8]>,
}

const PICTURE: f32 = SIDE as f32;
const GAP: f32 = 4.0;
const MARGIN: f32 = 12.0;
const SIZE: f32 = 13.0;
const LONGEST: f32 = 200.0;

/// The rows from top to bottom as PNG, each picture enlarged twice, `columns` of them side by side
/// (one at least) and the others of a row below them.
///
/// # Errors
/// [`FigureError::Empty`] without any row, [`FigureError::PictureLength`] for a picture that is
/// not of 48×48 pixels, by its position on the sheet, [`FigureError::Size`] when there are more
/// than a PNG holds.
pub fn png(rows: &[Row], columns: usize) -> Result<Vec<u8>, FigureError> {
    canvas::png(&svg(rows, columns)?, 2.0)
}

fn svg(rows: &[Row], columns: usize) -> Result<String, FigureError> {
    let longest = rows.iter().map(|row| row.pictures.len()).max();
    let Some(longest) = longest else {
        return Err(FigureError::Empty { what: "row" });
    };
    let columns = columns.clamp(1, longest.max(1));
    let labels: Vec<String> = rows
        .iter()
        .map(|row| shortened(row.label, SIZE, LONGEST))
        .collect();
    let label_width = labels
        .iter()
        .map(|label| text_width(label, SIZE))
        .fold(0.0, f32::max);
    let left = MARGIN + label_width + MARGIN;
    let step = PICTURE + GAP;
    let all: usize = rows.iter().map(|row| lines(row, columns)).sum();
    let height = 2.0 * MARGIN + all as f32 * step + rows.len() as f32 * GAP - 2.0 * GAP;
    let mut figure = sheet(left + columns as f32 * step - GAP + MARGIN, height);
    let (mut top, mut index) = (MARGIN, 0);
    for (row, label) in rows.iter().zip(&labels) {
        let baseline = top + PICTURE / 2.0 + middle(SIZE);
        figure = figure.add(text(label, MARGIN, baseline, SIZE));
        for (place, pixels) in row.pictures.iter().enumerate() {
            let (column, line) = (place % columns, place / columns);
            let corner = (left + column as f32 * step, top + line as f32 * step);
            figure = figure.add(picture(pixels, index, corner, PICTURE)?);
            index += 1;
        }
        top += lines(row, columns) as f32 * step + GAP;
    }
    Ok(figure.to_string())
}

/// Lines that a row takes: one even without pictures, for its label.
fn lines(row: &Row, columns: usize) -> usize {
    row.pictures.len().div_ceil(columns).max(1)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const BLACK: [u8; 2304] = [0; 2304];

    fn size(counts: &[usize], columns: usize) -> (u32, u32) {
        let row = |&count| Row {
            label: "",
            pictures: vec![&BLACK; count],
        };
        let rows: Vec<Row> = counts.iter().map(row).collect();
        let sheet = image::load_from_memory(&png(&rows, columns).unwrap()).unwrap();
        (sheet.width(), sheet.height())
    }

    #[test]
    fn the_sheet_is_as_large_as_its_rows() {
        assert_eq!(size(&[3, 1], 9), (2 * (36 + 3 * 52 - 4), 2 * (24 + 2 * 52)));
        assert_eq!(size(&[3, 1], 2), (2 * (36 + 2 * 52 - 4), 2 * (24 + 3 * 52)));
        assert_eq!(size(&[0], 5), size(&[1], 5));
        assert_eq!(size(&[2], 0), size(&[2], 1));
    }

    #[test]
    fn every_picture_stands_at_its_place() {
        let white = [255; 2304];
        let rows = [
            Row {
                label: "",
                pictures: vec![&white, &BLACK],
            },
            Row {
                label: "",
                pictures: vec![&BLACK],
            },
        ];
        let sheet = image::load_from_memory(&png(&rows, 2).unwrap())
            .unwrap()
            .to_luma8();
        let centre = |column: u32, line: u32| {
            let place = (2 * (24 + 52 * column + 24), 2 * (12 + 56 * line + 24));
            sheet.get_pixel(place.0, place.1).0[0]
        };
        let seen = [centre(0, 0), centre(1, 0), centre(0, 1), centre(1, 1)];
        assert_eq!(seen, [255, 0, 0, 255]);
    }

    #[test]
    fn labels_are_written_and_widen_the_sheet() {
        let labelled = |label| {
            png(
                &[Row {
                    label,
                    pictures: vec![&BLACK],
                }],
                1,
            )
            .unwrap()
        };
        let width = |png: Vec<u8>| image::load_from_memory(&png).unwrap().width();
        assert!(width(labelled("surprised")) > width(labelled("sad")));
    }

    #[test]
    fn a_short_picture_is_named_by_its_position_on_the_sheet() {
        let rows = [
            Row {
                label: "sad",
                pictures: vec![&BLACK; 2],
            },
            Row {
                label: "fear",
                pictures: vec![&BLACK[..7]],
            },
        ];
        let error = png(&rows, 5).unwrap_err();
        assert!(matches!(
            error,
            FigureError::PictureLength {
                index: 2,
                got: 7,
                ..
            }
        ));
        assert!(matches!(
            png(&[], 5),
            Err(FigureError::Empty { what: "row" })
        ));
    }
}
