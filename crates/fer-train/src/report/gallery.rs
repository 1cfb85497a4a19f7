//! The pictures that a report shows, chosen from those that were judged: one sprite and its list.
//!
//! A report is made from a run directory alone, which holds no data set; so whoever judges pictures
//! leaves these few there, as `gallery.png` and `gallery.json`.

use std::collections::BTreeSet;
use std::io::Cursor;

use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use serde::{Deserialize, Serialize};

use super::drawing::SIDE;
use super::error::FigureError;
use crate::predictions::Predictions;

/// The name of the sprite in a run directory.
pub const PICTURES: &str = "gallery.png";
/// The name of its list.
pub const LIST: &str = "gallery.json";

/// Pictures shown of one cell of the confusion matrix, where there is room for as many.
const EACH: usize = 24;
/// Pictures shown of all cells together, which a cell's share shrinks for.
const ALL: usize = 2000;
/// Pictures side by side in the sprite.
const COLUMNS: usize = 32;

/// What lies where in the sprite; `gallery.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gallery {
    /// The side of a picture in pixels.
    pub side: usize,
    /// Pictures side by side; the sprite is filled row by row.
    pub columns: usize,
    /// The most that were chosen of one cell for the cell's own sake.
    pub each: usize,
    /// The pictures, in the order of the sprite: by true class, by predicted class, and of those the
    /// most confident first.
    pub tiles: Vec<Tile>,
}

/// One picture of the sprite.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tile {
    /// Its place among the rows of `predictions.csv`, from 0.
    pub row: usize,
    /// The class that it was given.
    pub label: String,
    /// The class that it was taken for.
    pub predicted: String,
}

impl Gallery {
    /// Chooses of each cell of the confusion matrix the pictures that the network was surest of, and
    /// those at the places `named`, which lists name; places that are none are left out.
    pub fn choose(predictions: &Predictions, named: &[usize]) -> Self {
        let pictures = &predictions.pictures;
        let classes = predictions.class_names.len();
        let mut cells = vec![Vec::new(); classes * classes];
        for (row, picture) in pictures.iter().enumerate() {
            cells[picture.label * classes + picture.predicted].push(row);
        }
        let confidence = |&row: &usize| pictures[row].probability();
        for cell in &mut cells {
            cell.sort_by(|one, other| confidence(other).total_cmp(&confidence(one)));
        }
        let each = share(&cells);
        let named: BTreeSet<usize> = named.iter().copied().collect();
        let mut tiles = Vec::new();
        for cell in &cells {
            let chosen = cell.iter().enumerate();
            let chosen = chosen.filter(|(place, row)| *place < each || named.contains(row));
            tiles.extend(chosen.map(|(_, &row)| Tile {
                row,
                label: predictions.class_names.name(pictures[row].label).into(),
                predicted: predictions.class_names.name(pictures[row].predicted).into(),
            }));
        }
        Gallery {
            side: SIDE,
            columns: COLUMNS,
            each,
            tiles,
        }
    }

    /// The sprite: the pictures of the tiles, in their order, each 48×48 grey pixels row by row, as a
    /// grey PNG of 8 bits.
    ///
    /// # Errors
    /// [`FigureError::PictureLength`] for a picture that is not of 48×48 pixels,
    /// [`FigureError::Empty`] without any.
    pub fn sprite<'a>(
        &self,
        pictures: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Vec<u8>, FigureError> {
        let rows = self.tiles.len().div_ceil(COLUMNS);
        if rows == 0 {
            return Err(FigureError::Empty { what: "picture" });
        }
        let width = COLUMNS * SIDE;
        let mut pixels = vec![0; rows * SIDE * width];
        for (index, picture) in pictures.into_iter().enumerate() {
            if picture.len() != SIDE * SIDE {
                return Err(FigureError::PictureLength {
                    index,
                    expected: SIDE * SIDE,
                    got: picture.len(),
                });
            }
            let corner = index / COLUMNS * SIDE * width + index % COLUMNS * SIDE;
            for (line, source) in picture.chunks_exact(SIDE).enumerate() {
                pixels[corner + line * width..][..SIDE].copy_from_slice(source);
            }
        }
        let mut png = Cursor::new(Vec::new());
        let (width, height) = (width as u32, (rows * SIDE) as u32);
        PngEncoder::new(&mut png).write_image(&pixels, width, height, ExtendedColorType::L8)?;
        Ok(png.into_inner())
    }
}

