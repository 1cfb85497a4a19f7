//! The hair of the face, under the mouth that is drawn later.

use rand::{Rng, RngExt};

use super::head::outline;
use super::identity::Identity;
use super::muscles::Muscles;
use super::pen::{Ink, Pen};
use super::pose::{Relief, Spot};
use crate::expression::ActionUnit::{JawDrop, LipCornerPuller, UpperLipRaiser};

/// The hair of a face, each from 0, shaved, to 1, dense.
#[derive(Clone, Debug, PartialEq)]
pub struct Beard {
    /// On cheeks and chin.
    pub jaw: f32,
    /// Above the lips.
    pub moustache: f32,
}

impl Beard {
    /// The hair of a face by chance: none on three men in five, and on no woman.
    pub(super) fn random(man: bool, chance: &mut impl Rng) -> Beard {
        if !man {
            return Beard {
                jaw: 0.0,
                moustache: 0.0,
            };
        }
        match chance.random_range(0..5) {
            0 => Beard {
                jaw: chance.random_range(0.5..0.85),
                moustache: chance.random_range(0.5..0.85),
            },
            1 => Beard {
                jaw: 0.0,
                moustache: chance.random_range(0.4..0.85),
            },
            2 => Beard {
                jaw: chance.random_range(0.1..0.3),
                moustache: chance.random_range(0.1..0.3),
            },
            _ => Beard {
                jaw: 0.0,
                moustache: 0.0,
            },
        }
    }
}

/// Beard and moustache.
pub(super) fn draw(pen: &mut Pen, identity: &Identity, muscles: &Muscles) {
    let beard = &identity.beard;
    let shade = identity.hair.shade.min(identity.skin * 0.7);
    if beard.jaw > 0.0 {
        pen.on(Relief::Outline);
        let outline = outline(identity, muscles);
        let edge: Vec<Spot> = outline[5..11].to_vec();
        let width = identity.head.width;
        let chin = identity.head.chin;
        let mouth = identity.mouth.height;
        let mut region = vec![[0.93 * width, 4.0]];
        region.extend(edge);
        region.extend([
            [-0.93 * width, 4.0],
            [-0.74 * width, 8.5],
            [-0.5 * width, mouth],
            [-0.3 * width, chin - 4.4],
            [0.0, chin - 4.2],
            [0.3 * width, chin - 4.4],
            [0.5 * width, mouth],
            [0.74 * width, 8.5],
        ]);
        pen.fill(&region, Ink::glaze(shade, beard.jaw));
    }
    if beard.moustache > 0.0 {
        moustache(pen, identity, muscles, Ink::glaze(shade, beard.moustache));
    }
}

fn moustache(pen: &mut Pen, identity: &Identity, muscles: &Muscles, ink: Ink) {
    pen.on(Relief::Front(1.0));
    let raised = 0.8 * muscles.whole(UpperLipRaiser) + 0.5 * muscles.whole(JawDrop);
    let pulled = muscles.whole(LipCornerPuller);
    let lip = identity.mouth.height - identity.mouth.upper - raised;
    let wide = identity.mouth.width + 0.2 + 0.8 * pulled;
    let end = identity.mouth.height + 0.9 - 2.0 * pulled;
    let top = (lip - 1.9).max(identity.nose.length + 0.7);
    pen.fill(
        &[
            [-wide, end],
            [-0.75 * wide, lip - 1.0],
            [-0.4 * wide, top],
            [0.0, top + 0.4],
            [0.4 * wide, top],
            [0.75 * wide, lip - 1.0],
            [wide, end],
            [0.7 * wide, lip + 0.6],
            [0.35 * wide, lip + 0.1],
            [0.0, lip],
            [-0.35 * wide, lip + 0.1],
            [-0.7 * wide, lip + 0.6],
        ],
        ink,
    );
}
