//! Drawn faces: a data set without a file.
//!
//! A seeded generator of 48×48 grey faces, driven by the action units of
//! [`Expression::activations`](crate::expression::Expression::activations). People differ in
//! shape, skin, hair, beard, glasses and age; pictures of one person differ in pose, light,
//! background, noise and in how strongly each muscle pulls. Every picture tells where its parts
//! are drawn.
//!
//! - [`DrawnFaces`] is the data set: so many people, each with every expression so many times.
//! - [`Face::draw`] draws one face from an [`Identity`], [`Muscles`] and a [`Scene`] of choice,
//!   for pictures that differ in one unit alone.
//!
//! ```
//! use fer_data::drawn::DrawnFaces;
//!
//! let faces = DrawnFaces::new(7).subjects(20).takes(1);
//! assert_eq!(faces.len(), 160);
//! let face = faces.draw(3);
//! assert_eq!((face.subject, face.expression.name()), (0, "fear"));
//! assert_eq!(face.pixels.len(), 48 * 48);
//! ```

mod face;
mod identity;
mod light;
mod muscles;
mod noise;
mod pose;
mod scene;

mod beard;
mod brow;
mod cheek;
mod eye;
mod glasses;
mod hair;
mod head;
mod jaw;
mod mouth;
mod nose;
mod pen;

pub use beard::Beard;
pub use brow::Brow;
pub use eye::Eye;
pub use face::Face;
pub use glasses::Glasses;
pub use hair::{Cut, Hair};
pub use head::Head;
pub use identity::Identity;
pub use light::Light;
pub use mouth::Mouth;
pub use muscles::Muscles;
pub use noise::Noise;
pub use nose::Nose;
pub use pose::Pose;
pub use scene::{Backdrop, Gaze, Scene, Shape};

use crate::expression::{Expression, Region};
use crate::picture::SIDE;
use crate::random::stream;

/// A half of the face as seen in the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The left of the picture, the person's right.
    Left,
    /// The right of the picture, the person's left.
    Right,
    /// Both halves, or neither more than the other.
    Middle,
}

impl Side {
    /// Left and right with the sign of their x.
    const PAIR: [(Side, f32); 2] = [(Side::Left, -1.0), (Side::Right, 1.0)];
}

/// Where a part of a face is drawn. Brow, eyes and cheeks come as two parts, left and right;
/// nose, mouth and jaw as one in the middle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// What it is.
    pub region: Region,
    /// On which side of the picture's face.
    pub side: Side,
    /// Left, top, right and bottom edge in pixels of the picture, 0 to 48. Glasses or hair may
    /// cover what is drawn there.
    pub bounds: [f32; 4],
}

/// One picture of the data set.
#[derive(Clone, Debug, PartialEq)]
pub struct DrawnFace {
    /// 48×48 greys, row by row, 0 black to 255 white.
    pub pixels: Vec<u8>,
    /// What the face shows.
    pub expression: Expression,
    /// Who it is, from 0.
    pub subject: u32,
    /// Where its parts are drawn.
    pub parts: Vec<Part>,
}

/// A data set of drawn faces, as many pictures of each expression as of any other. Pictures are
/// ordered by subject, then expression, then take, and each depends on the seed and these three
/// alone: more subjects or more takes leave the others as they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrawnFaces {
    seed: u64,
    subjects: u32,
    takes: u32,
}

impl DrawnFaces {
    /// The faces of a seed: 360 subjects, each with two takes of the eight expressions, 5,760
    /// pictures in all.
    pub fn new(seed: u64) -> DrawnFaces {
        DrawnFaces {
            seed,
            subjects: 360,
            takes: 2,
        }
    }

    /// Sets the number of people.
    #[must_use]
    pub fn subjects(self, subjects: u32) -> DrawnFaces {
        DrawnFaces { subjects, ..self }
    }

    /// Sets the number of pictures of each person with each expression.
    #[must_use]
    pub fn takes(self, takes: u32) -> DrawnFaces {
        DrawnFaces { takes, ..self }
    }

    /// The number of pictures.
    pub fn len(&self) -> usize {
        self.subjects as usize * Expression::ALL.len() * self.takes as usize
    }

    /// Whether there is no picture, for want of people or takes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Who is on picture `index`, from 0.
    ///
    /// # Panics
    /// If `index` is not below [`DrawnFaces::len`].
    pub fn subject(&self, index: usize) -> u32 {
        self.place(index).0
    }

    /// What picture `index` shows.
    ///
    /// # Panics
    /// If `index` is not below [`DrawnFaces::len`].
    pub fn expression(&self, index: usize) -> Expression {
        self.place(index).1
    }

