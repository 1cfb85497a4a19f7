//! Head, ears, neck and shoulders.

use rand::{Rng, RngExt};

use super::identity::Identity;
use super::muscles::Muscles;
use super::pen::{Ink, Pen};
use super::pose::{Relief, Spot};
use super::scene::Backdrop;
use crate::expression::ActionUnit::JawDrop;

/// The outline of a head.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// From the middle to the cheekbone.
    pub width: f32,
    /// From the origin down to the chin.
    pub chin: f32,
    /// Width of the jaw as a share of the width.
    pub jaw: f32,
}

impl Head {
    /// A head by chance.
    pub(super) fn random(chance: &mut impl Rng) -> Head {
        Head {
            width: chance.random_range(15.2..18.2),
            chin: chance.random_range(19.4..21.8),
            jaw: chance.random_range(0.72..0.9),
        }
    }
}

/// How far the chin goes down when the jaw drops fully, in pixels.
pub(super) const DROP: f32 = 2.6;

/// What stands behind the head.
pub(super) fn backdrop(pen: &mut Pen, backdrop: &Backdrop) {
    pen.on(Relief::Outline);
    for shape in &backdrop.shapes {
        for share in [1.0, 0.8] {
            let size = shape.size.map(|half| half * share);
            pen.cloud(shape.middle, size, Ink::glaze(shape.shade, 0.4));
        }
    }
}

/// Neck and shoulders.
pub(super) fn shoulders(pen: &mut Pen, identity: &Identity, clothes: f32) {
    pen.on(Relief::Outline);
    let width = identity.head.width;
    let skin = Ink::solid(identity.skin * 0.72);
    pen.fill(
        &[
            [-0.6 * width, 8.0],
            [-0.62 * width, 22.0],
            [-0.8 * width, 34.0],
            [0.8 * width, 34.0],
            [0.62 * width, 22.0],
            [0.6 * width, 8.0],
        ],
        skin,
    );
    pen.fill(
        &[
            [-36.0, 40.0],
            [-27.0, 27.0],
            [-12.0, 23.5],
            [-5.0, 27.0],
            [0.0, 28.5],
            [5.0, 27.0],
            [12.0, 23.5],
            [27.0, 27.0],
            [36.0, 40.0],
        ],
        Ink::solid(clothes),
    );
}

/// The outline of the head, from the crown over the right of the picture to the chin and back.
pub(super) fn outline(identity: &Identity, muscles: &Muscles) -> Vec<Spot> {
    let head = &identity.head;
    let (width, chin) = (head.width, head.chin);
    let drop = DROP * muscles.whole(JawDrop);
    let half = [
        [0.3 * width, -22.4],
        [0.66 * width, -20.0],
        [0.92 * width, -13.5],
        [width, -5.0],
        [0.98 * width, 2.0],
        [head.jaw * 1.04 * width, 10.5],
        [head.jaw * 0.68 * width, chin - 3.4 + 0.5 * drop],
        [0.24 * width, chin - 0.3 + drop],
    ];
    let left = half.iter().rev().map(|&[x, y]| [-x, y]);
    half.iter().copied().chain(left).collect()
}

/// The bare head with its ears.
pub(super) fn draw(pen: &mut Pen, identity: &Identity, muscles: &Muscles) {
    let skin = identity.skin;
    pen.on(Relief::Outline);
    for side in [-1.0, 1.0] {
        let middle = [side * (identity.head.width + 0.3), 0.0];
        pen.oval(middle, [2.1, 4.0], Ink::solid(skin * 0.88));
        pen.oval(middle, [1.0, 2.4], Ink::glaze(skin * 0.6, 0.6));
    }
    let outline = outline(identity, muscles);
    pen.fill(&outline, Ink::solid(skin));
    pen.inside(&outline, |pen| {
        let shadow = Ink::glaze(skin * 0.5, 0.35);
        let lower: Vec<Spot> = outline[4..12].to_vec();
        pen.fold(&lower, 4.0, shadow);
    });
}
