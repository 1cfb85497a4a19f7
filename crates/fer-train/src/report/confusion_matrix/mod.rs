//! The confusion matrix as a table and as a figure. Rows are true classes, columns predicted ones.

mod layout;
mod shade;

use svg::Document;
use svg::node::element::{Group, Text, Title};

use self::layout::Layout;
use self::shade::Shade;
use super::canvas;
use super::drawing::{FAINT, centred, middle, rectangle, rounded, sheet, shortened, text, visible};
use super::error::FigureError;
use crate::formula::escaped;

/// The matrix as CSV: the header `true\predicted` and the class names, then one row for each true
/// class: its name and how many of its pictures were given each class. A name that a spreadsheet would take
/// for a formula stands with an apostrophe before it.
///
/// # Errors
/// [`FigureError::MatrixShape`] unless `matrix` has one row and one column for each name.
pub fn csv(names: &[String], matrix: &[Vec<u64>]) -> Result<String, FigureError> {
    check(names, matrix)?;
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_field("true\\predicted")?;
    table.write_record(names.iter().map(|name| escaped(name).into_owned()))?;
    for (name, row) in names.iter().zip(matrix) {
        table.write_field(escaped(name).as_ref())?;
        table.write_record(row.iter().map(u64::to_string))?;
    }
    let bytes = table
        .into_inner()
        .map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8(bytes)?)
}

/// The matrix as an SVG figure. Each cell gives the count and its share of the true class, which
/// also sets its colour; a class without pictures has no shares and stays grey.
///
/// # Errors
/// [`FigureError::MatrixShape`] as for [`csv()`], [`FigureError::Empty`] without any class.
pub fn svg(names: &[String], matrix: &[Vec<u64>]) -> Result<String, FigureError> {
    check(names, matrix)?;
    if names.is_empty() {
        return Err(FigureError::Empty { what: "class" });
    }
    let (title, summary) = ("Confusion matrix", summary(matrix));
    let layout = Layout::new(names, matrix, &[title, &summary, CAPTION]);
    let figure = sheet(layout.width, layout.height)
        .add(text(title, layout::MARGIN, 27.0, layout::TITLE))
        .add(text(&summary, layout::MARGIN, 47.0, layout::LABEL))
        .add(text(CAPTION, layout::MARGIN, 64.0, layout::SMALL).set("fill", FAINT));
    let figure = cells(figure, names, matrix, &layout);
    let figure = row_labels(figure, names, matrix, &layout);
    Ok(column_labels(figure, names, &layout).to_string())
}

/// The figure of [`svg()`] as PNG, two pixels to a unit.
///
/// # Errors
/// Those of [`svg()`], and those of [`canvas::png`] for a figure too large.
pub fn png(names: &[String], matrix: &[Vec<u64>]) -> Result<Vec<u8>, FigureError> {
    canvas::png(&svg(names, matrix)?, 2.0)
}

const CAPTION: &str = "Colour and percentages: share of the true class (row)";

fn check(names: &[String], matrix: &[Vec<u64>]) -> Result<(), FigureError> {
    let classes = names.len();
    if matrix.len() == classes && matrix.iter().all(|row| row.len() == classes) {
        return Ok(());
    }
    Err(FigureError::MatrixShape {
        classes,
        rows: matrix.len(),
        row_lengths: matrix.iter().map(Vec::len).collect(),
    })
}

fn summary(matrix: &[Vec<u64>]) -> String {
    let total: u64 = matrix.iter().flatten().sum();
    let right: u64 = matrix
        .iter()
        .enumerate()
        .map(|(class, row)| row[class])
        .sum();
    if total == 0 {
        return "n = 0".to_owned();
    }
    format!(
        "n = {total}, accuracy {:.1}%",
        100.0 * right as f64 / total as f64
    )
}

/// A share in the room of a cell: a decimal only where it tells something.
fn percentage(share: f64) -> String {
    let percent = 100.0 * share;
    if percent < 9.95 {
        format!("{percent:.1}%")
    } else {
        format!("{percent:.0}%")
    }
}

