//! What one person keeps from picture to picture.

use rand::RngExt;

use super::beard::Beard;
use super::brow::Brow;
use super::eye::Eye;
use super::glasses::Glasses;
use super::hair::Hair;
use super::head::Head;
use super::mouth::Mouth;
use super::nose::Nose;
use crate::random::stream;

/// The looks of a person. Lengths are in pixels of a picture at scale 1, shades from 0, black, to
/// 1, white.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// Shade of the skin, 0.3 to 0.86.
    pub skin: f32,
    /// Wrinkles and folds, from 0, young, to 1, old.
    pub age: f32,
    /// The outline of the head.
    pub head: Head,
    /// The eyebrows.
    pub brow: Brow,
    /// The eyes.
    pub eye: Eye,
    /// The nose.
    pub nose: Nose,
    /// The mouth.
    pub mouth: Mouth,
    /// The hair of the head.
    pub hair: Hair,
    /// The hair of the face.
    pub beard: Beard,
    /// The frame of the glasses, for those who wear them.
    pub glasses: Option<Glasses>,
}

impl Identity {
    /// The person number `subject` under `seed`.
    pub fn new(seed: u64, subject: u32) -> Identity {
        let chance = &mut stream(seed, "drawn identity", u64::from(subject));
        let skin = chance.random_range(0.3..0.86);
        let age = chance.random_range(0.0..1.0_f32).powi(2);
        let man = chance.random_bool(0.5);
        let hair = Hair::random(age, man, chance);
        let eye = Eye::random(man, chance);
        Identity {
            skin,
            age,
            head: Head::random(chance),
            brow: Brow::random(man, hair.shade.min(skin * 0.8), chance),
            eye,
            nose: Nose::random(chance),
            mouth: Mouth::random(man, chance),
            hair,
            beard: Beard::random(man, chance),
            glasses: Glasses::random(chance),
        }
    }
}
