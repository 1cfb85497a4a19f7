//! Eyebrows, forehead and the furrow between the brows: action units 1, 2 and 4.

use rand::{Rng, RngExt};

use super::Side;
use super::identity::Identity;
use super::muscles::Muscles;
use super::pen::{Ink, Pen};
use super::pose::{Relief, Spot};
use crate::expression::ActionUnit::{BrowLowerer, InnerBrowRaiser, OuterBrowRaiser};
use crate::expression::Region;

/// A pair of eyebrows.
#[derive(Clone, Debug, PartialEq)]
pub struct Brow {
    /// Height above the middle of the eye.
    pub height: f32,
    /// Thickness at the thickest.
    pub thickness: f32,
    /// How far the middle stands above the ends.
    pub arch: f32,
    /// How far the outer end stands above the inner.
    pub slant: f32,
    /// Shade of the hairs.
    pub shade: f32,
}

impl Brow {
    /// Brows by chance, heavier on men.
    pub(super) fn random(man: bool, shade: f32, chance: &mut impl Rng) -> Brow {
        let heavy = if man { 0.4 } else { 0.0 };
        Brow {
            height: chance.random_range(5.1..6.0),
            thickness: chance.random_range(0.9..1.7) + heavy,
            arch: chance.random_range(0.3..1.4),
            slant: chance.random_range(-0.2..0.5),
            shade,
        }
    }
}

/// The height of the middle of the eyes in the frame of the face.
pub(super) const EYE_LINE: f32 = -3.6;

/// The strengths of the units that move one brow.
struct Pull {
    inner: f32,
    outer: f32,
    lower: f32,
}

/// Both brows with the wrinkles that they make.
pub(super) fn draw(pen: &mut Pen, identity: &Identity, muscles: &Muscles) {
    pen.on(Relief::Front(0.8));
    for (side, sign) in Side::PAIR {
        let pull = Pull {
            inner: muscles.get(InnerBrowRaiser, side),
            outer: muscles.get(OuterBrowRaiser, side),
            lower: muscles.get(BrowLowerer, side),
        };
        pen.part(Region::Brow, side, |pen| {
            forehead(pen, identity, &pull, sign);
            furrow(pen, identity, &pull, sign);
            hairs(pen, identity, &pull, sign);
        });
    }
}

/// Four points along the brow, from its inner end to its outer end.
fn middle_line(identity: &Identity, pull: &Pull, sign: f32) -> [Spot; 4] {
    let brow = &identity.brow;
    let base = EYE_LINE - brow.height;
    let eye = identity.eye.spacing;
    // Together with the inner raiser the lowerer draws the brows together but not down.
    let down = pull.lower * (1.0 - 0.8 * pull.inner.min(1.0));
    let together = 1.5 * pull.lower;
    [
        [
            sign * (3.2 - together),
            base + 2.9 * down - 3.2 * pull.inner,
        ],
        [
            sign * (eye - 1.4 - 0.7 * together),
            base - 0.8 * brow.arch + 2.3 * down - 1.5 * pull.inner - 1.5 * pull.outer,
        ],
        [
            sign * (eye + 1.8 - 0.3 * together),
            base - brow.arch - 0.6 * brow.slant + 1.2 * down - 0.1 * pull.inner - 2.7 * pull.outer,
        ],
        [
            sign * (eye + 4.6),
            base + 0.7 - brow.slant + 0.2 * down - 2.0 * pull.outer,
        ],
    ]
}

fn hairs(pen: &mut Pen, identity: &Identity, pull: &Pull, sign: f32) {
    let line = middle_line(identity, pull, sign);
    let half = identity.brow.thickness / 2.0;
    let thick = [0.8, 1.0, 0.85, 0.25].map(|share| share * half);
    let upper = (0..4).map(|place| [line[place][0], line[place][1] - thick[place]]);
    let lower = (0..4)
        .rev()
        .map(|place| [line[place][0], line[place][1] + thick[place]]);
    let outline: Vec<Spot> = upper.chain(lower).collect();
    pen.fill(&outline, Ink::glaze(identity.brow.shade, 0.92));
}

/// Wrinkles across the forehead: in its middle for unit 1, at its sides for unit 2.
fn forehead(pen: &mut Pen, identity: &Identity, pull: &Pull, sign: f32) {
    let shade = identity.skin * 0.5;
    let lined = 0.35 + 0.4 * identity.age;
    for row in 0..2 {
        let height = EYE_LINE - identity.brow.height - 4.4 - 2.0 * row as f32;
        let middle = [[0.0, height + 0.3], [sign * 4.0, height]];
        pen.fold(&middle, 0.9, Ink::glaze(shade, lined * pull.inner));
        let outer = [
            [sign * 4.0, height],
            [sign * 8.0, height - 0.5],
            [sign * 10.5, height + 0.5],
        ];
        pen.fold(&outer, 0.9, Ink::glaze(shade, lined * pull.outer));
    }
}

/// The furrow beside the middle, for unit 4.
fn furrow(pen: &mut Pen, identity: &Identity, pull: &Pull, sign: f32) {
    let top = EYE_LINE - identity.brow.height + 0.4 - 1.2 * pull.inner;
    let line = [
        [sign * 1.3, top - 1.2],
        [sign * 1.0, top + 0.4],
        [sign * 1.4, top + 2.2],
    ];
    let strength = pull.lower.min(1.0) * (0.7 + 0.3 * identity.age);
    pen.fold(&line, 1.1, Ink::glaze(identity.skin * 0.3, strength));
}