fn cells(figure: Document, names: &[String], matrix: &[Vec<u64>], layout: &Layout) -> Document {
    let mut grid = Group::new()
        .set("stroke", "#FFFFFF")
        .set("stroke-width", 1.5);
    let mut counts = Group::new().set("text-anchor", "middle");
    for (row, (truth, entries)) in names.iter().zip(matrix).enumerate() {
        let total: u64 = entries.iter().sum();
        for (column, (predicted, &count)) in names.iter().zip(entries).enumerate() {
            let share = (total > 0).then(|| count as f64 / total as f64);
            let shade = share.map_or(Shade::EMPTY, Shade::of);
            let (x, y) = (layout.column(column), layout.row(row));
            let told = format!("true {truth}, predicted {predicted}: {count} of {total}");
            let square = rectangle(x, y, layout.cell, layout.cell).set("fill", shade.fill());
            grid = grid.add(square.add(Title::new(visible(&told))));
            for line in cell_lines(count, share, (x, y), layout) {
                counts = counts.add(line.set("fill", shade.ink()).set("pointer-events", "none"));
            }
        }
    }
    let side = layout.cell * names.len() as f32;
    let frame = rectangle(layout.left, layout.top, side, side)
        .set("fill", "none")
        .set("stroke", "#BBBBBB");
    figure.add(grid).add(counts).add(frame)
}

/// The count of a cell and, below it, its share where there is one to tell.
fn cell_lines(count: u64, share: Option<f64>, (x, y): (f32, f32), layout: &Layout) -> Vec<Text> {
    let (x, y) = (x + layout.cell / 2.0, y + layout.cell / 2.0);
    let (large, small) = (layout.count_size, layout.share_size);
    match share {
        Some(share) if count > 0 => vec![
            centred(&count.to_string(), x, y - small * 0.6, large),
            centred(&percentage(share), x, y + large * 0.62, small),
        ],
        _ => vec![centred(&count.to_string(), x, y, large)],
    }
}

fn row_labels(
    mut figure: Document,
    names: &[String],
    matrix: &[Vec<u64>],
    layout: &Layout,
) -> Document {
    let right = layout.left - layout::GAP;
    for (row, (name, entries)) in names.iter().zip(matrix).enumerate() {
        let y = layout.row(row) + layout.cell / 2.0;
        let support = format!("n = {}", entries.iter().sum::<u64>());
        let label = label(name, right, y - 1.0).set("text-anchor", "end");
        let support = text(&support, right, y + layout::SMALL + 1.0, layout::SMALL);
        figure = figure
            .add(label)
            .add(support.set("text-anchor", "end").set("fill", FAINT));
    }
    let (x, y) = (layout::MARGIN + layout::LABEL / 2.0, layout.middle());
    let axis = centred("True class", x, y, layout::LABEL);
    figure.add(axis.set(
        "transform",
        format!("rotate(-90 {} {})", rounded(x), rounded(y)),
    ))
}

fn column_labels(mut figure: Document, names: &[String], layout: &Layout) -> Document {
    let bottom = layout.bottom() + layout::GAP;
    for (column, name) in names.iter().enumerate() {
        let x = layout.column(column) + layout.cell / 2.0;
        let y = bottom + layout::LABEL * 0.75;
        let label = if layout.slanted {
            let (x, turn) = (x + middle(layout::LABEL), -45);
            let transform = format!("rotate({turn} {} {})", rounded(x), rounded(y));
            label(name, x, y)
                .set("text-anchor", "end")
                .set("transform", transform)
        } else {
            label(name, x, y).set("text-anchor", "middle")
        };
        figure = figure.add(label);
    }
    let x = layout.left + layout.cell * names.len() as f32 / 2.0;
    let y = layout.height - layout::MARGIN - layout::LABEL / 2.0;
    figure.add(centred("Predicted class", x, y, layout::LABEL))
}

