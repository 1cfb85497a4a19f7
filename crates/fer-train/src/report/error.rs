//! Why a figure could not be made.

use thiserror::Error;

/// What can be wrong with the numbers or pictures of a figure, or with making its file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FigureError {
    /// A confusion matrix is not square, or not of the size of its list of class names.
    #[error(
        "expected a confusion matrix of {classes} rows of {classes} counts, one for each class \
         name, got {rows} rows of {row_lengths:?} counts"
    )]
    MatrixShape {
        /// Number of class names.
        classes: usize,
        /// Number of rows of the matrix.
        rows: usize,
        /// Number of counts in each row.
        row_lengths: Vec<usize>,
    },
    /// A picture does not have the pixels of a 48×48 grey picture.
    #[error("expected {expected} grey pixels in picture {index}, got {got}")]
    PictureLength {
        /// Position of the picture among those of the figure, from 0.
        index: usize,
        /// Number of pixels that a picture has.
        expected: usize,
        /// Number of pixels that it has.
        got: usize,
    },
    /// There is nothing to show.
    #[error("expected at least one {what} to draw, got none")]
    Empty {
        /// What the figure shows.
        what: &'static str,
    },
    /// A figure is too large, or too small, to be a PNG.
    #[error("cannot draw a picture of {width}×{height} pixels")]
    Size {
        /// Width in pixels.
        width: f32,
        /// Height in pixels.
        height: f32,
    },
    /// A table could not be written.
    #[error("cannot write the table")]
    Csv(#[from] csv::Error),
    /// The bytes of a table are not text.
    #[error("the table is not text")]
    Text(#[from] std::string::FromUtf8Error),
    /// A picture could not be written as PNG.
    #[error("cannot write a picture as PNG")]
    Picture(#[from] image::ImageError),
    /// A document to be made a PNG is not SVG.
    #[error("cannot read the SVG document")]
    Svg(#[from] resvg::usvg::Error),
    /// A rendered document could not be written as PNG.
    #[error("cannot write the figure as PNG: {0}")]
    Png(String),
    /// The curves could not be drawn.
    #[error("cannot draw the curves")]
    Plot(#[from] plotters::drawing::DrawingAreaErrorKind<std::io::Error>),
}
