use std::borrow::Cow;

use image::{GrayImage, imageops};
use rayon::prelude::*;

use crate::error::DataError;
use crate::face::bounds::Square;
use crate::face::cascade::{Cascade, Window};
use crate::face::cutting::sampled;
use crate::face::photograph::{Face, Photograph};
use crate::face::turning::{self, is_in_the_middle};
use crate::picture::LONGEST_SIDE;
use crate::worker::guarded;

/// The cascade: see `assets/README.md` for its origin and licence.
pub(super) const CASCADE: &[u8] = include_bytes!("../../assets/seeta_fd_frontal_v1.0.bin");

/// Photographs of at most this longest side are enlarged twofold.
const SMALL: u32 = 320;

/// Pixels that the border is moved out by, and the share of the shorter side that they are at most: the
/// window never passes over the border, and a face that was cut out tightly would not fit it.
const MARGIN: (u32, u32) = (48, 8);

/// How far a photograph without upright faces is turned, in degrees.
const TURN: f32 = 20.0;

/// Two boxes with more overlap than this (intersection over union) are one face.
const SAME: f32 = 0.3;

/// Any positive score counts when turns are compared.
const ANY_SCORE: f64 = 0.1;

/// How faces are looked for.
///
/// ```
/// use fer_data::face::{FaceFinder, FinderSettings};
///
/// // For a camera: quick, and without turns.
/// let settings = FinderSettings { longest_side: 640, turns: false, ..Default::default() };
/// let finder = FaceFinder::with(settings)?;
/// # Ok::<(), fer_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct FinderSettings {
    /// The longest side, in pixels, that is looked through; longer photographs are scaled down to it.
    /// From 64 to [`LONGEST_SIDE`]. The default is 2048.
    pub longest_side: u32,
    /// The least score of a face, above 0. On photographs of textures, objects, animals and landscapes
    /// the highest score was 3.2; four faces of 60 pixels and more, turned by up to 20°, had 9.8 and
    /// more. The default is 5.
    pub least_score: f64,
    /// Whether a photograph without upright faces is looked at turned by 20° either way, and the roll of
    /// each face is estimated. The default is true.
    pub turns: bool,
}

impl Default for FinderSettings {
    fn default() -> Self {
        FinderSettings {
            longest_side: 2048,
            least_score: 5.0,
            turns: true,
        }
    }
}

/// Finds the faces in photographs. See the [module](crate::face) for what it finds.
#[derive(Clone)]
pub struct FaceFinder {
    cascade: Cascade,
    settings: FinderSettings,
}

impl FaceFinder {
    /// A finder with the default settings.
    pub fn new() -> Self {
        FaceFinder {
            cascade: cascade(),
            settings: FinderSettings::default(),
        }
    }

    /// A finder that looks as asked.
    ///
    /// # Errors
    /// [`DataError::Setting`] for one that is out of its range.
    pub fn with(settings: FinderSettings) -> Result<Self, DataError> {
        if !(64..=LONGEST_SIDE).contains(&settings.longest_side) {
            return Err(DataError::Setting {
                name: "longest_side",
                value: settings.longest_side.to_string(),
                expected: "64 to 20000 pixels",
            });
        }
        if settings.least_score.is_nan() || settings.least_score <= 0.0 {
            return Err(DataError::Setting {
                name: "least_score",
                value: settings.least_score.to_string(),
                expected: "above 0",
            });
        }
        Ok(FaceFinder {
            cascade: cascade(),
            settings,
        })
    }

    /// All faces in a photograph, the largest first; none where there are none.
    ///
    /// # Errors
    /// [`DataError::Panic`], naming the photograph: a mistake in this program.
    pub fn find(&self, photograph: &Photograph) -> Result<Vec<Face>, DataError> {
        guarded(|| photograph.name.clone(), || self.faces(&photograph.grey))
    }

    fn faces(&self, grey: &GrayImage) -> Vec<Face> {
        let scale = self.scale(grey.dimensions());
        let looked_at = scaled(grey, scale);
        let mut found = self.pass(&looked_at, 0.0);
        if found.is_empty() && self.settings.turns {
            let (left, right) = rayon::join(
                || self.pass(&looked_at, -TURN),
                || self.pass(&looked_at, TURN),
            );
            found = left.into_iter().chain(right).collect();
        }
        let found = without_repeats(found);
        let mut faces: Vec<Face> = found
            .into_par_iter()
            .filter_map(|(mut square, score)| {
                if self.settings.turns {
                    square.roll = turning::roll(&looked_at, &square, |picture| {
                        self.score_in_the_middle(picture)
                    });
                }
                let square = square.scaled(1.0 / scale);
                let bounds = square.bounds(grey.dimensions())?;
                Some(Face {
                    square,
                    bounds,
                    score,
                })
            })
            .collect();
        let larger = |one: &Face, other: &Face| other.square.side.total_cmp(&one.square.side);
        faces.sort_by(larger);
        faces
    }

    /// How large the photograph is looked at.
    fn scale(&self, (width, height): (u32, u32)) -> f32 {
        let longest = width.max(height);
        if longest <= SMALL && 2 * longest <= self.settings.longest_side {
            2.0
        } else {
            (self.settings.longest_side as f32 / longest as f32).min(1.0)
        }
    }

