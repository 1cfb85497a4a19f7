//! Glasses.

use rand::{Rng, RngExt};

use super::brow::EYE_LINE;
use super::identity::Identity;
use super::pen::{Ink, Pen, ring};
use super::pose::{Relief, Spot};

/// The frame of a pair of glasses.
#[derive(Clone, Debug, PartialEq)]
pub struct Glasses {
    /// Width of the frame's line.
    pub width: f32,
    /// Shade of the frame.
    pub shade: f32,
    /// Half the height of a lens.
    pub height: f32,
    /// How dark the lenses are, 0 to 0.3.
    pub tint: f32,
}

impl Glasses {
    /// Glasses for one person in four.
    pub(super) fn random(chance: &mut impl Rng) -> Option<Glasses> {
        let glasses = Glasses {
            width: chance.random_range(0.4..0.9),
            shade: chance.random_range(0.02..0.35),
            height: chance.random_range(3.0..4.0),
            tint: if chance.random_bool(0.25) {
                chance.random_range(0.1..0.3)
            } else {
                0.0
            },
        };
        chance.random_bool(0.25).then_some(glasses)
    }
}

/// Two lenses with their frame.
pub(super) fn draw(pen: &mut Pen, identity: &Identity, glasses: &Glasses) {
    let eye = &identity.eye;
    let ink = Ink::glaze(glasses.shade, 0.9);
    let size = [eye.width + 1.1, glasses.height];
    for sign in [-1.0, 1.0] {
        pen.on(Relief::Front(1.8));
        let middle = [sign * (eye.spacing + 0.2), EYE_LINE + 0.3];
        let mut rim: Vec<Spot> = ring(middle, size).to_vec();
        pen.fill(&rim, Ink::glaze(0.05, glasses.tint));
        rim.extend_from_within(..2);
        pen.line(&rim, glasses.width, ink);
        let shine = [
            [middle[0] - 2.2, middle[1] - 0.8],
            [middle[0] - 0.8, middle[1] - 2.2],
        ];
        pen.fold(&shine, 0.8, Ink::glaze(1.0, 0.35));
        pen.on(Relief::Outline);
        let hinge = sign * (eye.spacing + eye.width + 1.6);
        let temple = [
            [hinge, EYE_LINE],
            [sign * identity.head.width, EYE_LINE + 0.6],
        ];
        pen.line(&temple, glasses.width, ink);
    }
    pen.on(Relief::Front(2.4));
    let half = eye.spacing - eye.width - 0.9;
    let bridge = [[-half, EYE_LINE], [0.0, EYE_LINE - 0.6], [half, EYE_LINE]];
    pen.line(&bridge, glasses.width, ink);
}
