//! Where the parts of a confusion matrix stand, in units of the document.

use super::super::canvas::text_width;

/// White space around the figure.
pub(super) const MARGIN: f32 = 16.0;
/// Space between the grid and its labels.
pub(super) const GAP: f32 = 8.0;
/// Size of the title.
pub(super) const TITLE: f32 = 17.0;
/// Size of class names and axis titles.
pub(super) const LABEL: f32 = 13.0;
/// Size of what stands back.
pub(super) const SMALL: f32 = 11.0;
/// Width at which a class name is cut.
pub(super) const LONGEST: f32 = 240.0;
/// Height of the title's lines above the grid.
const HEAD: f32 = 80.0;
/// Room left for viewers that draw the text with a wider font.
const SLACK: f32 = 1.12;

/// Sizes and places, chosen so that the longest name and the largest count have room.
pub(super) struct Layout {
    /// Side of one cell.
    pub(super) cell: f32,
    /// Left edge of the grid.
    pub(super) left: f32,
    /// Upper edge of the grid.
    pub(super) top: f32,
    /// Width of the figure.
    pub(super) width: f32,
    /// Height of the figure.
    pub(super) height: f32,
    /// Whether the names of the columns are too long to stand side by side.
    pub(super) slanted: bool,
    /// Text size of the counts.
    pub(super) count_size: f32,
    /// Text size of the shares below them.
    pub(super) share_size: f32,
    classes: usize,
}

impl Layout {
    /// The layout for a checked matrix under lines of heading.
    pub(super) fn new(names: &[String], matrix: &[Vec<u64>], heading: &[&str]) -> Self {
        let classes = names.len();
        let cell = (640.0 / classes as f32).clamp(46.0, 96.0);
        let longest = widest(names.iter().map(String::as_str), LABEL).min(LONGEST);
        let supports = matrix
            .iter()
            .map(|row| format!("n = {}", row.iter().sum::<u64>()));
        let support = supports
            .map(|support| text_width(&support, SMALL))
            .fold(0.0, f32::max);
        let slanted = longest * SLACK > cell - GAP;
        let below = if slanted {
            longest * SLACK / 2_f32.sqrt() + LABEL
        } else {
            LABEL
        };
        let left = MARGIN + LABEL + 2.0 * GAP + longest.max(support) * SLACK;
        let side = cell * classes as f32;
        let heading = widest(heading.iter().copied(), LABEL) * SLACK;
        let (count_size, share_size) = text_sizes(matrix, cell);
        Self {
            cell,
            left,
            top: HEAD,
            width: MARGIN + heading.max(left + side - MARGIN) + MARGIN,
            height: HEAD + side + GAP + below + 2.0 * GAP + LABEL + MARGIN,
            slanted,
            count_size,
            share_size,
            classes,
        }
    }

    /// Left edge of a column.
    pub(super) fn column(&self, index: usize) -> f32 {
        self.left + self.cell * index as f32
    }

    /// Upper edge of a row.
    pub(super) fn row(&self, index: usize) -> f32 {
        self.top + self.cell * index as f32
    }

    /// Lower edge of the grid.
    pub(super) fn bottom(&self) -> f32 {
        self.row(self.classes)
    }

    /// Height at half the grid.
    pub(super) fn middle(&self) -> f32 {
        (self.top + self.bottom()) / 2.0
    }
}

/// Sizes of counts and shares at which the largest count fits its cell.
fn text_sizes(matrix: &[Vec<u64>], cell: f32) -> (f32, f32) {
    let large = (cell * 0.24).clamp(12.0, 18.0);
    let digits = matrix
        .iter()
        .flatten()
        .max()
        .map_or_else(String::new, u64::to_string);
    let fitting = large * 0.86 * cell / (text_width(&digits, large) * SLACK).max(1.0);
    (large.min(fitting), (large * 0.75).max(10.0))
}

fn widest<'a>(texts: impl Iterator<Item = &'a str>, size: f32) -> f32 {
    texts.map(|text| text_width(text, size)).fold(0.0, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(classes: usize, name: &str, count: u64) -> Layout {
        Layout::new(
            &vec![name.to_owned(); classes],
            &vec![vec![count; classes]; classes],
            &[],
        )
    }

    #[test]
    fn names_slant_where_they_would_touch() {
        assert!(!layout(8, "contempt", 5).slanted);
        assert!(layout(20, "contempt", 5).slanted);
        assert!(!layout(20, "sad", 5).slanted);
    }

    #[test]
    fn long_names_and_large_counts_get_their_room() {
        let (short, long) = (layout(8, "sad", 5), layout(8, "pleasantly surprised", 5));
        assert!(long.left > short.left + 60.0);
        assert!(long.height > short.height + 60.0);
        let large = layout(20, "sad", 123_456_789);
        assert!(large.count_size < layout(20, "sad", 5).count_size);
        assert!(text_width("123456789", large.count_size) < large.cell);
    }
}