    /// The faces of the picture turned by `roll`, in the coordinates of the picture itself.
    fn pass(&self, grey: &GrayImage, roll: f32) -> Vec<(Square, f64)> {
        let (width, height) = (grey.width() as f32, grey.height() as f32);
        let (sine, cosine) = roll.to_radians().sin_cos();
        let margin = MARGIN.0.min(grey.width().min(grey.height()) / MARGIN.1);
        let span = |length: f32| length.round() as u32 + 2 * margin;
        let size = (
            span(width * cosine + height * sine.abs()),
            span(width * sine.abs() + height * cosine),
        );
        let centre = (width / 2.0, height / 2.0);
        let turned = sampled(grey, centre, roll, 1.0, size);
        let upright = |found: (Square, f64)| {
            let across = found.0.x - size.0 as f32 / 2.0;
            let down = found.0.y - size.1 as f32 / 2.0;
            let square = Square {
                x: centre.0 + across * cosine - down * sine,
                y: centre.1 + across * sine + down * cosine,
                roll,
                ..found.0
            };
            (square, found.1)
        };
        let found = self.windows(&turned, self.settings.least_score);
        found.into_iter().map(upright).collect()
    }

    /// The score of the face in the middle of its surroundings.
    fn score_in_the_middle(&self, surroundings: &GrayImage) -> f64 {
        let found = self.windows(surroundings, ANY_SCORE).into_iter();
        found
            .filter(|(square, _)| is_in_the_middle(square))
            .map(|(_, score)| score)
            .fold(0.0, f64::max)
    }

    /// What the cascade answers.
    fn windows(&self, grey: &GrayImage, least_score: f64) -> Vec<(Square, f64)> {
        let square = |window: Window| {
            let side = window.side as f32;
            let square = Square {
                x: window.x as f32 + side / 2.0,
                y: window.y as f32 + side / 2.0,
                side,
                roll: 0.0,
            };
            (square, window.score)
        };
        let windows = self.cascade.detect(grey, least_score);
        windows.into_iter().map(square).collect()
    }
}

impl Default for FaceFinder {
    fn default() -> Self {
        FaceFinder::new()
    }
}

fn cascade() -> Cascade {
    Cascade::read(CASCADE).expect("the cascade that is built in is whole")
}

fn scaled(grey: &GrayImage, scale: f32) -> Cow<'_, GrayImage> {
    let length = |length: u32| ((length as f32 * scale).round() as u32).max(1);
    let (width, height) = (length(grey.width()), length(grey.height()));
    if scale > 1.0 {
        let way = imageops::FilterType::Triangle;
        Cow::Owned(imageops::resize(grey, width, height, way))
    } else if scale < 1.0 {
        Cow::Owned(imageops::thumbnail(grey, width, height))
    } else {
        Cow::Borrowed(grey)
    }
}

/// Non-maximum suppression: of boxes that overlap, the one with the highest score.
fn without_repeats(mut found: Vec<(Square, f64)>) -> Vec<(Square, f64)> {
    found.sort_by(|one, other| other.1.total_cmp(&one.1));
    let mut kept: Vec<(Square, f64)> = Vec::with_capacity(found.len());
    for candidate in found {
        if kept
            .iter()
            .all(|(square, _)| square.overlap(&candidate.0) <= SAME)
        {
            kept.push(candidate);
        }
    }
    kept
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn found(x: f32, side: f32, score: f64) -> (Square, f64) {
        let square = Square {
            x,
            y: 100.0,
            side,
            roll: 0.0,
        };
        (square, score)
    }

    #[test]
    fn of_boxes_that_overlap_the_surest_stays() {
        let boxes = vec![
            found(100.0, 50.0, 7.0),
            found(110.0, 50.0, 9.0),
            found(300.0, 50.0, 6.0),
            found(330.0, 50.0, 8.0),
        ];
        let kept: Vec<f64> = without_repeats(boxes).iter().map(|kept| kept.1).collect();
        assert_eq!(kept, [9.0, 8.0, 6.0]);
    }

    #[test]
    fn photographs_are_looked_at_in_a_bounded_size() {
        let finder = FaceFinder::new();
        assert_eq!(finder.scale((8192, 6000)), 0.25);
        assert_eq!(finder.scale((2048, 1000)), 1.0);
        assert_eq!(finder.scale((321, 20)), 1.0);
        assert_eq!(finder.scale((320, 200)), 2.0);
        assert_eq!(scaled(&GrayImage::new(800, 3), 0.1).dimensions(), (80, 1));
    }

    #[test]
    fn pictures_without_room_for_a_face_have_none() {
        let finder = FaceFinder::new();
        for size in [
            (1, 1),
            (1, 3000),
            (19, 19),
            (20, 20),
            (39, 500),
            (40, 40),
            (41, 300),
        ] {
            let image = GrayImage::from_fn(size.0, size.1, |x, y| {
                image::Luma([(x * 7919 + y * 104_729) as u8])
            });
            let photograph = Photograph::from_image(&image.into(), "strip");
            assert_eq!(finder.find(&photograph).unwrap(), [], "{size:?}");
        }
    }

    #[test]
    fn settings_out_of_their_range_are_refused_by_name() {
        let refused = |settings| {
            FaceFinder::with(settings)
                .err()
                .map(|error| error.to_string())
        };
        let default = FinderSettings::default;
        let said = refused(FinderSettings {
            longest_side: 10,
            ..default()
        });
        assert!(said.unwrap().contains("longest_side = 10"));
        for least_score in [0.0, -1.0, f64::NAN] {
            let said = refused(FinderSettings {
                least_score,
                ..default()
            });
            assert!(said.unwrap().contains("least_score"));
        }
        assert_eq!(refused(default()), None);
    }
}
