use std::path::Path;

use image::{DynamicImage, GrayImage, RgbImage, imageops};

use crate::error::DataError;
use crate::face::bounds::{Bounds, Square};
use crate::face::cutting;
use crate::picture::{
    MOST_BYTES, Picture, PictureFacts, Resize, SIDE, grey_of, upright_colours, upright_grey,
};
use crate::regular::read_regular;

/// Both sides of a picture that is taken for a face already.
const FACE_ALREADY: u32 = 64;

/// The side of the finder's box in FER2013's pictures, in pixels of their 48.
const BOX_IN_TRAINING: f32 = 43.6;

/// The most pixels along the side of a face that are looked at.
const LARGEST_CUT: u32 = 20 * SIDE as u32;

/// Where a face is in a photograph.
#[derive(Clone, Debug, PartialEq)]
pub struct Face {
    pub(crate) square: Square,
    pub(crate) bounds: Bounds,
    pub(crate) score: f64,
}

impl Face {
    /// The box around it: a square, unless the photograph's border cuts it. It reaches from the middle of
    /// the forehead to below the mouth; of a face that is rolled it is the box that is not.
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// How sure the finder is, without a unit; at least [`FinderSettings::least_score`], and 10 to 40
    /// for a clear face.
    ///
    /// [`FinderSettings::least_score`]: crate::face::FinderSettings::least_score
    pub fn score(&self) -> f64 {
        self.score
    }

    /// How far its head is tilted in the plane of the photograph, in degrees clockwise, estimated to
    /// about 7°. 0 where it is less than 5 or was not asked for.
    pub fn roll(&self) -> f64 {
        f64::from(self.square.roll)
    }
}

/// A picture file decoded in its own size: upright, in grey as [`Picture`] makes it.
#[derive(Clone)]
pub struct Photograph {
    pub(crate) grey: GrayImage,
    pub(crate) name: String,
}

impl Photograph {
    /// Reads a file as [`Picture::open`] does, with the same limits.
    ///
    /// # Errors
    /// [`DataError::Read`] or [`DataError::Decode`], naming the file.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        Photograph::decode(&read(path)?, &path.display().to_string())
    }

    /// Decodes the bytes of a picture file; `name` is what an error calls it.
    ///
    /// # Errors
    /// [`DataError::Decode`], as [`Picture::decode`].
    pub fn decode(bytes: &[u8], name: &str) -> Result<Self, DataError> {
        let (grey, _): (GrayImage, PictureFacts) = upright_grey(bytes, name)?;
        let name = name.to_string();
        Ok(Photograph { grey, name })
    }

    /// A photograph of any decoded image, taken to be upright; `name` is what an error calls it.
    ///
    /// # Panics
    /// If the image has no pixel.
    pub fn from_image(image: &DynamicImage, name: &str) -> Self {
        assert!(
            image.width() > 0 && image.height() > 0,
            "an image of no pixels is no photograph"
        );
        Photograph {
            grey: grey_of(image),
            name: name.to_string(),
        }
    }

    /// Columns of the upright photograph.
    pub fn width(&self) -> u32 {
        self.grey.width()
    }

    /// Rows of the upright photograph.
    pub fn height(&self) -> u32 {
        self.grey.height()
    }

    /// What lies of it within `bounds`, as a photograph of its own. Bounds that pass over the border are
    /// cut there; at least one pixel is left.
    pub fn part(&self, bounds: &Bounds) -> Self {
        let (width, height) = self.grey.dimensions();
        let (x, y) = (bounds.x.min(width - 1), bounds.y.min(height - 1));
        let columns = bounds.width.clamp(1, width - x);
        let rows = bounds.height.clamp(1, height - y);
        Photograph {
            grey: imageops::crop_imm(&self.grey, x, y, columns, rows).to_image(),
            name: self.name.clone(),
        }
    }

    /// Whether it is so small, 64×64 at most, that it must be a face that was cut out already.
    pub fn is_face_already(&self) -> bool {
        self.width() <= FACE_ALREADY && self.height() <= FACE_ALREADY
    }

    /// The whole of it as a picture: the same as [`Picture::open_with`] makes of the file.
    pub fn picture(&self, resize: Resize) -> Picture {
        resize.apply(&self.grey)
    }

    /// A face as a network knows faces: the square around it with the margin of the training
    /// pictures, turned upright, 48×48. Of a face of more than 960 pixels a copy of that size is
    /// resized.
    pub fn crop(&self, face: &Face, resize: Resize) -> Picture {
        let side = face.square.side * SIDE as f32 / BOX_IN_TRAINING;
        let pixels = (side.round() as u32).clamp(1, LARGEST_CUT);
        let mut square = Square {
            side,
            ..face.square
        };
        // Whole pixels are copied where nothing has to be turned.
        if square.roll == 0.0 && side.round() as u32 == pixels {
            let half = pixels as f32 / 2.0;
            square.side = pixels as f32;
            square.x = (square.x - half).round() + half;
            square.y = (square.y - half).round() + half;
        }
        resize.apply(&cutting::cut(&self.grey, &square, pixels))
    }

    /// Reads a file in its colours, upright, in the size that the boxes of its faces count in.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn colours(path: &Path) -> Result<RgbImage, DataError> {
        upright_colours(&read(path)?, &path.display().to_string())
    }
}

