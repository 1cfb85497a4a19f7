//! Eyes and lids: action units 5, 6 and 7.

use rand::{Rng, RngExt};

use super::Side;
use super::brow::EYE_LINE;
use super::identity::Identity;
use super::muscles::Muscles;
use super::pen::{Ink, Pen};
use super::pose::{Relief, Spot};
use super::scene::Gaze;
use crate::expression::ActionUnit::{CheekRaiser, LidTightener, UpperLidRaiser};
use crate::expression::Region;

/// A pair of eyes.
#[derive(Clone, Debug, PartialEq)]
pub struct Eye {
    /// From the middle of the face to the middle of the eye.
    pub spacing: f32,
    /// Half the width of the opening.
    pub width: f32,
    /// From the middle up to the relaxed upper lid.
    pub opening: f32,
    /// How far the outer corner stands above the inner.
    pub slant: f32,
    /// Radius of the iris.
    pub iris: f32,
    /// Shade of the iris.
    pub shade: f32,
    /// Width of the line of the lashes.
    pub lashes: f32,
}

impl Eye {
    /// Eyes by chance, with shorter lashes on men.
    pub(super) fn random(man: bool, chance: &mut impl Rng) -> Eye {
        let opening = chance.random_range(1.6..2.2);
        Eye {
            spacing: chance.random_range(7.1..8.2),
            width: chance.random_range(3.6..4.4),
            opening,
            slant: chance.random_range(-0.4..0.7),
            iris: chance.random_range(1.75..2.15),
            shade: chance.random_range(0.05..0.4),
            lashes: if man {
                chance.random_range(0.5..0.8)
            } else {
                chance.random_range(0.7..1.1)
            },
        }
    }
}

/// One eye as the lids leave it open.
struct Opening {
    sign: f32,
    middle: f32,
    width: f32,
    slant: f32,
    /// From the middle line up to the upper lid and down to the lower lid.
    upper: f32,
    lower: f32,
    raised: f32,
    tight: f32,
    cheek: f32,
}

/// Both eyes.
pub(super) fn draw(pen: &mut Pen, identity: &Identity, muscles: &Muscles, gaze: &Gaze) {
    pen.on(Relief::Front(0.0));
    for (side, sign) in Side::PAIR {
        let opening = Opening::new(identity, muscles, gaze.lids, side, sign);
        pen.part(Region::Eyes, side, |pen| {
            socket(pen, identity, &opening);
            ball(pen, identity, &opening, gaze.direction);
            lids(pen, identity, &opening);
            creases(pen, identity, &opening);
        });
    }
}

impl Opening {
    fn new(identity: &Identity, muscles: &Muscles, lids: f32, side: Side, sign: f32) -> Opening {
        let eye = &identity.eye;
        let raised = muscles.get(UpperLidRaiser, side);
        let tight = muscles.get(LidTightener, side);
        let cheek = muscles.get(CheekRaiser, side);
        let wide = raised * (1.0 - 0.75 * tight.min(1.0));
        let upper = eye.opening * lids + 1.5 * wide - 0.55 * tight - 0.35 * cheek;
        let lower = 1.3 + 0.35 * wide - 0.9 * tight - 1.5 * cheek;
        Opening {
            sign,
            middle: sign * eye.spacing,
            width: eye.width,
            slant: eye.slant,
            upper: upper.max(0.5),
            lower: lower.max(0.35 - upper.max(0.5)),
            raised,
            tight,
            cheek,
        }
    }

    /// A point given as shares of the half width, inner to outer, and by its height.
    fn spot(&self, across: f32, up: f32) -> Spot {
        let x = self.middle + self.sign * across * self.width;
        [x, EYE_LINE - self.slant * across * 0.5 - up]
    }

    /// The edge of the upper lid from the inner corner to the outer, raised by `lift`.
    fn upper_edge(&self, lift: f32) -> [Spot; 5] {
        [
            self.spot(-1.0, -0.3 + 0.4 * lift),
            self.spot(-0.5, 0.8 * self.upper + lift),
            self.spot(0.05, self.upper + lift),
            self.spot(0.6, 0.72 * self.upper + lift),
            self.spot(1.0, 0.1 + 0.6 * lift),
        ]
    }

    /// The edge of the lower lid from the outer corner to the inner, lowered by `drop`.
    fn lower_edge(&self, drop: f32) -> [Spot; 3] {
        [
            self.spot(0.55, -0.85 * self.lower - drop),
            self.spot(0.0, -self.lower - drop),
            self.spot(-0.55, -0.75 * self.lower - drop),
        ]
    }

    fn outline(&self) -> Vec<Spot> {
        let mut outline = self.upper_edge(0.0).to_vec();
        outline.extend(self.lower_edge(0.0));
        outline
    }
}

fn socket(pen: &mut Pen, identity: &Identity, opening: &Opening) {
    let shade = Ink::glaze(identity.skin * 0.6, 0.28 + 0.1 * identity.age);
    pen.cloud(opening.spot(-0.1, 0.6), [1.25 * opening.width, 3.4], shade);
}

fn ball(pen: &mut Pen, identity: &Identity, opening: &Opening, gaze: [f32; 2]) {
    let eye = &identity.eye;
    let outline = opening.outline();
    pen.fill(&outline, Ink::solid(0.62 + 0.3 * identity.skin));
    pen.inside(&outline, |pen| {
        let middle = [opening.middle + gaze[0], EYE_LINE - 0.15 + gaze[1]];
        pen.oval(middle, [eye.iris; 2], Ink::solid(eye.shade));
        pen.oval(middle, [0.5 * eye.iris; 2], Ink::solid(0.02));
        pen.oval(
            [middle[0] - 0.6, middle[1] - 0.6],
            [0.4; 2],
            Ink::glaze(1.0, 0.8),
        );
        pen.fold(&opening.upper_edge(-0.3), 1.4, Ink::glaze(0.05, 0.4));
    });
}

fn lids(pen: &mut Pen, identity: &Identity, opening: &Opening) {
    let dark = Ink::glaze(identity.skin * 0.12, 0.95);
    pen.line(&opening.upper_edge(0.1), identity.eye.lashes, dark);
    let [outer, middle, inner] = opening.lower_edge(0.1);
    let edge = [opening.spot(1.0, 0.1), outer, middle, inner];
    let strength = 0.4 + 0.4 * opening.tight.max(opening.cheek).min(1.0);
    pen.line(&edge, 0.45, Ink::glaze(identity.skin * 0.3, strength));
}

/// The crease above the upper lid, and those that a tight or pushed lower lid makes.
fn creases(pen: &mut Pen, identity: &Identity, opening: &Opening) {
    let shade = identity.skin * 0.4;
    let lift = 1.3 - 0.7 * opening.raised.min(1.0);
    let above = opening.upper_edge(lift);
    pen.fold(&above[1..], 0.8, Ink::glaze(shade, 0.5));
    let below = opening.lower_edge(1.0 + 0.3 * opening.cheek);
    let pushed = 0.25 * identity.age + 0.35 * opening.tight + 0.5 * opening.cheek;
    pen.fold(&below, 0.9, Ink::glaze(shade, pushed));
    let feet = opening.cheek * (0.3 + 0.5 * identity.age);
    for rise in [0.9, -0.3, -1.5] {
        let line = [opening.spot(1.15, 0.4 * rise), opening.spot(1.6, rise)];
        pen.fold(&line, 0.7, Ink::glaze(shade, feet));
    }
}
