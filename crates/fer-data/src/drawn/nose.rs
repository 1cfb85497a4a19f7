//! The nose: action units 9 and 10.

use rand::{Rng, RngExt};

use super::Side;
use super::identity::Identity;
use super::muscles::Muscles;
use super::pen::{Ink, Pen};
use super::pose::Relief;
use crate::expression::ActionUnit::{NoseWrinkler, UpperLipRaiser};
use crate::expression::Region;

/// A nose.
#[derive(Clone, Debug, PartialEq)]
pub struct Nose {
    /// From the origin down to the nostrils.
    pub length: f32,
    /// From the middle to the wing.
    pub width: f32,
}

impl Nose {
    /// A nose by chance.
    pub(super) fn random(chance: &mut impl Rng) -> Nose {
        Nose {
            length: chance.random_range(4.6..6.2),
            width: chance.random_range(2.3..3.4),
        }
    }
}

/// The nose with its wrinkles; `lit` is the side that the light comes from.
pub(super) fn draw(pen: &mut Pen, identity: &Identity, muscles: &Muscles, lit: Side) {
    let skin = identity.skin;
    let (length, width) = (identity.nose.length, identity.nose.width);
    let shaded = if lit == Side::Left { 1.0 } else { -1.0 };
    pen.part(Region::Nose, Side::Middle, |pen| {
        pen.on(Relief::Front(1.5));
        let ridge = [
            [shaded * 1.9, -5.0],
            [shaded * 1.3, -2.0],
            [shaded * 1.5, 1.5],
            [shaded * 0.7 * width, length - 1.4],
        ];
        pen.fold(&ridge, 1.8, Ink::glaze(skin * 0.55, 0.45));
        let bright = [[-0.3 * shaded, -2.0], [-0.3 * shaded, length - 2.2]];
        pen.fold(&bright, 1.6, Ink::glaze((skin * 1.35).min(1.0), 0.35));
        wrinkles(pen, identity, muscles.whole(NoseWrinkler));
        for (side, sign) in Side::PAIR {
            wing(pen, identity, muscles, side, sign);
        }
    });
}

/// The short lines across the root of the nose.
fn wrinkles(pen: &mut Pen, identity: &Identity, strength: f32) {
    let ink = Ink::glaze(identity.skin * 0.3, 0.75 * strength);
    for (height, reach) in [(-4.6, 1.7), (-2.9, 2.1), (-1.2, 2.4)] {
        let line = [
            [-reach, height + 0.9],
            [-0.5 * reach, height - 0.1],
            [0.0, height + 0.3],
            [0.5 * reach, height - 0.1],
            [reach, height + 0.9],
        ];
        pen.fold(&line, 0.85, ink);
    }
}

/// Wing, nostril and the fold that goes down from the wing when it is raised.
fn wing(pen: &mut Pen, identity: &Identity, muscles: &Muscles, side: Side, sign: f32) {
    let wrinkled = muscles.get(NoseWrinkler, side);
    let raised = (wrinkled + 0.7 * muscles.get(UpperLipRaiser, side)).min(1.3);
    let dark = identity.skin * 0.22;
    let base = identity.nose.length - 1.3 * raised;
    let width = identity.nose.width + 0.5 * raised;
    pen.on(Relief::Front(2.0));
    let curve = [
        [sign * (width - 0.6), base - 1.9],
        [sign * width, base - 0.8],
        [sign * (width - 0.5), base + 0.3],
    ];
    pen.fold(&curve, 1.0, Ink::glaze(dark, 0.6 + 0.3 * raised));
    let nostril = [0.85 + 0.2 * raised, 0.5 + 0.2 * raised];
    pen.oval(
        [sign * 0.52 * width, base + 0.25],
        nostril,
        Ink::glaze(dark, 0.9),
    );
    pen.on(Relief::Front(0.5));
    let fold = [
        [sign * (width + 0.2), base - 1.2],
        [sign * (width + 1.5), base + 0.4],
        [sign * (width + 2.1), base + 2.6],
    ];
    pen.fold(&fold, 1.2, Ink::glaze(dark, 0.65 * raised));
}