fn read(path: &Path) -> Result<Vec<u8>, DataError> {
    read_regular(path, MOST_BYTES).map_err(|source| DataError::Read {
        path: path.to_path_buf(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Luma;

    fn photograph(width: u32, height: u32) -> Photograph {
        let grey = GrayImage::from_fn(width, height, |x, y| Luma([(x / 2 + y) as u8]));
        Photograph::from_image(&grey.into(), "slope")
    }

    #[test]
    fn the_box_lies_in_the_crop_where_it_lies_in_training() {
        // A white square of the box's size on black: 43.6 of 48 pixels are white, 2.2 a side are not.
        let grey = GrayImage::from_fn(600, 600, |x, y| {
            let inside = (100..318).contains(&x) && (200..418).contains(&y);
            Luma([if inside { 255 } else { 0 }])
        });
        let photograph = Photograph::from_image(&grey.into(), "square");
        let square = Square {
            x: 209.0,
            y: 309.0,
            side: 218.0,
            roll: 0.0,
        };
        let bounds = square.bounds((600, 600));
        let face = bounds.map(|bounds| Face {
            square,
            bounds,
            score: 9.0,
        });
        let crop = face.map(|face| photograph.crop(&face, Resize::Antialiased));
        let rows =
            crop.map(|crop| [0, 1, 2, 3, 24, 44, 45, 46].map(|at| crop.pixels()[at * 48 + 24]));
        let Some([first, second, third, inside, middle, last, edge, outside]) = rows else {
            panic!("the square lies inside");
        };
        assert!(
            first == 0 && second < 40 && outside < 40,
            "{second} {outside}"
        );
        assert!(
            (100..255).contains(&third) && (100..255).contains(&edge),
            "{third} {edge}"
        );
        assert_eq!([inside, middle, last], [255; 3]);
    }

    #[test]
    fn a_part_is_cut_at_the_border() {
        let whole = photograph(60, 40);
        let bounds = |[x, y, width, height]: [u32; 4]| Bounds {
            x,
            y,
            width,
            height,
        };
        let part = whole.part(&bounds([50, 10, 100, 20]));
        assert_eq!((part.width(), part.height()), (10, 20));
        assert_eq!(part.grey.get_pixel(3, 4), whole.grey.get_pixel(53, 14));
        let outside = whole.part(&bounds([u32::MAX, 90, 0, u32::MAX]));
        assert_eq!((outside.width(), outside.height()), (1, 1));
        assert_eq!(outside.grey.get_pixel(0, 0), whole.grey.get_pixel(59, 39));
    }

    #[test]
    fn small_pictures_are_faces_already() {
        assert!(photograph(64, 64).is_face_already() && photograph(48, 20).is_face_already());
        assert!(!photograph(65, 64).is_face_already() && !photograph(20, 65).is_face_already());
    }
}