/// The most pictures of a cell with which all cells together stay below the limit; at least one.
fn share(cells: &[Vec<usize>]) -> usize {
    let shown = |each: usize| cells.iter().map(|cell| cell.len().min(each)).sum::<usize>();
    let fitting = (1..=EACH).rev().find(|&each| shown(each) <= ALL);
    fitting.unwrap_or(1)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use fer_data::{ClassNames, Split};

    use super::*;
    use crate::predictions::JudgedPicture;

    fn predictions(classes: usize, pictures: &[(usize, usize, f32)]) -> Predictions {
        let names = (0..classes).map(|class| format!("class {class}"));
        let picture = |&(label, predicted, probability): &(usize, usize, f32)| {
            let mut probabilities = vec![0.0; classes];
            probabilities[predicted] = probability;
            JudgedPicture {
                picture: String::new(),
                split: Split::Test,
                label,
                predicted,
                copy_of_train: false,
                votes_entropy: None,
                probabilities,
            }
        };
        Predictions {
            class_names: ClassNames::new(names.collect::<Vec<_>>()).unwrap(),
            pictures: pictures.iter().map(picture).collect(),
        }
    }

    fn rows(gallery: &Gallery) -> Vec<usize> {
        gallery.tiles.iter().map(|tile| tile.row).collect()
    }

    #[test]
    fn cells_come_in_order_and_the_surest_first() {
        let judged = [
            (1, 1, 0.6),
            (0, 1, 0.7),
            (0, 0, 0.8),
            (0, 1, 0.9),
            (0, 1, 0.9),
        ];
        let gallery = Gallery::choose(&predictions(2, &judged), &[]);
        assert_eq!(rows(&gallery), [2, 3, 4, 1, 0]);
        let tile = &gallery.tiles[1];
        assert_eq!((&*tile.label, &*tile.predicted), ("class 0", "class 1"));
    }

    #[test]
    fn a_cell_shows_its_share_and_what_lists_name() {
        let judged: Vec<_> = (0..50)
            .map(|row| (0, 0, 1.0 - row as f32 / 100.0))
            .collect();
        let gallery = Gallery::choose(&predictions(2, &judged), &[40, 7, 99]);
        let expected: Vec<usize> = (0..24).chain([40]).collect();
        assert_eq!(rows(&gallery), expected);
    }

    #[test]
    fn many_cells_share_the_room() {
        let cells = 40 * 40;
        let judged: Vec<_> = (0..2 * cells)
            .map(|row| (row % cells / 40, row % 40, 0.5))
            .collect();
        let gallery = Gallery::choose(&predictions(40, &judged), &[]);
        assert_eq!((gallery.each, gallery.tiles.len()), (1, cells));
    }

    #[test]
    fn every_picture_stands_at_its_place_in_the_sprite() {
        let judged: Vec<_> = (0..34).map(|row| (row % 2, row % 2, 0.5)).collect();
        let gallery = Gallery::choose(&predictions(40, &judged), &(0..34).collect::<Vec<_>>());
        let grey = |row: usize| [row as u8 * 7; SIDE * SIDE];
        let pictures: Vec<_> = rows(&gallery).into_iter().map(grey).collect();
        let sprite = gallery.sprite(pictures.iter().map(<[u8; SIDE * SIDE]>::as_slice));
        let sprite = image::load_from_memory(&sprite.unwrap()).unwrap();
        assert_eq!(sprite.color(), image::ColorType::L8);
        let sprite = sprite.to_luma8();
        assert_eq!(sprite.dimensions(), (32 * 48, 2 * 48));
        for (place, tile) in gallery.tiles.iter().enumerate() {
            let corner = ((place % 32 * 48) as u32, (place / 32 * 48) as u32);
            assert_eq!(
                sprite.get_pixel(corner.0, corner.1).0[0],
                tile.row as u8 * 7
            );
            assert_eq!(
                sprite.get_pixel(corner.0 + 47, corner.1 + 47).0[0],
                tile.row as u8 * 7
            );
        }
        let empty = Gallery::choose(&predictions(2, &[]), &[]).sprite([]);
        assert!(matches!(empty, Err(FigureError::Empty { what: "picture" })));
    }
}