    /// Draws picture `index`: the same bytes each time, on any thread.
    ///
    /// # Panics
    /// If `index` is not below [`DrawnFaces::len`].
    pub fn draw(&self, index: usize) -> DrawnFace {
        let (subject, expression, take) = self.place(index);
        let number = (u64::from(subject) * 8 + expression.index() as u64) << 32 | u64::from(take);
        let chance = &mut stream(self.seed, "drawn take", number);
        let muscles = Muscles::random(expression, chance);
        let scene = Scene::random(chance);
        let face = Face::draw(&Identity::new(self.seed, subject), &muscles, &scene);
        DrawnFace {
            pixels: face.pixels,
            expression,
            subject,
            parts: face.parts,
        }
    }

    /// Subject, expression and take of a picture.
    fn place(&self, index: usize) -> (u32, Expression, u32) {
        let length = self.len();
        assert!(index < length, "picture {index} of {length} drawn faces");
        let takes = self.takes as usize;
        let kinds = Expression::ALL.len();
        (
            (index / takes / kinds) as u32,
            Expression::ALL[index / takes % kinds],
            (index % takes) as u32,
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::thread;

    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_bytes_on_any_thread() {
        let faces = DrawnFaces::new(5).subjects(3).takes(2);
        let here: Vec<DrawnFace> = (0..faces.len()).map(|index| faces.draw(index)).collect();
        thread::scope(|scope| {
            for (index, face) in here.iter().enumerate().rev() {
                scope.spawn(move || assert_eq!(faces.draw(index), *face));
            }
        });
    }

    #[test]
    fn seeds_subjects_expressions_and_takes_differ() {
        let pictures: HashSet<Vec<u8>> = [5, 6]
            .map(|seed| DrawnFaces::new(seed).subjects(3).takes(2))
            .iter()
            .flat_map(|faces| (0..faces.len()).map(|index| faces.draw(index).pixels))
            .collect();
        assert_eq!(pictures.len(), 2 * 3 * 8 * 2);
        let people = [0, 1, 2].map(|subject| Identity::new(5, subject));
        assert!(people[0] != people[1] && people[1] != people[2]);
    }

    #[test]
    fn more_people_and_takes_leave_the_others_as_they_were() {
        let few = DrawnFaces::new(5).subjects(2).takes(1);
        let many = DrawnFaces::new(5).subjects(4).takes(3);
        for index in 0..few.len() {
            assert_eq!(few.draw(index), many.draw(index * 3));
        }
    }

    #[test]
    fn the_default_has_every_expression_of_every_subject_equally_often() {
        let faces = DrawnFaces::new(1);
        assert!(faces.subjects >= 200);
        let mut counts = vec![[0; 8]; faces.subjects as usize];
        for index in 0..faces.len() {
            counts[faces.subject(index) as usize][faces.expression(index).index()] += 1;
        }
        assert!(counts.iter().all(|count| *count == [faces.takes; 8]));
        let face = faces.draw(100);
        assert_eq!(
            (face.subject, face.expression),
            (faces.subject(100), faces.expression(100))
        );
    }

    #[test]
    fn every_part_is_drawn_inside_the_picture() {
        let faces = DrawnFaces::new(9).subjects(30).takes(1);
        for index in 0..faces.len() {
            let parts = faces.draw(index).parts;
            let count = |region| parts.iter().filter(|part| part.region == region).count();
            assert_eq!(Region::ALL.map(count), [2, 2, 1, 2, 1, 1]);
            for Part { bounds, .. } in parts {
                let [left, top, right, bottom] = bounds;
                assert!(0.0 <= left && left < right && right <= 48.0, "{bounds:?}");
                assert!(0.0 <= top && top < bottom && bottom <= 48.0, "{bounds:?}");
            }
        }
    }

    #[test]
    fn left_parts_lie_left_and_brows_lie_over_mouths() {
        let faces = DrawnFaces::new(9).subjects(10).takes(1);
        for index in 0..faces.len() {
            let parts = faces.draw(index).parts;
            let middle = |region: Region, side: Side| {
                let mut parts = parts.iter();
                let part = parts.find(|part| part.region == region && part.side == side);
                part.map_or([f32::NAN; 2], |part| {
                    let [left, top, right, bottom] = part.bounds;
                    [(left + right) / 2.0, (top + bottom) / 2.0]
                })
            };
            for region in [Region::Brow, Region::Eyes, Region::Cheeks] {
                assert!(middle(region, Side::Left)[0] + 5.0 < middle(region, Side::Right)[0]);
            }
            let mouth = middle(Region::Mouth, Side::Middle)[1];
            assert!(middle(Region::Brow, Side::Left)[1] + 8.0 < mouth);
            assert!(mouth < middle(Region::Jaw, Side::Middle)[1]);
        }
    }

    #[test]
    #[should_panic(expected = "picture 16 of 16 drawn faces")]
    fn an_index_out_of_range_panics() {
        DrawnFaces::new(1).subjects(2).takes(1).draw(16);
    }
}