/// A class name, shortened where even a figure of its own size would not hold it.
fn label(name: &str, x: f32, y: f32) -> Text {
    let short = shortened(name, layout::LABEL, layout::LONGEST);
    text(&short, x, y, layout::LABEL)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use resvg::usvg::roxmltree;

    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn texts(svg: &str) -> Vec<String> {
        let document = roxmltree::Document::parse(svg).unwrap();
        let texts = document
            .descendants()
            .filter(|node| node.has_tag_name("text"));
        texts
            .map(|node| node.text().unwrap_or_default().trim().to_owned())
            .collect()
    }

    #[test]
    fn the_table_has_true_classes_on_rows_and_escapes_names() {
        let table = csv(&names(&["happy", "a,\"b\""]), &[vec![3, 1], vec![0, 7]]).unwrap();
        assert_eq!(
            table,
            "true\\predicted,happy,\"a,\"\"b\"\"\"\nhappy,3,1\n\"a,\"\"b\"\"\",0,7\n"
        );
    }

    #[test]
    fn the_figure_gives_counts_shares_supports_and_accuracy() {
        let matrix = [vec![3, 1], vec![0, 200]];
        let texts = texts(&svg(&names(&["happy", "sad"]), &matrix).unwrap());
        for expected in [
            "n = 204, accuracy 99.5%",
            "75%",
            "25%",
            "100%",
            "n = 4",
            "n = 200",
        ] {
            assert!(
                texts.iter().any(|text| text == expected),
                "{expected} in {texts:?}"
            );
        }
        let zeros = texts.iter().filter(|text| *text == "0").count();
        assert_eq!(zeros, 1);
        assert_eq!(percentage(0.0994), "9.9%");
        assert_eq!(percentage(0.0996), "10%");
    }

    #[test]
    fn markup_in_a_class_name_stays_text() {
        let names = names(&["<script>", "a&b", "\"quoted\" 'name'"]);
        let figure = svg(&names, &vec![vec![1, 2, 3]; 3]).unwrap();
        assert!(!figure.contains("<script>"), "{figure}");
        let texts = texts(&figure);
        for name in &names {
            assert_eq!(
                texts.iter().filter(|text| *text == name).count(),
                2,
                "{texts:?}"
            );
        }
    }

    #[test]
    fn classes_without_pictures_have_no_shares() {
        let names = names(&["happy", "sad"]);
        for matrix in [vec![vec![0, 0], vec![1, 1]], vec![vec![0, 0], vec![0, 0]]] {
            let figure = svg(&names, &matrix).unwrap();
            assert!(
                !figure.contains("NaN") && !figure.contains("inf"),
                "{figure}"
            );
        }
        let nothing = texts(&svg(&names, &[vec![0, 0], vec![0, 0]]).unwrap());
        assert!(
            nothing
                .iter()
                .all(|text| !text.contains('%') || text == CAPTION),
            "{nothing:?}"
        );
    }

    #[test]
    fn the_figure_is_the_same_each_time_and_follows_the_orientation() {
        let names = names(&["happy", "sad"]);
        let (matrix, turned) = ([vec![3, 1], vec![2, 7]], [vec![3, 2], vec![1, 7]]);
        assert_eq!(svg(&names, &matrix).unwrap(), svg(&names, &matrix).unwrap());
        assert_ne!(svg(&names, &matrix).unwrap(), svg(&names, &turned).unwrap());
        assert_ne!(png(&names, &matrix).unwrap(), png(&names, &turned).unwrap());
    }

    #[test]
    fn the_picture_has_two_pixels_to_a_unit() {
        let (names, matrix) = (names(&["happy", "sad"]), [vec![3, 1], vec![2, 7]]);
        let picture = image::load_from_memory(&png(&names, &matrix).unwrap()).unwrap();
        let layout = Layout::new(&names, &matrix, &[]);
        let tall = (2.0 * layout.height).ceil() as u32;
        assert!(
            picture.height().abs_diff(tall) <= 1,
            "{} for {tall}",
            picture.height()
        );
        assert!(picture.width() as f32 >= 2.0 * layout.width.floor());
    }

    #[test]
    fn a_matrix_of_another_shape_is_refused() {
        let names = names(&["happy", "sad"]);
        for matrix in [vec![vec![1, 2]], vec![vec![1, 2], vec![3]]] {
            let shape = |error| matches!(error, FigureError::MatrixShape { classes: 2, .. });
            assert!(shape(csv(&names, &matrix).unwrap_err()));
            assert!(shape(svg(&names, &matrix).unwrap_err()));
        }
        assert!(matches!(svg(&[], &[]), Err(FigureError::Empty { .. })));
    }
}
